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
_TOLERANCE = 0.012
"""Average precision that a smaller share of the encoder may cost. The more the linear head has to say, the better its
score tells which posts need not be read: on EDOS dev .01 of it cut the ordinary posts that are read to a quarter."""
_FEWEST_SURE = 60
"""Rows above a linear score that must all be flagged by the encoder before such posts are left to the linear head: of
60 without an exception, fewer than one in twenty of their kind is one (95 %)."""
_SHARES = tuple(round(place / 20, 2) for place in range(21))


class Evidence(NamedTuple):
    """Rows of one head: labels, the encoder's logits, the linear head's scores, a fold for each which no near-copy
    straddles, and the linear head's threshold: what it would flag is read, unless the encoder would flag it anyhow."""

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
    sure_from: float | None

    def scores(self, evidence: Evidence) -> F64:
        """The probabilities, as serving rounds them."""
        return np.round(probabilities(_margins(evidence, self.share), self.calibration), DECIMALS)

    def cascade(self, evidence: Evidence, keep: float) -> F64:
        """The scores of the pipeline, in which only posts are read of which the linear head is not sure."""
        return np.where(self.asks(evidence, keep), self.scores(evidence), evidence.linear)

    def asks(self, evidence: Evidence, keep: float) -> NDArray[np.bool_]:
        """Which rows are read."""
        from_score = next(point.from_score for point in self.keeps if point.keep >= keep)
        high_enough = evidence.linear >= (from_score if self.asked_from is None or keep >= 1.0 else self.asked_from)
        return high_enough & (evidence.linear < _end(self.sure_from, keep))


def choose(
    evidence: Evidence, *, precision: float, by: str, at: str, on: str, asked_from: float | None = None
) -> Chosen:
    """The smallest share whose average precision is within `_TOLERANCE` of the best, Platt scaling, the lowest
    threshold with `precision`, the linear score from which on every row is flagged when all are read, and the trade-off
    of keeping against reading."""
    areas = {share: average_precision(evidence.labels, _margins(evidence, share)) for share in _SHARES}
    share = next(share for share, area in areas.items() if area >= max(areas.values()) - _TOLERANCE)
    calibration = platt(_margins(evidence, share), evidence.labels)
    scores = np.round(probabilities(_margins(evidence, share), calibration), DECIMALS)
    threshold = threshold_for(evidence.labels, scores, precision=precision, by=by, at=at, on=on)
    flagged = scores >= threshold.value
    sure_from = _sure_from(evidence, flagged, threshold.value)
    right = np.sort(evidence.linear[flagged & (evidence.labels == 1)])
    keeps = tuple(_keep(right, evidence, keep, sure_from) for keep in KEEPS)
    return Chosen(share, calibration, threshold, keeps, asked_from, sure_from)


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


def kept_recall(evidence: Evidence, everywhere: F64, asked: NDArray[np.bool_], threshold: float) -> float:
    """The share of the right flags of the encoder on all posts that reading only the asked ones gives too: a post that
    is not read has the linear head's flag or none."""
    right = (evidence.labels == 1) & (everywhere >= threshold)
    found = asked | (evidence.linear >= evidence.linear_threshold)
    return float(found[right].mean()) if right.any() else 1.0


def _margins(evidence: Evidence, share: float) -> F64:
    linear = np.array([log_odds(score) for score in evidence.linear.tolist()])
    margins: F64 = share * evidence.logits + (1.0 - share) * linear
    return margins


def _sure_from(evidence: Evidence, flagged: NDArray[np.bool_], threshold: float) -> float | None:
    """Just above the highest linear score of a row that reading takes the flag from or gives none; None when too few
    rows lie above it to tell."""
    highest = float(evidence.linear[~flagged].max(initial=0.0))
    sure_from = max(round(highest + 10.0**-DECIMALS, DECIMALS), evidence.linear_threshold, threshold)
    return sure_from if int((evidence.linear >= sure_from).sum()) >= _FEWEST_SURE else None


def _end(sure_from: float | None, keep: float) -> float:
    """Linear scores below this one are read."""
    return sure_from if sure_from is not None and keep < 1.0 else math.inf


def _keep(right: F64, evidence: Evidence, keep: float, sure_from: float | None) -> Keep:
    """`right` are the linear scores, rising, of what is to be kept."""
    dropped = math.floor((1.0 - keep) * len(right) + 1e-9)
    from_score = min(float(right[dropped]), evidence.linear_threshold) if keep < 1.0 and len(right) else 0.0
    read = (evidence.linear >= from_score) & (evidence.linear < _end(sure_from, keep))
    return Keep(keep=keep, from_score=from_score, read=round(float(read.mean()), 4))
