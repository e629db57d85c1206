"""One linear head from a stored corpus: from the desk's reviews, or from a file that was imported.

Where a linear head serves under the name, the new one starts from it; otherwise it learns from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.given import withheld_score
from classifiers.linear.features import BUCKETS, HASH_SEED, HashKey
from classifiers.linear.model import WITHHOLDS, Head, Weights, Withholding, pack, save_head
from classifiers.linear.score import DECIMALS, Scorer, largest_margins
from classifiers.manifest import Dataset, Manifest, Metric, analyser_hash
from classifiers.own_posts import own_languages, read_own
from classifiers.training.adapt import adapt
from classifiers.training.calibration import margin_of, platt, probabilities
from classifiers.training.compare import compare
from classifiers.training.corpus_store import Row, StoredCorpus, read_rows, to_training
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.linear_rows import tokens
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.nb_logistic import Fit, Settings, fit, matrix, other_seed
from classifiers.training.robustness import MOST_POSTS, lost_recall
from classifiers.training.thresholds import threshold_for
from hustings.errors import ConfigError

__all__ = ["FEWEST_ROWS", "ReviewedOrder", "learn", "train_reviewed"]

FOLDS = 5
FEWEST_ROWS = 60
"""Fewer rows than this make no fold in which anything can be measured."""
FEWEST_OF_A_LABEL = 15
FEWEST_STORIES = FOLDS
"""Different ones of either label: near-copies stay in one fold, and each fold is held out once."""
FEWEST_OF_A_GROUP = 20
LATEST = 0.2
"""Share of the rows, the newest ones, that the time-ordered measurement is made on."""
LIBRARIES = ("numpy", "scikit-learn", "scipy")
GROUP_MEASURES = ("false_positive_rate", "precision", "recall")

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class ReviewedOrder(NamedTuple):
    """What is asked for. `prior` is the head to start from; `split` "random" is refused when copies cross it;
    without a `precision`, the threshold is chosen for macro-F1."""

    name: str
    code: str
    language: str
    label: str
    version: str
    precision: float | None
    chosen_by: str
    chosen_at: str
    seed: int
    prior: Head | None = None
    split: Literal["grouped", "random"] = "grouped"
    settings: Settings = Settings(penalty=1.0)


class _Data(NamedTuple):
    """The rows, ready to learn from."""

    posts: list[tuple[str, ...]]
    labels: I64
    matrix: object
    seed: int


def train_reviewed(
    order: ReviewedOrder, stored: StoredCorpus, folder: Path, *, tell: Callable[[str], None] = lambda stage: None
) -> Manifest:
    """Train, calibrate and measure the head, and write it to `folder`. Raises `ConfigError` for too few rows, for rows
    that tell too few stories, and for a random split that near-copies cross."""
    rows = read_rows(stored)
    corpus = to_training(stored, rows)
    _check_enough(stored, corpus.labels)
    tell("near-copies")
    copies = clusters(corpus.texts, corpus.families)
    _check_stories(stored, corpus.labels, copies)
    if order.split == "random":
        fold = np.random.default_rng(order.seed).integers(0, FOLDS, len(rows))
    else:
        fold = folds(copies, corpus.labels, count=FOLDS, seed=order.seed)
    check_split(fold, copies)
    labels = np.array(corpus.labels, dtype=np.int64)
    _check_folds(stored, labels, fold)

    tell("features")
    seed = order.prior.manifest.seed if order.prior else HASH_SEED
    posts = tokens(corpus.texts)
    data = _Data(posts, labels, matrix(posts, HashKey.from_seed(seed), order.settings), seed)
    judges = []
    for held_out in range(FOLDS):
        tell(f"fold {held_out + 1} of {FOLDS}")
        judges.append(_quantised(_fit(order, data, fold != held_out)))
    margins = _held_out(order, judges, posts, fold, seed)
    calibration = platt(margins, labels)
    scores = np.round(probabilities(margins, calibration), DECIMALS)
    on = f"{FOLDS}-fold cross-validation, {stored.paper.tag}"
    threshold = threshold_for(labels, scores, precision=order.precision, by=order.chosen_by, at=order.chosen_at, on=on)
    tell("measures")
    metrics = [
        *measure(labels, scores, threshold.value, on=on, seed=seed, clusters=copies),
        ece_by_chance(scores, on=on, seed=seed),
        *_by_group(rows, labels, scores, threshold.value, copies, on=on, seed=seed),
    ]
    tell("disguises")
    positives = np.flatnonzero(labels == 1)[:MOST_POSTS]

    def rescored(texts: Sequence[str]) -> F64:
        hidden = tokens(texts)
        found: F64 = probabilities(_held_out(order, judges, hidden, fold[positives], seed), calibration)
        return found.round(DECIMALS)

    metrics += lost_recall(
        [corpus.texts[place] for place in positives],
        scores[positives],
        rescored,
        threshold.value,
        _chatter(order.language),
        on=on,
        seed=seed,
    )
    metrics += _latest(order, data, rows, copies, stored.paper.tag)
    if order.prior is not None:
        metrics.append(_gain(order.prior, data, scores, threshold.value, copies, on=on))
    tell("final training")
    final = _fit(order, data, np.ones(len(rows), dtype=bool))
    weights = _quantised(final)
    packed = [pack(weights)]
    withholding = _withholding(order)
    if withholding is not None:  # learnt by the prior; its margin follows the new threshold
        to = min(withholding.to, margin_of(withheld_score(threshold.value), calibration))
        withholding = withholding._replace(to=to)
        packed.append(pack(withholding.weights, WITHHOLDS))
    manifest = Manifest(
        kind="linear",
        name=order.name,
        code=order.code,
        language=order.language,
        version=order.version,
        label=order.label,
        limits=_limits(order, stored),
        data=(corpus.dataset, *_inherited(order.prior)),
        settings={
            **order.settings._asdict(),
            "buckets": BUCKETS,
            "scale": weights.scale,
            "intercept": weights.intercept,
            **(withholding.settings() if withholding is not None else {}),
            "prior": order.prior.label if order.prior else "none",
            "split": order.split,
            **other_seed(order.seed),
        },
        calibration=calibration,
        threshold=threshold,
        metrics=tuple(metrics),
        files=tuple(file for _, file in packed),
        analyser=analyser_hash(order.language),
        code_version=version("hustings"),
        libraries={name: version(name) for name in LIBRARIES},
        seed=seed,
        curves=(curves(labels, scores, on=on),),
    )
    save_head(folder, manifest, *(raw for raw, _ in packed))
    return manifest


def learn(order: ReviewedOrder, rows: Sequence[Row]) -> Weights:
    """The weights alone, as `train_reviewed` learns them when these are the rows."""
    posts = tokens([row.text for row in rows])
    labels = np.array([row.label for row in rows], dtype=np.int64)
    seed = order.prior.manifest.seed if order.prior else HASH_SEED
    data = _Data(posts, labels, matrix(posts, HashKey.from_seed(seed), order.settings), seed)
    found = _fit(order, data, np.ones(len(rows), dtype=bool))
    return Weights.quantised(found.weights, found.intercept)


def _check_enough(stored: StoredCorpus, labels: Sequence[int]) -> None:
    positives = sum(labels)
    fewest = min(positives, len(labels) - positives)
    if len(labels) < FEWEST_ROWS or fewest < FEWEST_OF_A_LABEL:
        raise ConfigError(
            f"corpus {stored.paper.tag}: {len(labels)} rows, {positives} of them positive; training needs at least "
            f"{FEWEST_ROWS} rows and {FEWEST_OF_A_LABEL} of either label"
        )


def _check_stories(stored: StoredCorpus, labels: Sequence[int], copies: NDArray[np.intp]) -> None:
    """A hundred near-copies are one thing said, and go into one fold: what is learnt then has been seen in no other."""
    for label, called in ((1, "positive"), (0, "negative")):
        rows = [number for number, own in zip(copies.tolist(), labels, strict=True) if own == label]
        stories = len(set(rows))
        if stories < FEWEST_STORIES:
            raise ConfigError(
                f"corpus {stored.paper.tag}: its {len(rows)} {called} rows are {stories} "
                f"{'story' if stories == 1 else 'stories'} (near-copies and rows of one family count once); training "
                f"needs at least {FEWEST_STORIES} different ones of either label, so that each can be held out: add "
                f"{called} rows about something else, {FEWEST_STORIES - stories} or more"
            )


def _check_folds(stored: StoredCorpus, labels: I64, fold: NDArray[np.intp]) -> None:
    """Whatever was drawn, no fold may hold all rows of a label: its head would learn from the others alone."""
    for held_out in range(FOLDS):
        kept = labels[fold != held_out]
        if not 0 < kept.sum() < len(kept):
            missing = "positive" if kept.sum() == 0 else "negative"
            raise ConfigError(
                f"corpus {stored.paper.tag}: all {missing} rows fell into one of {FOLDS} folds, so nothing can be held "
                f"out; add {missing} rows about something else"
            )


def _fit(order: ReviewedOrder, data: _Data, kept: NDArray[np.bool_]) -> Fit:
    rows = data.matrix[kept]  # type: ignore[index]  # a SciPy matrix, which has no types
    if order.prior is not None:
        return adapt(order.prior.weights, rows, data.labels[kept], order.settings)
    return fit(rows, data.labels[kept], order.settings)


def _quantised(trained: Fit) -> Weights:
    """As the product scores with them."""
    return Weights.quantised(trained.weights, trained.intercept)


def _held_out(
    order: ReviewedOrder, judges: Sequence[Weights], posts: Sequence[Sequence[str]], fold: NDArray[np.intp], seed: int
) -> F64:
    """The margin of each post under the head that did not see its fold, as the product computes it."""
    margins = np.zeros(len(posts))
    for held_out, weights in enumerate(judges):
        places = np.flatnonzero(fold == held_out).tolist()
        margins[places] = _margins(weights, [posts[place] for place in places], seed, _withholding(order))
    return margins


def _chatter(language: str) -> Sequence[str]:
    """Friendly talk to sink a post in; none where we wrote none."""
    speech = language.partition("-")[0]
    return read_own(speech).chatter if speech in own_languages() else ()


def _withholding(order: ReviewedOrder) -> Withholding | None:
    """What the prior learnt of protected speech goes on to hold."""
    return order.prior.withholding if order.prior is not None else None


def _margins(weights: Weights, posts: Sequence[Sequence[str]], seed: int, withholding: Withholding | None) -> F64:
    margins: F64 = largest_margins([weights], HashKey.from_seed(seed), posts, [withholding])[0]
    return margins


def _by_group(
    rows: Sequence[Row],
    labels: I64,
    scores: F64,
    threshold: float,
    copies: NDArray[np.intp],
    *,
    on: str,
    seed: int,
) -> list[Metric]:
    """The same held-out scores, by each group that is large enough to say anything."""
    metrics = []
    for key in sorted({key for row in rows for key in row.groups}):
        values = np.array([row.groups.get(key, "") for row in rows])
        for value in sorted(set(values.tolist()) - {""}):
            part = values == value
            if part.sum() >= FEWEST_OF_A_GROUP:
                where = f"{on}, {key}={value.replace(',', ' ')}"
                metrics += measure(
                    labels[part],
                    scores[part],
                    threshold,
                    on=where,
                    seed=seed,
                    names=GROUP_MEASURES,
                    clusters=copies[part],
                )
    return metrics


def _latest(
    order: ReviewedOrder,
    data: _Data,
    rows: Sequence[Row],
    copies: NDArray[np.intp],
    tag: str,
) -> list[Metric]:
    """How a head that saw only older posts does on the newest fifth: closer to its life than any fold. Older copies of
    newer posts are learnt from by neither."""
    times = [row.at for row in rows]
    if any(at is None for at in times):
        return []
    order_of = np.argsort(np.array([at.timestamp() for at in times if at is not None]), kind="stable")
    newest = np.zeros(len(rows), dtype=bool)
    newest[order_of[int(len(rows) * (1 - LATEST)) :]] = True
    older = ~newest & ~np.isin(copies, copies[newest])
    enough = min(data.labels[older].sum(), (1 - data.labels[older]).sum()) >= FEWEST_OF_A_LABEL
    if not enough or not 0 < data.labels[newest].sum() < newest.sum():
        return []
    check_split(newest[older | newest].astype(np.intp), copies[older | newest])
    trained = _fit(order, data, older)
    # uncalibrated: what is measured here depends on their order alone
    posts = [data.posts[place] for place in np.flatnonzero(newest)]
    margins = _margins(_quantised(trained), posts, data.seed, _withholding(order))
    on = f"newest fifth of {tag}, learnt from what was before"
    names = ("pr_auc", "recall_at_precision_90")
    return measure(data.labels[newest], margins, 0.0, on=on, seed=data.seed, names=names, clusters=copies[newest])


def _gain(prior: Head, data: _Data, scores: F64, threshold: float, copies: NDArray[np.intp], *, on: str) -> Metric:
    """PR-AUC of the held-out scores less that of the prior, which has not seen these rows (unless it was made from an
    earlier version of this corpus, and then it has an advantage that the new one must beat)."""
    before = Scorer([prior]).scores(data.posts)[0]
    (found,) = compare(
        data.labels,
        (before, scores),
        (prior.manifest.threshold.value, threshold),
        on=f"{on}, against {prior.label}",
        seed=data.seed,
        names=("pr_auc",),
        clusters=copies,
    )
    return Metric(name="pr_auc_gain", on=found.on, value=found.value, low=found.low, high=found.high, n=found.n)


def _inherited(prior: Head | None) -> tuple[Dataset, ...]:
    """What the prior learnt from is in the new head too."""
    return tuple(dataset for dataset in prior.manifest.data if dataset.use == "training") if prior else ()


def _limits(order: ReviewedOrder, stored: StoredCorpus) -> str:
    paper = stored.paper
    made_from = "the decisions of one desk" if paper.made_from == "desk" else "one file"
    begun = (
        f"It started from {order.prior.label} and keeps what that one knew where the rows are silent. "
        if order.prior
        else "It knows nothing but these rows. "
    )
    return (
        f"Learnt from {paper.rows} rows of {made_from}; the posts that a desk reads are those that were flagged or "
        f"drawn for it, so shares in a stream differ. {begun}Small groups are measured coarsely: mind the intervals."
    )
