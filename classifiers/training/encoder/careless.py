"""How a row is read in an epoch: as it is, or spoilt as people's posts are, so that the network does not learn rows by
heart and is not put off by a slip of the finger, a figure for a letter, or what somebody is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from classifiers.encoder.reading import ENDS, MARKS, SOMEBODY, read_words
from classifiers.gender import GENDERED, other_gender

__all__ = ["Said", "Spoilt", "read_otherwise"]

_RATES = (0.1, 0.2, 0.35)
"""Of the words of a spoilt row, how many are: one of these."""
_SHORTEST = 3
_FIGURES: Mapping[str, str] = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_HIDING = ("*", ".", "_")
_MARKS_LEFT_OUT = 0.3
_SHOUTED = 0.3
"""Of spoilt rows, those that end in an exclamation mark."""


class Said(NamedTuple):
    """Words as the encoder reads them, the places of those that only name somebody, and the language."""

    words: tuple[str, ...]
    names: tuple[int, ...]
    language: str

    @property
    def text(self) -> str:
        """What is read of it as it is."""
        return " ".join(self.words)


class Spoilt(NamedTuple):
    """Shares of the rows: spelt carelessly, with names left out, read of the other gender (where that is known)."""

    careless: float = 0.0
    nameless: float = 0.0
    other_gender: float = 0.0


def read_otherwise(said: Said, spoilt: Spoilt, draw: np.random.Generator) -> str:
    """The text of one epoch."""
    words = list(said.words)
    if said.names and draw.random() < spoilt.nameless:
        for place in said.names:
            words[place] = SOMEBODY + words[place][len(words[place].rstrip(MARKS)) :]
    if said.language in GENDERED and draw.random() < spoilt.other_gender:
        words = other_gender(" ".join(words), said.language).split(" ")
    if words and draw.random() < spoilt.careless:
        words = _carelessly(words, draw)
    return " ".join(words)


def _carelessly(words: list[str], draw: np.random.Generator) -> list[str]:
    rate = _RATES[int(draw.integers(len(_RATES)))]
    found = [_slip(word, draw) if len(word) >= _SHORTEST and draw.random() < rate else word for word in words]
    ends = draw.random()
    if ends < _MARKS_LEFT_OUT:
        found = [word.strip(ENDS) or word for word in found]
    elif ends < _MARKS_LEFT_OUT + _SHOUTED:
        found[-1] = found[-1].rstrip(ENDS) + "!"
    return read_words(" ".join(found)).text().split(" ")


def _slip(word: str, draw: np.random.Generator) -> str:
    """Two letters swapped, one lost, one drawn out, figures for letters, or one hidden behind a sign: what the analyser
    undoes of it is as if it had not been."""
    at, kind = int(draw.integers(len(word) - 1)), draw.random()
    before, letter, after = word[:at], word[at], word[at + 1 :]
    if kind < 0.4:
        return before + after[0] + letter + after[1:]
    if kind < 0.55:
        return before + after
    if kind < 0.65:
        return before + letter * int(draw.integers(2, 5)) + after
    if kind < 0.85 and any(sign in _FIGURES for sign in word):
        return "".join(_FIGURES.get(sign, sign) if draw.random() < 0.6 else sign for sign in word)
    return before + _HIDING[int(draw.integers(len(_HIDING)))] + after
