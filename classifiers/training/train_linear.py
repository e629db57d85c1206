"""One linear head from a recipe: the same data, seed and libraries give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from classifiers.given import withheld_score
from classifiers.linear.features import BUCKETS, HASH_SEED, HashKey
from classifiers.linear.model import WITHHOLDS, Weights, Withholding, pack, save_head
from classifiers.linear.score import DECIMALS, largest_margins
from classifiers.manifest import Calibration, Manifest, Metric, Threshold, analyser_hash
from classifiers.own_posts import read_own
from classifiers.training.calibration import bent, margin_of, platt, probabilities
from classifiers.training.corpora import Corpus, read_corpus
from classifiers.training.distilled import ask_encoder
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.linear_rows import FOLDS, SECOND, Rows, tokens
from classifiers.training.measures import curves, ece_by_chance, measure, wilson
from classifiers.training.nb_logistic import other_seed
from classifiers.training.order import Order
from classifiers.training.ordinary import election_talk, ordinary_posts
from classifiers.training.own_posts import ORDINARY, OwnRows, own_rows
from classifiers.training.recipes import Recipe
from classifiers.training.robustness import MOST_POSTS, lost_recall
from classifiers.training.stages import Tell, each_fold, to_nobody
from classifiers.training.thresholds import threshold_for

__all__ = ["LIBRARIES", "held_out_fifth", "train_head"]

LIBRARIES = ("numpy", "scipy")
OWN_FLAGGED = "flagged"
_OTHER_LABEL = ("macro_f1", "precision", "recall", "pr_auc")
"""What is measured where the label means something else; probabilities are of the head's own label."""
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class _Judge(NamedTuple):
    """Weights, and what withholds from them."""

    weights: Weights
    withholding: Withholding | None = None


