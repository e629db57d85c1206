"""Careless and hidden spellings: which word of a language a token stands for.

The analyser repairs what it can without knowing any word (look-alikes, stretched letters, most figures for letters).
Beside a vocabulary more can be told: two letters that changed places, figures at a word's edges, and a letter behind a
sign, at which the analyser cut the word in two (`fr*ud`: `fr`, `ud`). A token that is a word itself is left alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from classifiers.narratives.memory import Memory

__all__ = ["NOTHING", "Spelling"]

NOTHING = ""
"""Stands in place of a token that belongs to the word before it."""
_SHORTEST = 4
_FIGURES = str.maketrans("0134579@$!", "oieastgasi")
_MOST_HIDDEN = 4
"""Characters that one sign may hide: a Devanagari letter has its marks with it. In other scripts it is one."""
_MARKS_FROM = "\u0900"
_KNOWN, _OPENS, _CLOSES = 1, 2, 4
"""Of a token: it is a word itself, a word begins with it, a word ends with it."""


class Spelling:
    """Knows the words of one language."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._swapped: dict[str, str] = {}
        self._bounds: dict[tuple[str, str, int], list[str]] = {}
        self._sorted = sorted(one for one in self._words if len(one) >= _SHORTEST)
        self._sorted_backwards = sorted(word[::-1] for word in self._sorted)
        self._edges = Memory(self._edges_of)
        for word in self._sorted:
            self._swapped.setdefault(_letters(word), word)
            self._bounds.setdefault((word[0], word[-1], len(word)), []).append(word)

    def knows(self, token: str) -> bool:
        """Whether the token is a word itself."""
        return token in self._words

    def word(self, token: str) -> str:
        """The word that this token stands for; itself where it is one, or is none that is known."""
        if len(token) < _SHORTEST or token in self._words:
            return token
        if not token.isalpha() and not token.isdigit():
            plain = token.translate(_FIGURES)
            if plain in self._words:
                return plain
        return self._swapped.get(_letters(token), token)

    def rejoin(self, tokens: Sequence[str]) -> list[str]:
        """The tokens with words that a sign had cut in two in one piece again, and `NOTHING` behind each."""
        joined = list(tokens)
        for place, (one, other) in enumerate(pairwise(map(self._edges.__getitem__, tokens))):
            if one & _OPENS and other & _CLOSES and not one & other & _KNOWN and joined[place]:
                word = self._around(joined[place], joined[place + 1])
                if word is not None:
                    joined[place : place + 2] = word, NOTHING
        return joined

    def _edges_of(self, token: str) -> int:
        if not token:
            return 0
        return (
            (_KNOWN if token in self._words else 0)
            | (_OPENS if _begins_one(token, self._sorted) else 0)
            | (_CLOSES if _begins_one(token[::-1], self._sorted_backwards) else 0)
        )

    def _around(self, one: str, other: str) -> str | None:
        length = len(one) + len(other)
        for hidden in range(1, _MOST_HIDDEN + 1 if one[0] >= _MARKS_FROM else 2):
            for word in self._bounds.get((one[0], other[-1], length + hidden), ()):
                if word.startswith(one) and word.endswith(other):
                    return word
        return None


def _begins_one(beginning: str, words: Sequence[str]) -> bool:
    place = bisect_left(words, beginning)
    return place < len(words) and words[place].startswith(beginning)


def _letters(word: str) -> str:
    """The same for words whose letters behind the first one only changed places."""
    return word[:1] + "".join(sorted(word[1:]))
