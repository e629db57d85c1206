"""How an encoder's logit and a linear head's score become one probability, and from which linear score on it is asked.

Everything is chosen on rows that neither of them was trained on. What choosing there flatters is measured: the same
choices are made on four fifths of the rows and judged on the fifth, five times over.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.heads import Keep, log_odds
from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Threshold
from classifiers.training.calibration import platt, probabilities
from classifiers.training.measures import average_precision
from classifiers.training.thresholds import threshold_for

__all__ = ["KEEPS", "Chosen", "Evidence", "choose", "cross_choose", "kept_recall"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

KEEPS = (0.9, 0.95, 0.98, 0.985, 0.99, 1.0)
_TOLERANCE = 0.005
"""Average precision that a smaller share of the encoder may cost. The more the linear head has to say, the better its
score tells which posts need not be read: on EDOS dev .003 of it cut the ordinary posts that are read to a third."""
_SHARES = tuple(round(place / 20, 2) for place in range(21))


class Evidence(NamedTuple):
    """Rows of one head: labels, the encoder's logits, the linear head's scores, a fold for each which no near-copy
    straddles, and the linear head's threshold: what it would flag is always read."""

    labels: I64
    logits: F64
    linear: F64
    fold: NDArray[np.intp]
    linear_threshold: float

    def rows(self, which: NDArray[np.bool_]) -> Evidence:
        return self._replace(
            labels=self.labels[which], logits=self.logits[which], linear=self.linear[which], fold=self.fold[which]
        )


class Chosen(NamedTuple):
    """What `EncoderHead` holds of a head, but for its names."""

    share: float
    calibration: Calibration
    threshold: Threshold
    keeps: tuple[Keep, ...]
    asked_from: float | None

    def scores(self, evidence: Evidence) -> F64:
        """The probabilities, as serving rounds them."""
        return np.round(probabilities(_margins(evidence, self.share), self.calibration), DECIMALS)

    def cascade(self, evidence: Evidence, keep: float) -> F64:
        """The scores of the pipeline, in which only posts of a high enough linear score are read."""
        return np.where(self.asks(evidence, keep), self.scores(evidence), evidence.linear)

    def asks(self, evidence: Evidence, keep: float) -> NDArray[np.bool_]:
        """Which rows are read."""
        from_score = next(point.from_score for point in self.keeps if point.keep >= keep)
        return evidence.linear >= (from_score if self.asked_from is None or keep >= 1.0 else self.asked_from)


def choose(
    evidence: Evidence, *, precision: float, by: str, at: str, on: str, asked_from: float | None = None
) -> Chosen:
    """The smallest share whose average precision is within `_TOLERANCE` of the best, Platt scaling, the lowest
    threshold with `precision`, and the trade-off of keeping against reading."""
    areas = {share: average_precision(evidence.labels, _margins(evidence, share)) for share in _SHARES}
    share = next(share for share, area in areas.items() if area >= max(areas.values()) - _TOLERANCE)
    calibration = platt(_margins(evidence, share), evidence.labels)
    scores = np.round(probabilities(_margins(evidence, share), calibration), DECIMALS)
    threshold = threshold_for(evidence.labels, scores, precision=precision, by=by, at=at, on=on)
    right = np.sort(evidence.linear[(scores >= threshold.value) & (evidence.labels == 1)])
    return Chosen(share, calibration, threshold, tuple(_keep(right, evidence, keep) for keep in KEEPS), asked_from)


def cross_choose(
    evidence: Evidence, *, precision: float, keep: float, asked_from: float | None = None
) -> tuple[F64, F64, NDArray[np.bool_]]:
    """Per row, as chosen on the other folds: the score with the encoder on all, that of the cascade, and whether the
    encoder would be asked."""
    everywhere, cascade = np.zeros(len(evidence.labels)), np.zeros(len(evidence.labels))
    asked = np.zeros(len(evidence.labels), dtype=bool)
    for fold in sorted(set(evidence.fold.tolist())):
        held_out = evidence.fold == fold
        chosen = choose(evidence.rows(~held_out), precision=precision, by="", at="", on="", asked_from=asked_from)
        judged = evidence.rows(held_out)
        everywhere[held_out] = chosen.scores(judged)
        cascade[held_out] = chosen.cascade(judged, keep)
        asked[held_out] = chosen.asks(judged, keep)
    return everywhere, cascade, asked


def kept_recall(labels: I64, everywhere: F64, asked: NDArray[np.bool_], threshold: float) -> float:
    """The share of the right flags of the encoder on all posts that reading only the asked ones gives too: a post that
    is not read has no flag."""
    right = (labels == 1) & (everywhere >= threshold)
    return float(asked[right].mean()) if right.any() else 1.0


def _margins(evidence: Evidence, share: float) -> F64:
    linear = np.array([log_odds(score) for score in evidence.linear.tolist()])
    margins: F64 = share * evidence.logits + (1.0 - share) * linear
    return margins


def _keep(right: F64, evidence: Evidence, keep: float) -> Keep:
    """`right` are the linear scores, rising, of what is to be kept."""
    dropped = math.floor((1.0 - keep) * len(right) + 1e-9)
    from_score = min(float(right[dropped]), evidence.linear_threshold) if keep < 1.0 and len(right) else 0.0
    return Keep(keep=keep, from_score=from_score, read=round(float((evidence.linear >= from_score).mean()), 4))
