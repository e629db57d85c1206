"""How long to go on asking nodes that say that they are overloaded."""

from __future__ import annotations

import random

from hustings.clock import Clock

__all__ = ["OVERLOADED", "Patience"]

OVERLOADED = (429, 502, 503, 504)
"""Answers that mean: not now. A full disk is one of them (429), as is a node that has no memory left for a request."""

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0


class Patience:
    """For one piece of work: pauses that double, each a random part of its length, so that workers that were refused
    together do not come back together."""

    def __init__(self, clock: Clock, *, for_s: float) -> None:
        self._clock = clock
        self._until = clock.monotonic() + for_s
        self._pause_s = FIRST_PAUSE_S

    def wait(self) -> bool:
        """Let a pause pass; False, at once, when the time is up."""
        left_s = self._until - self._clock.monotonic()
        if left_s <= 0:
            return False
        self._clock.sleep(min(left_s, self._pause_s * random.uniform(0.5, 1.0)))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return True
