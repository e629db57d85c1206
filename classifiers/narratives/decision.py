"""Whether a post is flagged: who has the say where columns and likeness to an example differ."""

from __future__ import annotations

from typing import NamedTuple

from classifiers.narratives.reader import FLAGGED_HARM, Reading
from classifiers.narratives.resemblance import FLAGGED_PROTECTED, Alike

__all__ = ["AGREED", "Decision", "Told"]

AGREED = 0.75
"""How likely harm must be by the columns for a post to be flagged for its likeness to an example."""


class Told(NamedTuple):
    """A reading, how likely it is harm, and from which probability on the post is flagged."""

    reading: Reading
    score: float
    threshold: float

    @property
    def is_enough(self) -> bool:
        return self.score >= self.threshold


class Decision(NamedTuple):
    """Whether a post is flagged, by what, and how likely it is harm. `told` is what columns and meaning say, `alike`
    what likeness does; None where that says nothing. A post that is alike enough is flagged for it or not at all."""

    told: Told | None
    alike: Alike | None

    @property
    def decisive(self) -> Alike | None:
        """What likeness says where that is enough: it has the say then."""
        return self.alike if self.alike is not None and self.alike.is_enough else None

    @property
    def is_flagged(self) -> bool:
        decisive = self.decisive
        if decisive is None:
            return self.told is not None and self.told.is_enough
        if not decisive.code.startswith(FLAGGED_HARM):
            return True
        return self.told is not None and self.told.score >= AGREED

    @property
    def is_harm(self) -> bool:
        """Whether the post is flagged as harm, and not as what only looks like it."""
        return self.is_flagged and (self.decisive is None or self.decisive.code not in FLAGGED_PROTECTED)

    @property
    def harm(self) -> float:
        """How likely it is by what flags the post, else by columns and meaning; 0 where these say nothing."""
        if self.decisive is not None and self.is_flagged:
            return self.decisive.harm
        return 0.0 if self.told is None else self.told.score
