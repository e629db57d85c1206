"""What likeness to plain examples says of a post: how likely it is harm, and whether that is enough for a flag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration
from classifiers.narratives.likeness import FLOOR, Likeness

__all__ = ["FLAGGED_PROTECTED", "Alike", "Resemblance"]

FLAGGED_PROTECTED = frozenset({"X-COUNTER", "X-OFFICIAL", "X-SATIRE"})
"""Protected codes that become flags, on posts that look like a narrative and are none: rules and stories tell answers,
notices and jokes from claims by them. The other protected codes are scores only."""


class Alike(NamedTuple):
    """`harm` is how likely the post is harm, `scores` those of the nearest narrative and of the nearest protected code.
    `code` is the one of them that may be flagged, from `threshold` on, and `is_enough` says that it is like enough."""

    harm: float
    scores: Mapping[str, float]
    code: str
    threshold: float
    is_enough: bool


class Resemblance(NamedTuple):
    """Likeness with what was settled for it: how a margin becomes a probability, and from which one on a post is
    flagged as a narrative, or as protected speech that answers one."""

    likeness: Likeness
    calibration: Calibration
    threshold: float
    protected_threshold: float

    def compare(self, tokens: Sequence[str]) -> Alike | None:
        """None for a post that is like no example."""
        verdict = self.likeness.compare(tokens)
        if verdict is None or max(verdict.likeness, verdict.protected_likeness) < FLOOR:
            return None
        harm = round(self.calibration.probability(verdict.margin), DECIMALS)
        scores = {verdict.code: harm, verdict.protected_code: round(1.0 - harm, DECIMALS)}
        code, threshold, near = verdict.code, self.threshold, verdict.likeness
        if verdict.margin < 0 and verdict.protected_code in FLAGGED_PROTECTED:
            code, threshold, near = verdict.protected_code, self.protected_threshold, verdict.protected_likeness
        return Alike(harm, scores, code, threshold, scores[code] >= threshold and near >= FLOOR)
