"""From margins to probabilities: Platt scaling, by Newton's method, with Platt's own smoothed targets (1999), and knots
that bend it where the data do not follow a logistic."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.score import calibrated
from classifiers.manifest import Calibration

__all__ = ["bent", "margin_of", "platt", "probabilities"]

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
        while _loss(beta + step, design, targets) > _loss(beta, design, targets) and float(np.abs(step).max()) > 1e-10:
            step = step / 2  # a whole step may leap over the best place, where margins are far from log-odds
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return Calibration(slope=round(float(beta[0]), 6), intercept=round(float(beta[1]), 6))


def bent(platt_scaled: Calibration, margins: F64, labels: NDArray[np.int64], knots: int) -> Calibration:
    """The calibration with so many knots: one for each part of equal size of the rows, at its mean log-odds and the
    log-odds of its share of positives. The knots rise: parts that do not are made one (isotonic regression)."""
    log_odds = platt_scaled.slope * margins + platt_scaled.intercept
    order = np.argsort(log_odds, kind="stable")
    parts: list[NDArray[np.intp]] = []
    for part in np.array_split(order, knots):
        parts.append(part)
        while len(parts) > 1 and _share(labels[parts[-1]]) <= _share(labels[parts[-2]]):
            parts[-2:] = [np.concatenate(parts[-2:])]
    found = [(float(log_odds[part].mean()), _log_odds(_share(labels[part]))) for part in parts]
    rounded = tuple((round(at, 6), round(right, 6)) for at, right in found)
    return Calibration(slope=platt_scaled.slope, intercept=platt_scaled.intercept, knots=rounded)


def margin_of(score: float, calibration: Calibration) -> float:
    """The margin whose probability is `score`."""
    log_odds = _log_odds(score)
    if calibration.knots:
        at, right = np.array(calibration.knots).T
        log_odds = float(np.interp(log_odds, right, at)) + log_odds - float(np.clip(log_odds, right[0], right[-1]))
    return (log_odds - calibration.intercept) / calibration.slope


def _loss(beta: F64, design: F64, targets: F64) -> float:
    margins = beta @ design
    return float(np.sum(np.logaddexp(0.0, margins) - targets * margins))


def probabilities(margins: F64, calibration: Calibration) -> F64:
    """The calibrated probability of each margin."""
    return calibrated(margins, calibration)


def _share(labels: NDArray[np.int64]) -> float:
    """Positives among these, half of one added to either side so that it is never 0 or 1."""
    return float((labels.sum() + 0.5) / (len(labels) + 1))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))
