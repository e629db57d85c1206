"""Careless and hidden spellings: which word of a language a token stands for.

The analyser repairs what it can without knowing any word (look-alikes, stretched letters, most figures for letters).
Beside a vocabulary more can be told: two neighbours that changed places, figures at a word's edges, and a letter behind
a sign, at which the analyser cut the word in two (`fr*ud`: `fr`, `ud`). A token that is a word itself is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hustings.errors import ModelError

__all__ = ["NOTHING", "WORDS_FILE", "Spelling", "pack_words"]

WORDS_FILE = "words.txt"
"""The file of a model with the words of its language, one a line."""

NOTHING = ""
"""Stands in place of a token that belongs to the word before it."""
_SHORTEST = 4
_SHORTEST_SWAPPED_ARABIC = 5
"""Shorter words of Arabic, written without vowels, are too many beside each other. In other scripts one in ten thousand
words is read as another (`prat`, `part`)."""
_FIGURES = str.maketrans("0134579@$!", "oieastgasi")
_MOST_HIDDEN = 4
"""Characters that one sign may hide: a Devanagari letter has its marks with it. In other scripts it is one."""
_MARKS_FROM = "\u0900"


def pack_words(words: Iterable[str]) -> bytes:
    """The bytes of such a file."""
    return ("\n".join(words) + "\n").encode()


class Spelling:
    """Knows the words of one language."""

    @classmethod
    def unpack(cls, raw: bytes, where: str) -> Spelling:
        """Of what `pack_words` wrote. Raises `ModelError` when it is no text."""
        try:
            return cls(raw.decode().split())
        except UnicodeDecodeError as error:
            raise ModelError(f"{where}: {WORDS_FILE}: {error}") from error

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._bounds: dict[tuple[str, str, int], list[str]] = {}
        for word in sorted(one for one in self._words if len(one) >= _SHORTEST):
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
        if len(token) < _SHORTEST_SWAPPED_ARABIC and "\u0600" <= token[0] <= "\u06ff":
            return token
        return next((word for word in _swapped(token) if word in self._words), token)

    def rejoin(self, tokens: Sequence[str], cut: Sequence[bool] | None = None) -> list[str]:
        """The tokens with words that a sign had cut in two in one piece again, and `NOTHING` behind each. `cut` says
        behind which tokens there is a sign and no blank; columns have tokens alone and give none: then each
        may be."""
        joined = list(tokens)
        known = list(map(self._words.__contains__, tokens))
        for place in range(len(joined) - 1):
            if (known[place] and known[place + 1]) or (cut is not None and not cut[place]):
                continue
            one, other = joined[place], joined[place + 1]
            if one and other and (word := self._around(one, other)) is not None:
                joined[place : place + 2] = word, NOTHING
                known[place : place + 2] = True, True
        return joined

    def _around(self, one: str, other: str) -> str | None:
        length = len(one) + len(other)
        for hidden in range(1, _MOST_HIDDEN + 1 if one[0] >= _MARKS_FROM else 2):
            for word in self._bounds.get((one[0], other[-1], length + hidden), ()):
                if word.startswith(one) and word.endswith(other):
                    return word
        return None


def _swapped(token: str) -> Iterator[str]:
    """With two neighbours behind the first letter in each other's place."""
    for place in range(1, len(token) - 1):
        yield token[:place] + token[place + 1] + token[place] + token[place + 2 :]
