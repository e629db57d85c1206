"""What a divided network says of texts. What was read lately is remembered: several models ask about one post, first
for a guess, then for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import F64, Begun, DividedSession
from classifiers.memory import Memory
from classifiers.softmax import softmax

__all__ = ["Opinions"]

_MOST_REMEMBERED = 2048
_LONGEST_REMEMBERED = 2000
"""Characters."""


class Opinions:
    """Of each text the guesses of the first layers, [topics] log-odds, and how likely each output is."""

    def __init__(self, session: DividedSession) -> None:
        self._session = session
        self._early = Memory(self._guessed, _MOST_REMEMBERED)
        self._shares = Memory(self._read, _MOST_REMEMBERED)
        self._last: tuple[str, Begun] | None = None

    def early(self, text: str) -> F64:
        """[topics]."""
        return self._early[text] if len(text) <= _LONGEST_REMEMBERED else self._guessed(text)

    def shares(self, text: str) -> NDArray[np.float32]:
        """[outputs], which add up to 1."""
        return self._shares[text] if len(text) <= _LONGEST_REMEMBERED else self._read(text)

    def _guessed(self, text: str) -> F64:
        begun = self._session.begin(text)
        self._last = (text, begun)  # alone, for what the others go on from is large
        begun.early.setflags(write=False)  # remembered: whoever asks gets the same array
        return begun.early

    def _read(self, text: str) -> NDArray[np.float32]:
        last = self._last
        begun = last[1] if last is not None and last[0] == text else self._session.begin(text)
        shares = softmax(self._session.finish(begun)).astype(np.float32)
        shares.setflags(write=False)
        return shares
