"""From margins to probabilities: Platt scaling, by Newton's method, with Platt's own smoothed targets (1999)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Calibration

__all__ = ["platt", "probabilities"]

F64 = NDArray[np.float64]
_STEPS = 50


def platt(margins: F64, labels: NDArray[np.int64]) -> Calibration:
    """Slope and intercept that make the margins' logistic the likeliest for `labels`. The margins must be of rows that
    the weights were not trained on."""
    positives = int(labels.sum())
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    design = np.stack((margins, np.ones_like(margins)))
    beta = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        scores = 1 / (1 + np.exp(-np.clip(beta @ design, -30, 30)))
        curvature = (design * (scores * (1 - scores) + 1e-9)) @ design.T
        step = np.linalg.solve(curvature, design @ (targets - scores))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return Calibration(slope=round(float(beta[0]), 6), intercept=round(float(beta[1]), 6))


def probabilities(margins: F64, calibration: Calibration) -> F64:
    """The calibrated probability of each margin."""
    scores: F64 = 1 / (1 + np.exp(-(calibration.slope * margins + calibration.intercept)))
    return scores
