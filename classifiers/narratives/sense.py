"""What a post means, as the shipped encoder tells it: how likely each code is for the words that columns read.

Columns know the words of their lists; an encoder was taught by many texts what else says the same. It takes a few
milliseconds, so only posts are read that columns leave likely enough. Beside another encoder than the one it was
settled with, beside none, or where encoders are switched off, columns decide alone.
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
    """Which network is asked (the SHA-256 `network`, of the encoder called `encoder`), from which probability by
    columns on (`least`), which share of what is said is its own, and the calibration and threshold that then take the
    place of the model's."""

    encoder: str
    network: str
    share: float
    least: float
    calibration: Calibration
    threshold: float


class Sense:
    """Asks the encoder, which is opened at the first question, and gives its answer in the order of `codes`."""

    def __init__(self, settings: SenseSettings, codes: Sequence[str], open_encoder: OpenEncoder) -> None:
        self.settings = settings
        self._codes = tuple(codes)
        self._open = open_encoder
        self._encoder: CodeReader | None = None
        self._opened = False
        self._places: list[int] = []

    def shares(self, text: str) -> F32 | None:
        """How likely each code is by the meaning of the text; None where nobody can tell."""
        if not self._opened:  # opened twice at the same time, the same encoder is found twice
            self._encoder = self._open(self.settings.network)
            self._places = places_in(self._encoder.codes, self._codes) if self._encoder is not None else []
            self._opened = True
        return None if self._encoder is None else self._encoder.shares(text)[self._places]


def places_in(known: Sequence[str], codes: Sequence[str]) -> list[int]:
    """Where each of the codes stands among those that an encoder knows. Raises `ModelError` for one that it does not
    know."""
    places = {code: place for place, code in enumerate(known)}
    if missing := [code for code in codes if code not in places]:
        raise ModelError(f"an encoder is asked about {missing!r}; it knows {tuple(known)!r}")
    return [places[code] for code in codes]