def train_head(recipe: Recipe, order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Train, calibrate and measure the head, and write it to `order.models/<name>`. Calibration and threshold come from
    cross-validation over folds that no near-copy straddles, on rows of the corpus alone; rows of `measured_on` are
    never trained on."""
    data, seed = order.data, order.seed
    tell("rows and near-copies")
    corpus = read_corpus(recipe.corpus, data)
    labels = np.array(corpus.labels, dtype=np.int64)
    copies = clusters(corpus.texts, corpus.families)
    fold = folds(copies, corpus.labels, count=FOLDS, seed=seed)
    check_split(fold, copies)
    on = f"{FOLDS}-fold cross-validation, {corpus.dataset.file}"
    own = own_rows(recipe.speech, recipe.code) if recipe.own_rows else None
    talk = election_talk if recipe.election_talk else ordinary_posts
    ordinary = talk(recipe.speech) if recipe.ordinary_weight else None
    rows = Rows(recipe, corpus, fold, own, ordinary[0] if ordinary is not None else [], seed)

    taught = None
    if recipe.taught_by:
        taught = ask_encoder(recipe.taught_by, recipe.code, corpus.texts, models=order.models, tell=tell)
    tell("features")
    lesson, posts = rows.lesson(taught.likely if taught is not None else None), tokens(corpus.texts)
    folds_told = each_fold(FOLDS, "abuse", tell)
    judges = [_Judge(lesson.fit(recipe.settings, without=number)) for number in folds_told]
    calibration, by_fold = _calibrations(recipe, _by_fold(judges, posts, fold), labels, fold)
    scores = _scores(judges, by_fold, posts, fold)
    threshold = threshold_for(labels, scores, precision=recipe.precision, by=order.chosen_by, at=order.chosen_at, on=on)
    tell("abuse, all rows")
    final = _Judge(lesson.fit(recipe.settings, without=None))
    if own is not None:
        second = rows.second_lesson()
        folds_told = each_fold(FOLDS, "protected speech", tell)
        opinions = [second.fit(SECOND, without=number) for number in folds_told]
        right = (labels == 1) & (scores >= threshold.value)
        held = _by_fold([_Judge(one) for one in opinions], posts, fold)
        at, to = float(np.quantile(held[right], recipe.kept)), margin_of(withheld_score(threshold.value), calibration)
        judges = [_Judge(one.weights, Withholding(o, at, to)) for one, o in zip(judges, opinions, strict=True)]
        final = _Judge(final.weights, Withholding(second.fit(SECOND, without=None), at, to))
        scores = _scores(judges, by_fold, posts, fold)
        threshold = _with_withholding(threshold, labels, scores)
    tell("measures")
    metrics = [*measure(labels, scores, threshold.value, on=on, seed=seed), ece_by_chance(scores, on=on, seed=seed)]
    drawn = [curves(labels, scores, on=on)]

    tell("spellings")
    positives = np.flatnonzero(labels == 1)[:MOST_POSTS]
    metrics += lost_recall(
        [corpus.texts[place] for place in positives],
        scores[positives],
        lambda texts: _scores(judges, by_fold, tokens(texts), fold[positives]),
        threshold.value,
        read_own(recipe.speech).chatter if own is not None else (),
        on=on,
        seed=seed,
    )
    if own is not None:
        own_scores = _scores(judges, by_fold, tokens(own.texts), rows.own_fold)
        metrics += _own_metrics(own, own_scores >= threshold.value)
    if ordinary is not None:
        scores_there = _scores(judges, by_fold, tokens(ordinary[0]), rows.ordinary_fold)
        metrics.append(_flagged(scores_there >= threshold.value, ORDINARY, wanted=False))

    tell("other rows")
    compared = [read_corpus(name, data, use="measuring") for name in recipe.compared_on]
    for other in compared:
        other_labels, other_scores = _measured(final, other, calibration)
        on_other = f"{other.dataset.file}, other label: {other.means}"
        metrics += measure(other_labels, other_scores, threshold.value, on=on_other, seed=seed, names=_OTHER_LABEL)
    measured = [read_corpus(name, data, use="measuring") for name in recipe.measured_on]
    for other in measured:
        other_labels, other_scores = _measured(final, other, calibration)
        name = other.dataset.file
        metrics += measure(other_labels, other_scores, threshold.value, on=name, seed=seed)
        metrics.append(ece_by_chance(other_scores, on=name, seed=seed))
        drawn.append(curves(other_labels, other_scores, on=name))

    weights, withholding = final
    packed = [pack(weights), *([pack(withholding.weights, WITHHOLDS)] if withholding is not None else [])]
    manifest = Manifest(
        kind="linear",
        name=recipe.name,
        code=recipe.code,
        language=recipe.language,
        version=order.version,
        label=recipe.label,
        limits=recipe.limits,
        data=(
            corpus.dataset,
            *((own.dataset,) if own is not None else ()),
            *((ordinary[1],) if ordinary is not None else ()),
            *(other.dataset for other in (*measured, *compared)),
        ),
        settings={
            **recipe.settings._asdict(),
            "own_rows": recipe.own_rows,
            **({"ordinary_weight": recipe.ordinary_weight} if ordinary is not None else {}),
            "careless_weight": recipe.careless_weight,
            **({"either_gender": 1} if recipe.either_gender else {}),
            **({"taught_by": taught.by, "taught": recipe.taught} if taught is not None else {}),
            "buckets": BUCKETS,
            "scale": weights.scale,
            "intercept": weights.intercept,
            **(withholding.settings() if withholding is not None else {}),
            **other_seed(seed),
        },
        calibration=calibration,
        threshold=threshold,
        metrics=tuple(metrics),
        files=tuple(file for _, file in packed),
        analyser=analyser_hash(recipe.language),
        code_version=version("hustings"),
        libraries={name: version(name) for name in LIBRARIES},
        seed=HASH_SEED,
        curves=tuple(drawn),
    )
    save_head(order.models / recipe.name, manifest, *(raw for raw, _ in packed))
    return manifest


def held_out_fifth(corpus: Corpus, *, seed: int) -> NDArray[np.bool_]:
    """The rows of the first fold: nothing that is measured there may learn from them."""
    held: NDArray[np.bool_] = folds(clusters(corpus.texts, corpus.families), corpus.labels, count=FOLDS, seed=seed) == 0
    return held


def _calibrations(
    recipe: Recipe, margins: F64, labels: I64, fold: NDArray[np.intp]
) -> tuple[Calibration, list[Calibration]]:
    """What is shipped, and for each fold what its own rows had no part in. Platt's two numbers cannot learn rows by
    heart; knots could."""
    whole = platt(margins, labels)
    if not recipe.knots:
        return whole, [whole] * FOLDS
    others = [(margins[fold != number], labels[fold != number]) for number in range(FOLDS)]
    return (
        bent(whole, margins, labels, recipe.knots),
        [bent(platt(some, said), some, said, recipe.knots) for some, said in others],
    )


def _scores(
    judges: Sequence[_Judge],
    calibrations: Sequence[Calibration],
    posts: Sequence[Sequence[str]],
    fold: NDArray[np.intp],
) -> F64:
    """The probability of each post under the judge and the calibration that did not learn from its fold."""
    margins = _by_fold(judges, posts, fold)
    scores = np.zeros(len(posts))
    for number, calibration in enumerate(calibrations):
        scores[fold == number] = probabilities(margins[fold == number], calibration)
    return np.round(scores, DECIMALS)


def _measured(judge: _Judge, corpus: Corpus, calibration: Calibration) -> tuple[I64, F64]:
    """Labels and scores of rows that were not trained on."""
    margins = _margins(judge, tokens(corpus.texts))
    return np.array(corpus.labels, dtype=np.int64), np.round(probabilities(margins, calibration), DECIMALS)


def _with_withholding(threshold: Threshold, labels: I64, scores: F64) -> Threshold:
    flagged = scores >= threshold.value
    return structs.replace(
        threshold,
        reason=f"{threshold.reason}, before protected speech is withheld",
        precision=round(float(labels[flagged].mean()), 4),
        recall=round(float(flagged[labels == 1].mean()), 4),
    )


def _own_metrics(own: OwnRows, flagged: NDArray[np.bool_]) -> list[Metric]:
    """The share of our own posts that is flagged when they are held out, kind by kind."""
    groups, weights = np.array(own.groups), np.array(own.weights)
    metrics = []
    for group in dict.fromkeys(own.groups):
        mine = groups == group
        wanted = bool(own.labels[own.groups.index(group)])
        metrics.append(_flagged(flagged[mine], group, wanted=wanted, weights=weights[mine]))
    return metrics


def _flagged(flagged: NDArray[np.bool_], kind: str, *, wanted: bool, weights: F64 | None = None) -> Metric:
    """The share of the posts of one kind that is flagged. The weights of the readings of one post sum to 1."""
    share = float(np.average(flagged, weights=weights))
    posts = len(flagged) if weights is None else round(float(weights.sum()))
    low, high = wilson(share * posts, posts)
    return Metric(
        name=OWN_FLAGGED,
        on=f"own posts held out, to be flagged: {'yes' if wanted else 'no'}, kind={kind}",
        value=round(share, 4),
        low=round(low, 4),
        high=round(high, 4),
        n=posts,
    )


def _by_fold(judges: Sequence[_Judge], posts: Sequence[Sequence[str]], fold: NDArray[np.intp]) -> F64:
    """The margin of each post under the judge that did not learn from its fold."""
    margins = np.zeros(len(posts))
    for number, judge in enumerate(judges):
        places = np.flatnonzero(fold == number).tolist()
        margins[places] = _margins(judge, [posts[place] for place in places])
    return margins


def _margins(judge: _Judge, posts: Sequence[Sequence[str]]) -> F64:
    """Margins as the product computes them: from packed weights, windows included."""
    margins: F64 = largest_margins([judge.weights], HashKey.from_seed(HASH_SEED), posts, [judge.withholding])[0]
    return margins
