"""Where a probability becomes a flag: the lowest score with the precision that was asked for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Threshold
from classifiers.training.measures import curve

__all__ = ["threshold_for", "withheld_score"]

_FEWEST_FLAGGED = 30
"""A precision over fewer posts than this, or than half of the positives, is no reason for a threshold."""
_WITHHELD = 1.2
"""How far below the threshold a withheld flag is put, in log-odds."""


def threshold_for(
    labels: NDArray[np.int64], scores: NDArray[np.float64], *, precision: float, by: str, at: str, on: str
) -> Threshold:
    """The lowest score from which on upwards every threshold with enough flagged posts has at least `precision`;
    where the head never gets there, the most precise one, and the reason says so."""
    reached, recall, at_score = curve(labels, scores)
    flagged = np.round(recall * labels.sum() / np.maximum(reached, 1e-12))
    counted = flagged >= min(_FEWEST_FLAGGED, int(labels.sum()) // 2)
    enough = ~counted | (reached >= precision)
    good = int(np.argmin(enough)) if not enough.all() else len(enough)
    if good and counted[good - 1]:
        place, reason = good - 1, f"lowest score with precision of at least {precision:.2f}"
    else:
        place = int(np.argmax(np.where(counted, reached, -1.0)))
        reason = f"highest precision of this head; {precision:.2f} was wanted and is never reached"
    value = float(at_score[place])
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


def withheld_score(threshold: float) -> float:
    """The most that a post scores whose flag is withheld: so little that an encoder seldom reads it again."""
    return 1 / (1 + math.exp(_WITHHELD) * (1 - threshold) / threshold)
