"""What of a post the encoder reads for abuse, and what it makes of it: a short post as it is, of a longer one the
sentences that are worth most, so that chatter around an insult dilutes nothing and a report keeps what makes it one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked
from classifiers.encoder.said import MOST_READ, WHOLE, Said, windows
from hustings.text import locate

__all__ = [
    "MOST_SENTENCES",
    "Sentences",
    "Shares",
    "read_for_abuse",
    "sentence_starts",
    "sentences_of",
    "windows_by_sentence",
]

MOST_SENTENCES = 3
"""Readings of one post."""
_FEWEST_WORDS = 3
"""A sentence with fewer goes with the next one."""
_END = re.compile(r"[.!?…।؟\n]")

Sentences = Callable[[], Sequence[int]]
"""Places of the tokens with which sentences begin; asked for long posts only."""


class Shares(NamedTuple):
    """How likely each code is, by the window from `begin` to `end` that says most."""

    shares: NDArray[np.float32]
    begin: int
    end: int


def read_for_abuse(asked: Asked, tokens: Sequence[str], sentences: Sentences, said: Said) -> Shares | None:
    """None where nobody can be asked."""
    places = [(0, len(tokens))] if len(tokens) <= WHOLE else windows_by_sentence(len(tokens), sentences())
    worth = asked.worth([tokens[begin:end] for begin, end in places]) if len(places) > 1 else [0.0]
    if worth is None:
        return None
    best: Shares | None = None
    for place in np.argsort(-np.array(worth), kind="stable")[:MOST_SENTENCES].tolist():
        begin, end = places[place]
        shares = asked.shares(said(begin, end))
        if shares is None:
            return None
        if best is None or shares.sum() > best.shares.sum():
            best = Shares(shares, begin, end)
    return best


def windows_by_sentence(many: int, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Of a post with so many tokens its sentences, which begin at `starts`; of a sentence longer than `WHOLE` its
    windows. What stands behind `MOST_READ` tokens is not read."""
    many = min(many, MOST_READ)
    begins = [0]
    for start in sorted(starts):
        if start - begins[-1] >= _FEWEST_WORDS and start < many:
            begins.append(start)
    pairs = zip(begins, [*begins[1:], many], strict=True)
    return [window for begin, end in pairs for window in windows(end, begin)]


def sentence_starts(*parts: str) -> list[int]:
    """Places, among the tokens of all parts, of those that begin a sentence or a line; a part begins one."""
    found, before = [], 0
    for part in parts:
        located = locate(part)
        end = -1
        for place, (start, stop) in enumerate(located.spans):
            if end < 0 or (start >= end and _END.search(part, end, start)):
                found.append(before + place)
            end = max(end, stop)
        before += len(located.tokens)
    return found


def sentences_of(parts: Sequence[str], origins: Sequence[int]) -> Sentences:
    """The same among tokens of which each stands for that of `origins`."""

    def starts() -> list[int]:
        begins = np.searchsorted(np.array(origins), np.array(sentence_starts(*parts)))
        found: list[int] = np.unique(begins).tolist()
        return found

    return starts
