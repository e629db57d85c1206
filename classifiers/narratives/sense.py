"""What a post means, as the shipped encoder tells it: how likely each code is for the words that columns read.

Columns know the words of their lists; an encoder was taught by many texts what else says the same. It takes a few
milliseconds, so only posts are read that are worth it: by columns and by what the encoder's own head for that says
(`classifiers.encoder.worth`), or by the latter alone where a post speaks of nothing that columns know. Beside another
encoder than the one it was settled with, beside none, or where encoders are switched off, columns decide alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from classifiers.encoder.asked import Asked, OpenEncoder
from classifiers.manifest import Calibration
from classifiers.spelling import Spelling

__all__ = ["Sense", "SenseSettings"]


class SenseSettings(NamedTuple):
    """Which network is asked (the SHA-256 `network`, of the encoder called `encoder`), and about which posts: those of
    which the margin by columns and `weight` times that of worth are `least` together; and of posts that speak of
    nothing that columns know those with a margin of worth of `least_else`. Which `share` of what is said is its own,
    and the calibrations, `calibration_else` of the latter posts, and threshold that take the place of the model's. Of
    posts that it is asked about those are read to the end for which its first layers guess enough: `early_weight`,
    `least_early` and `least_early_else` are to their guess what `weight`, `least` and `least_else` are to worth."""

    encoder: str
    network: str
    weight: float
    least: float
    least_else: float
    share: float
    calibration: Calibration
    calibration_else: Calibration
    threshold: float
    early_weight: float = 0.0
    least_early: float = -math.inf
    least_early_else: float = -math.inf


class Sense(Asked):
    """Asks the encoder that it was settled with about the codes of a language's columns."""

    def __init__(
        self,
        settings: SenseSettings,
        codes: Sequence[str],
        open_encoder: OpenEncoder,
        *,
        language: str = "",
        spelling: Spelling,
    ) -> None:
        super().__init__(settings.network, "elections", codes, open_encoder, language=language, spelling=spelling)
        self.settings = settings

    def asks(self, margin: float | None, worth: float) -> bool:
        """Whether the encoder is asked about a post with that margin by columns, None where it speaks of nothing."""
        if margin is None:
            return worth >= self.settings.least_else
        return margin + self.settings.weight * worth >= self.settings.least

    def reads_on(self, margin: float | None, early: float) -> bool:
        """Whether a post that it is asked about is read to the end, whose text the first layers guess that of."""
        if margin is None:
            return early >= self.settings.least_early_else
        return margin + self.settings.early_weight * early >= self.settings.least_early
