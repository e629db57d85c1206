"""One language's model of narratives: a column for every code of its seeds, trained, calibrated and measured on folds.

Every number that is chosen or shown comes from sentences that the weights behind it have not seen: the examples by
cross-validation over folds that no near-copy straddles, the held-out sentences by the weights of all examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import HashKey
from classifiers.linear.score import DECIMALS, largest_margins
from classifiers.manifest import Calibration, Dataset, Manifest, Metric, Threshold, analyser_hash, write_manifest
from classifiers.narratives.heads import CodeHead, Column, Heads, pack_heads
from classifiers.narratives.seeds import PROTECTED, Example, load_seeds
from classifiers.narratives.step import FLAGGED_PROTECTED
from classifiers.narratives.table import Table, make_table, pack_table
from classifiers.training.calibration import platt, probabilities
from classifiers.training.code_thresholds import MOST_WRONG, Choice, choose_thresholds, flags_of
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.many_codes import Columns, columns_of, fit_columns, is_harm, labels_of
from classifiers.training.measures import curves, ece_by_chance, measure, share
from classifiers.training.nb_logistic import Settings, matrix
from hustings.text import analyse_all

__all__ = ["FOLDS", "train_narratives"]

FOLDS = 5
LIBRARIES = ("numpy", "scikit-learn", "scipy")
SETTINGS = Settings(penalty=0.0, smoothing=0.0, word_weight=3.0)
"""Only the weight of words is used here: by cross-validation, words tell more of a narrative than pieces of them do."""
LOST = 0.01
"""Share of sentences with something to tell that may be passed over by the first look."""
RESAMPLES_A_CODE = 200
_STEPS = 32767 // 64  # a column's weights in steps of a 512th of the largest, which packs into half the bytes

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_LABEL = (
    "Election narratives, threats and insults by code, told from protected speech that looks like them (answers, "
    "notices, satire, reports, opinion, other matters)."
)
_LIMITS = (
    "Learnt from some forty sentences a code that we wrote ourselves: a narrative in words unlike all of them is "
    "missed, and most of what is worded freshly is (see recall). Codes that abstain are never flagged; the code above "
    "them may be. It says that a post resembles a narrative, never that it is false. Held-out sentences were written "
    "by the authors of the examples."
)


class _Seen(NamedTuple):
    """Sentences with their margins under weights that have not seen them."""

    on: str
    codes: list[str]
    margins: F64  # [columns, sentences]


def train_narratives(
    language: str, *, models: Path, seed: int, head_version: str, chosen_by: str, chosen_at: str
) -> Manifest:
    """Train, calibrate, choose thresholds and measure; write `models/N-<language>`. The same seeds give the same
    bytes."""
    seeds = load_seeds(language)
    key = HashKey.from_seed(seed)
    names = columns_of([example.code for example in seeds.examples])
    posts = _tokens(seeds.examples)
    codes = [example.code for example in seeds.examples]
    copies = clusters([example.text for example in seeds.examples])
    fold = folds(copies, is_harm(codes).tolist(), count=FOLDS, seed=seed)
    check_split(fold, copies)

    whole = matrix(posts, key, SETTINGS).tocsc()
    buckets = np.flatnonzero(np.diff(whole.indptr)).astype(np.uint32)
    rows = whole[:, buckets].tocsr()
    margins = np.zeros((2 + len(names), len(posts)))
    for held_out in range(FOLDS):
        kept = fold != held_out
        table = _table(buckets, _fit(rows[kept], [one for one, k in zip(codes, kept, strict=True) if k], names, seed))
        places = np.flatnonzero(~kept)
        margins[:, places] = largest_margins(
            table[0].weights, key, [posts[one] for one in places], named=table[0].known
        )
    final, whole_numbers, columns = _table(buckets, _fit(rows, codes, names, seed))
    held = largest_margins(final.weights, key, _tokens(seeds.held_out), named=final.known)
    seen = (
        _Seen(f"{language}: {FOLDS}-fold cross-validation of the examples", codes, margins),
        _Seen(f"{language}: held-out sentences", [example.code for example in seeds.held_out], held),
    )
    both = _Seen(
        f"{language}: examples by cross-validation, and held-out sentences",
        [*seen[0].codes, *seen[1].codes],
        np.concatenate([one.margins for one in seen], axis=1),
    )
    harm = platt(both.margins[0], is_harm(both.codes))
    calibrations = {name: platt(both.margins[2 + n], labels_of(name, both.codes)) for n, name in enumerate(names)}
    choice = choose_thresholds(_scores(both, names, calibrations), both.codes, by=chosen_by, at=chosen_at, on=both.on)
    telling = both.margins[1][_telling(both.codes) == 1]
    heads = Heads(
        harm=columns[0],
        telling=columns[1],
        telling_from=round(float(np.quantile(telling, LOST)), 4),
        codes=tuple(
            CodeHead(
                code=name,
                column=columns[2 + n],
                calibration=calibrations[name],
                threshold=choice.thresholds.get(name),
                abstains=choice.abstain.get(name, ""),
            )
            for n, name in enumerate(names)
        ),
    )
    packed_heads, heads_file = pack_heads(heads)
    packed_table, table_file = pack_table(buckets, whole_numbers)
    threshold = _threshold(both, harm, by=chosen_by, at=chosen_at)
    manifest = Manifest(
        kind="narratives",
        name=f"N-{language}",
        code="N",
        language=language,
        version=head_version,
        label=_LABEL,
        limits=_limits(choice),
        data=(
            Dataset(
                name="Hustings seed sentences",
                file=f"classifiers/seeds/{language}.toml",
                sha256=seeds.sha256,
                licence="CC0-1.0",
                source="written for Hustings",
                rows=len(both.codes),
                positives=int(is_harm(both.codes).sum()),
                use="training",
            ),
        ),
        settings={
            "rows": len(buckets),
            "word_weight": SETTINGS.word_weight,
            "precision_of_each_code": choice.precision,
        },
        calibration=harm,
        threshold=threshold,
        metrics=tuple(
            metric
            for one in seen
            for metric in _metrics(one, names, harm, calibrations, choice, threshold.value, seed=seed)
        ),
        files=(heads_file, table_file),
        analyser=analyser_hash(),
        code_version=version("hustings"),
        libraries={name: version(name) for name in LIBRARIES},
        seed=seed,
        curves=tuple(curves(is_harm(one.codes), _rounded(one.margins[0], harm), on=one.on) for one in seen),
    )
    folder = models / manifest.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / heads_file.name).write_bytes(packed_heads)
    (folder / table_file.name).write_bytes(packed_table)
    write_manifest(folder, manifest)
    return manifest


def _tokens(examples: Sequence[Example]) -> list[tuple[str, ...]]:
    return [analysis.tokens for analysis in analyse_all([example.text for example in examples])]


def _telling(codes: Sequence[str]) -> I64:
    return np.array([int(one in FLAGGED_PROTECTED or not one.startswith(PROTECTED)) for one in codes], dtype=np.int64)


def _fit(rows: Any, codes: Sequence[str], names: Sequence[str], seed: int) -> Columns:
    labels = [is_harm(codes), _telling(codes), *(labels_of(name, codes) for name in names)]
    of_harm = [2 + place for place, name in enumerate(names) if not name.startswith(PROTECTED)]
    return fit_columns(rows, labels, harm=0, shared_by=of_harm, seed=seed)


def _table(buckets: NDArray[np.uint32], trained: Columns) -> tuple[Table, NDArray[np.int16], list[Column]]:
    """Whole numbers in place of weights, as they are served."""
    from classifiers.linear.features import CHARACTER_BUCKETS

    weights = trained.weights.copy()
    weights[:, buckets >= CHARACTER_BUCKETS] *= SETTINGS.word_weight
    scales = np.abs(weights).max(axis=1) / _STEPS
    scales[scales == 0] = 1.0
    numbers = np.round(weights / scales[:, None]).astype(np.int16)
    columns = [
        Column(scale=float(scale), intercept=float(intercept))
        for scale, intercept in zip(scales, trained.intercepts, strict=True)
    ]
    return make_table(buckets, numbers, columns), numbers, columns


def _rounded(margins: F64, calibration: Calibration) -> F64:
    rounded: F64 = np.round(probabilities(margins, calibration), DECIMALS)
    return rounded


def _scores(seen: _Seen, names: Sequence[str], calibrations: dict[str, Calibration]) -> dict[str, F64]:
    return {name: _rounded(seen.margins[2 + n], calibrations[name]) for n, name in enumerate(names)}


def _threshold(seen: _Seen, harm: Calibration, *, by: str, at: str) -> Threshold:
    """Of the model's own score, which says "harm" without a code."""
    labels, scores = is_harm(seen.codes), _rounded(seen.margins[0], harm)
    others = np.sort(scores[labels == 0])[::-1]
    value = round(float(scores[scores > others[int(MOST_WRONG * len(others))]].min(initial=1.0)), DECIMALS)
    flagged = scores >= value
    return Threshold(
        value=value,
        reason=f"lowest score that at most {MOST_WRONG:.0%} of protected sentences reach; codes have their own",
        chosen_by=by,
        chosen_at=at,
        chosen_on=seen.on,
        precision=round(float(labels[flagged].mean()), 4),
        recall=round(float(flagged[labels == 1].mean()), 4),
    )


