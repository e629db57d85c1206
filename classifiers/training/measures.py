"""How good scores are: the numbers of the manifests and of `hustings model evaluate`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Bin, Curves, Metric
from classifiers.training.resampling import RESAMPLES, resamples

__all__ = [
    "MEASURES",
    "average_precision",
    "brier",
    "calibration_error",
    "curves",
    "ece_by_chance",
    "f1",
    "macro_f1",
    "measure",
    "recall_at_precision",
    "wilson",
]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_BINS = 15
_POINTS = 80  # of a precision-recall curve, enough for a picture
_Z = 1.959964  # of a 95 % interval


def average_precision(labels: I64, scores: F64) -> float:
    """PR-AUC as the step-wise sum (scikit-learn's definition); posts of one score count together."""
    precision, recall, _ = curve(labels, scores)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at_precision(labels: I64, scores: F64, wanted: float = 0.9) -> float:
    """The largest recall at any threshold whose precision is at least `wanted`; 0 when there is none."""
    precision, recall, _ = curve(labels, scores)
    return float(recall[precision >= wanted].max(initial=0.0))


def curve(labels: I64, scores: F64) -> tuple[F64, F64, F64]:
    """Precision, recall and threshold (score at least) from the highest score down, one point a distinct score."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    found = np.cumsum(labels[order])[last]
    return found / (last + 1), found / max(int(labels.sum()), 1), ranked[last]


def f1(labels: I64, flagged: NDArray[np.bool_]) -> float:
    """F1 of the flagged."""
    both = int((labels == 1)[flagged].sum())
    return 2 * both / max(int(flagged.sum()) + int(labels.sum()), 1)


def macro_f1(labels: I64, flagged: NDArray[np.bool_]) -> float:
    """Mean of the F1 of the flagged and of the rest."""
    return (f1(labels, flagged) + f1(1 - labels, ~flagged)) / 2


def brier(labels: I64, scores: F64) -> float:
    """Mean squared distance of probability and truth."""
    return float(np.mean((scores - labels) ** 2))


def calibration_error(labels: I64, scores: F64) -> float:
    """Expected calibration error over 15 bins of equal width."""
    bins = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    gaps = np.bincount(bins, weights=scores, minlength=_BINS) - np.bincount(bins, weights=labels, minlength=_BINS)
    return float(np.abs(gaps).sum() / max(counts.sum(), 1))


def ece_by_chance(scores: F64, *, on: str, seed: int) -> Metric:
    """The calibration error that these probabilities would show on as many rows if they were perfect: with few rows in
    a bin, its share of positives is off by chance. An error inside the interval speaks against nothing."""
    draw = np.random.default_rng(seed)
    errors = [calibration_error((draw.random(len(scores)) < scores).astype(np.int64), scores) for _ in range(RESAMPLES)]
    low, high = np.quantile(errors, (0.025, 0.975))
    return Metric(
        name="ece_by_chance",
        on=on,
        value=_short(float(np.mean(errors))),
        low=_short(low),
        high=_short(high),
        n=len(scores),
    )


def curves(labels: I64, scores: F64, *, on: str) -> Curves:
    """What a card draws of these rows."""
    bins = np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
    reliability = tuple(
        Bin(
            score=_short(scores[bins == place].mean()),
            positive=_short(labels[bins == place].mean()),
            n=int((bins == place).sum()),
        )
        for place in range(_BINS)
        if (bins == place).any()
    )
    precision, recall, at_score = curve(labels, scores)
    places = np.unique(np.linspace(0, len(recall) - 1, _POINTS).astype(np.int64))
    points = tuple((_short(recall[one]), _short(precision[one]), _short(at_score[one])) for one in places)
    return Curves(on=on, reliability=reliability, precision_recall=points)


MEASURES: dict[str, Callable[[I64, F64, float], float]] = {
    "macro_f1": lambda labels, scores, threshold: macro_f1(labels, scores >= threshold),
    "f1": lambda labels, scores, threshold: f1(labels, scores >= threshold),
    "precision": lambda labels, scores, threshold: _share(labels[scores >= threshold] == 1),
    "recall": lambda labels, scores, threshold: _share((scores >= threshold)[labels == 1]),
    "false_positive_rate": lambda labels, scores, threshold: _share((scores >= threshold)[labels == 0]),
    "pr_auc": lambda labels, scores, threshold: average_precision(labels, scores),
    "recall_at_precision_90": lambda labels, scores, threshold: recall_at_precision(labels, scores),
    "ece": lambda labels, scores, threshold: calibration_error(labels, scores),
    "brier": lambda labels, scores, threshold: brier(labels, scores),
}
"""What is measured of (labels, scores, threshold)."""


def measure(
    labels: I64,
    scores: F64,
    threshold: float,
    *,
    on: str,
    seed: int,
    names: tuple[str, ...] = tuple(MEASURES),
    clusters: NDArray[np.intp] | None = None,
) -> list[Metric]:
    """Every measure with its 95 % interval over bootstrap resamples of the rows; those of one of `clusters` are drawn
    together."""
    drawn = resamples(len(labels), seed=seed, clusters=clusters)
    metrics = []
    for name in names:
        function = MEASURES[name]
        values = [function(labels[rows], scores[rows], threshold) for rows in drawn]
        value = function(labels, scores, threshold) if len(labels) else 0.0
        low, high = _interval(name, value, values)
        if low == high and (count := _rows_of_share(name, labels, scores >= threshold)):
            # all or none of them: no resample can say what a few rows leave open
            low, high = wilson(round(value * count), count)
        metrics.append(Metric(name=name, on=on, value=_short(value), low=_short(low), high=_short(high), n=len(labels)))
    return metrics


def wilson(right: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of the share `right` of `n`, which says something of all or none of a few too. Rows may
    count for less than one."""
    share, spread = right / n, _Z * _Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _interval(name: str, value: float, values: Sequence[float]) -> tuple[float, float]:
    """A calibration error of resampled rows is larger than that of the rows, since what is off by chance adds up: its
    interval is reflected at the value (A. Davison, D. Hinkley, "Bootstrap Methods", 1997, 5.2)."""
    if not values:
        return 0.0, 0.0
    low, high = np.quantile(values, (0.025, 0.975))
    if name != "ece":
        return float(low), float(high)
    return max(0.0, 2 * value - float(high)), max(value, 2 * value - float(low))


def _rows_of_share(name: str, labels: I64, flagged: NDArray[np.bool_]) -> int:
    """How many rows a share is one of; 0 where the measure is none."""
    of = {"precision": flagged, "recall": labels == 1, "false_positive_rate": labels == 0}
    return int(of[name].sum()) if name in of else 0


def _share(claims: NDArray[np.bool_]) -> float:
    return float(claims.mean()) if len(claims) else 0.0


def _short(value: float) -> float:
    return round(float(value), 4)
