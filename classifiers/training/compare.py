"""Is one scorer better than another on the same rows? The difference, and its interval over paired resamples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Metric
from classifiers.training.measures import MEASURES
from classifiers.training.resampling import resamples

__all__ = ["compare"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def compare(
    labels: I64,
    scores: tuple[F64, F64],
    thresholds: tuple[float, float],
    *,
    on: str,
    seed: int,
    names: tuple[str, ...] = tuple(MEASURES),
    clusters: NDArray[np.intp] | None = None,
) -> list[Metric]:
    """Every measure of the second less that of the first. Both are measured on the same resamples of the rows: what is
    hard for both cancels out, so the interval is that of the difference. Rows of one of `clusters` are drawn together.
    """
    rows = resamples(len(labels), seed=seed, clusters=clusters)
    everything = np.arange(len(labels))
    metrics = []
    for name in names:
        found = [_difference(name, labels, scores, thresholds, places) for places in rows]
        low, high = np.quantile(found, (0.025, 0.975)) if found else (0.0, 0.0)
        value = _difference(name, labels, scores, thresholds, everything) if len(labels) else 0.0
        metrics.append(Metric(name=name, on=on, value=_short(value), low=_short(low), high=_short(high), n=len(labels)))
    return metrics


def _difference(name: str, labels: I64, scores: tuple[F64, F64], thresholds: tuple[float, float], places: I64) -> float:
    function = MEASURES[name]
    one, other = (function(labels[places], own[places], at) for own, at in zip(scores, thresholds, strict=True))
    return other - one


def _short(value: float) -> float:
    return round(float(value), 4)