def _metrics(
    seen: _Seen,
    names: Sequence[str],
    harm: Calibration,
    calibrations: dict[str, Calibration],
    choice: Choice,
    threshold: float,
    *,
    seed: int,
) -> list[Metric]:
    """Of the model's own score; of its flags: how much protected speech they hit, how much harm they find, and with
    the right code; then of each code."""
    labels, own = is_harm(seen.codes), _rounded(seen.margins[0], harm)
    found = [*measure(labels, own, threshold, on=seen.on, seed=seed), ece_by_chance(own, on=seen.on, seed=seed)]
    scores = _scores(seen, names, calibrations)
    thresholds = {code: one.value for code, one in choice.thresholds.items()}
    flagged = flags_of(scores, thresholds)
    accused = np.array([any(not code.startswith(PROTECTED) for code in flags) for flags in flagged])
    right = np.array(
        [any(_says(flag, code) for flag in flags) for flags, code in zip(flagged, seen.codes, strict=True)]
    )
    found += [
        share(accused[labels == 0], name="protected_flagged", on=seen.on, seed=seed),
        share(accused[labels == 1], name="harm_flagged", on=seen.on, seed=seed),
        share(right[labels == 1], name="harm_flagged_rightly", on=seen.on, seed=seed),
    ]
    for name in names:
        wanted = ("pr_auc", "precision", "recall") if name in thresholds else ("pr_auc",)
        found += measure(
            labels_of(name, seen.codes),
            scores[name],
            thresholds.get(name, 1.0),
            on=f"{seen.on}, code={name}",
            seed=seed,
            names=wanted,
            resamples=RESAMPLES_A_CODE,
        )
    return found


def _says(flag: str, code: str) -> bool:
    """The code, or one that it refines."""
    return code == flag or ("-" in flag and code.startswith(f"{flag}-"))


def _limits(choice: Choice) -> str:
    silent = sorted(code for code in choice.abstain if not code.startswith(PROTECTED))
    return f"{_LIMITS} Abstaining: {', '.join(silent) or 'none'}."
