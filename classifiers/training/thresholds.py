"""Where a probability becomes a flag: the lowest score with the precision that was asked for, or where macro-F1 is
highest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Threshold
from classifiers.training.measures import curve

__all__ = ["threshold_for"]

_FEWEST_FLAGGED = 30
"""A precision over fewer posts than this, or than half of the positives, is no reason for a threshold."""


def threshold_for(
    labels: NDArray[np.int64], scores: NDArray[np.float64], *, precision: float | None, by: str, at: str, on: str
) -> Threshold:
    """The lowest score from which on upwards every threshold with enough flagged posts has at least `precision`;
    where the head never gets there, the most precise one, and the reason says so. None: that of the highest macro-F1.
    """
    reached, recall, at_score = curve(labels, scores)
    if precision is None:
        place = int(np.argmax(_macro_f1(labels, reached, recall)))
        return _threshold(labels, scores, float(at_score[place]), "highest macro-F1", by=by, at=at, on=on)
    flagged = np.round(recall * labels.sum() / np.maximum(reached, 1e-12))
    counted = flagged >= min(_FEWEST_FLAGGED, int(labels.sum()) // 2)
    enough = ~counted | (reached >= precision)
    good = int(np.argmin(enough)) if not enough.all() else len(enough)
    if good and counted[good - 1]:
        place, reason = good - 1, f"lowest score with precision of at least {precision:.2f}"
    else:
        place = int(np.argmax(np.where(counted, reached, -1.0)))
        reason = f"highest precision of this head; {precision:.2f} was wanted and is never reached"
    return _threshold(labels, scores, float(at_score[place]), reason, by=by, at=at, on=on)


def _macro_f1(
    labels: NDArray[np.int64], precision: NDArray[np.float64], recall: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Macro-F1 at every point of a curve."""
    positives = int(labels.sum())
    right = recall * positives
    flagged = np.round(right / np.maximum(precision, 1e-12))
    rightly_left = len(labels) - positives - (flagged - right)
    both: NDArray[np.float64] = right / (flagged + positives) + rightly_left / (2 * len(labels) - flagged - positives)
    return both


def _threshold(
    labels: NDArray[np.int64], scores: NDArray[np.float64], value: float, reason: str, *, by: str, at: str, on: str
) -> Threshold:
    chosen = scores >= value
    return Threshold(
        value=value,
        reason=reason,
        chosen_by=by,
        chosen_at=at,
        chosen_on=on,
        precision=round(float(labels[chosen].mean()), 4),
        recall=round(float(labels[chosen].sum() / max(int(labels.sum()), 1)), 4),
    )
