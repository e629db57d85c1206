"""Which texts are near-copies of each other: the character 5-grams of both have a Jaccard similarity of at least .6."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

__all__ = ["near_copies", "near_pairs"]

_SIZE = 5
_NEAR = 0.6
_SHARED = 3
"""How many of their telling grams two texts must share to be compared at all: the most, so that few are."""


def near_pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs among these texts, the same text twice among them."""
    ordered = _rarest_first(texts)
    seen = _Seen()
    found = []
    for place, own in enumerate(ordered):
        found += [(texts[other], texts[place]) for other in seen.near(own)]
        seen.add(own)
    return found


def near_copies(texts: Sequence[str], others: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs of one of the texts and one of the others."""
    ordered = _rarest_first([*others, *texts])
    seen = _Seen()
    for own in ordered[: len(others)]:
        seen.add(own)
    return [
        (text, others[other])
        for text, own in zip(texts, ordered[len(others) :], strict=True)
        for other in seen.near(own)
    ]


class _Seen:
    """Texts by their rarest grams: two that share enough of all share `_SHARED` of so many; others are not compared."""

    def __init__(self) -> None:
        self._sets: list[frozenset[int]] = []
        self._places: dict[int, list[int]] = defaultdict(list)

    def add(self, own: Sequence[int]) -> None:
        for gram in _telling(own):
            self._places[gram].append(len(self._sets))
        self._sets.append(frozenset(own))

    def near(self, own: Sequence[int]) -> Iterator[int]:
        """Places of the near ones, in order."""
        mine = frozenset(own)
        found = Counter(chain.from_iterable(self._places.get(gram, ()) for gram in _telling(own)))
        for place in sorted(place for place, shared in found.items() if shared >= min(_SHARED, _least(mine))):
            other = self._sets[place]
            shared = len(mine & other)
            if shared / (len(mine) + len(other) - shared) >= _NEAR:
                yield place


def _telling(own: Sequence[int]) -> Sequence[int]:
    """A near-copy lacks no more grams than `_least` leaves over, so it has `_SHARED` of these, if so many of all."""
    return own[: len(own) - _least(own) + _SHARED]


def _least(own: Collection[int]) -> int:
    """How many grams of a text at least stand in a near-copy."""
    return math.ceil(_NEAR * len(own) - 1e-9)


def _rarest_first(texts: Iterable[str]) -> list[list[int]]:
    """The grams of each text, each once, numbered from the rarest of all on."""
    sets = [_grams(text) for text in texts]
    counts = Counter(gram for own in sets for gram in own)
    number = {gram: place for place, gram in enumerate(sorted(counts, key=counts.__getitem__))}
    return [sorted(map(number.__getitem__, own)) for own in sets]


def _grams(text: str) -> frozenset[str]:
    flat = " ".join(text.casefold().split())
    return frozenset(flat[place : place + _SIZE] for place in range(max(1, len(flat) - _SIZE + 1)))
