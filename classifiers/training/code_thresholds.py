"""From which probability on each of many codes is flagged, so that together they spare protected speech."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Threshold
from classifiers.narratives.seeds import PROTECTED
from classifiers.narratives.step import FLAGGED_PROTECTED, flagged_codes
from classifiers.training.many_codes import labels_of
from classifiers.training.measures import curve

__all__ = ["MOST_WRONG", "Choice", "choose_thresholds", "flags_of"]

MOST_WRONG = 0.05
"""Share of protected sentences that may get any code of harm, all codes together."""
PRECISIONS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Wanted of each code, the least first; more is asked of all until the share above is kept."""
FEWEST_FLAGGED = 8
"""A precision over fewer sentences than this is no reason for a threshold."""

F64 = NDArray[np.float64]


class Choice(NamedTuple):
    """Thresholds of the codes that have one, why the others abstain, and the precision that was asked of each."""

    thresholds: dict[str, Threshold]
    abstain: dict[str, str]
    precision: float


def choose_thresholds(scores: Mapping[str, F64], codes: Sequence[str], *, by: str, at: str, on: str) -> Choice:
    """`scores[code]` are probabilities of sentences whose own codes are `codes`, none of which that model was trained
    on."""
    choices = (_choice(scores, codes, precision, by=by, at=at, on=on) for precision in PRECISIONS)
    for choice in choices:
        flagged = flags_of(scores, {code: one.value for code, one in choice.thresholds.items()})
        wrong = [not code.startswith(PROTECTED) for own in _of_protected(flagged, codes) for code in own[:1]]
        if sum(wrong) <= MOST_WRONG * sum(code.startswith(PROTECTED) for code in codes):
            break
    return choice


def flags_of(scores: Mapping[str, F64], thresholds: Mapping[str, float]) -> list[list[str]]:
    """What the step would flag of each sentence."""
    rows = zip(*(own.tolist() for own in scores.values()), strict=True)
    return [flagged_codes(dict(zip(scores, row, strict=True)), thresholds) for row in rows]


def _of_protected(flagged: Sequence[list[str]], codes: Sequence[str]) -> list[list[str]]:
    return [own for own, code in zip(flagged, codes, strict=True) if code.startswith(PROTECTED)]


def _choice(scores: Mapping[str, F64], codes: Sequence[str], precision: float, *, by: str, at: str, on: str) -> Choice:
    thresholds, abstain = {}, {}
    for code, own in scores.items():
        if code.startswith(PROTECTED) and code not in FLAGGED_PROTECTED:
            abstain[code] = "a score only: no harm, and nothing that rules ask for"
            continue
        labels = labels_of(code, codes)
        reached, recall, at_score = curve(labels, own)
        count = np.round(recall * labels.sum() / np.maximum(reached, 1e-12))
        good = np.flatnonzero((reached >= precision) & (count >= FEWEST_FLAGGED))
        if not len(good):
            abstain[code] = (
                f"precision of {precision:.2f} is reached by no threshold that flags {FEWEST_FLAGGED} of the sentences"
            )
            continue
        place = int(good[-1])
        thresholds[code] = Threshold(
            value=float(at_score[place]),
            reason=f"lowest score with precision of at least {precision:.2f}; so much is asked of every code that at "
            f"most {MOST_WRONG:.0%} of protected sentences get any code of harm",
            chosen_by=by,
            chosen_at=at,
            chosen_on=on,
            precision=round(float(reached[place]), 4),
            recall=round(float(recall[place]), 4),
        )
    return Choice(thresholds, abstain, precision)
