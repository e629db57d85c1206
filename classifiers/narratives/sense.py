"""What a post means, as the shipped encoder tells it: how likely each code is for the words that columns read.

Columns know the words of their lists; an encoder was taught by many texts what else says the same. It takes a few
milliseconds, so only posts are read that are worth it: by columns and by what the encoder's own head for that says
(`classifiers.encoder.worth`), or by the latter alone where a post speaks of nothing that columns know. Beside another
encoder than the one it was settled with, beside none, or where encoders are switched off, columns decide alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.codes import CodeReader
from classifiers.manifest import Calibration
from hustings.errors import ModelError

__all__ = ["OpenEncoder", "Sense", "SenseSettings", "places_in"]

OpenEncoder = Callable[[str], "CodeReader | None"]
"""The encoder whose network has that SHA-256; None where there is none."""

F32 = NDArray[np.float32]


class SenseSettings(NamedTuple):
    """Which network is asked (the SHA-256 `network`, of the encoder called `encoder`), and about which posts: those of
    which the margin by columns and `weight` times that of worth are `least` together; and of posts that speak of
    nothing that columns know those with a margin of worth of `least_else`. Which `share` of what is said is its own,
    and the calibrations, `calibration_else` of the latter posts, and threshold that take the place of the model's."""

    encoder: str
    network: str
    weight: float
    least: float
    least_else: float
    share: float
    calibration: Calibration
    calibration_else: Calibration
    threshold: float


class Sense:
    """Asks the encoder, which is opened at the first question, and gives its answers in the order of `codes`."""

    def __init__(
        self, settings: SenseSettings, codes: Sequence[str], open_encoder: OpenEncoder, language: str = ""
    ) -> None:
        self.settings = settings
        self._language = language
        self._codes = tuple(codes)
        self._open = open_encoder
        self._encoder: CodeReader | None = None
        self._opened = False
        self._places: list[int] = []

    def worth(self, posts: Sequence[Sequence[str]]) -> list[float] | None:
        """How much each of the posts, given by its tokens, is worth asking about; None where nobody can be asked."""
        encoder = self._opened_encoder()
        return None if encoder is None else encoder.worth.margins(posts, self._language).tolist()

    def asks(self, margin: float | None, worth: float) -> bool:
        """Whether the encoder is asked about a post with that margin by columns, None where it speaks of nothing."""
        if margin is None:
            return worth >= self.settings.least_else
        return margin + self.settings.weight * worth >= self.settings.least

    def most_telling(self, parts: Sequence[Sequence[str]]) -> int:
        """Which of the parts of a post to ask about."""
        encoder = self._opened_encoder()
        return 0 if encoder is None else encoder.worth.most_telling(parts, self._language)

    def shares(self, text: str) -> F32 | None:
        """How likely each code is by the meaning of the text; None where nobody can tell."""
        encoder = self._opened_encoder()
        return None if encoder is None else encoder.shares(text)[self._places]

    def _opened_encoder(self) -> CodeReader | None:
        if not self._opened:  # opened twice at the same time, the same encoder is found twice
            self._encoder = self._open(self.settings.network)
            self._places = places_in(self._encoder.codes, self._codes) if self._encoder is not None else []
            self._opened = True
        return self._encoder


def places_in(known: Sequence[str], codes: Sequence[str]) -> list[int]:
    """Where each of the codes stands among those that an encoder knows. Raises `ModelError` for one that it does not
    know."""
    places = {code: place for place, code in enumerate(known)}
    if missing := [code for code in codes if code not in places]:
        raise ModelError(f"an encoder is asked about {missing!r}; it knows {tuple(known)!r}")
    return [places[code] for code in codes]
