"""Words that are abuse of a person nearly wherever they stand, from `abusive_words.toml`.

A flag's spans hold the words that spoke for the flag, up to six; a second slur may stand beside them. Whoever must not
hand on any asks here as well. The words are looked for as the analyser reads a text, so that accents, look-alikes and
letters set apart hide none; only a letter behind a sign (`p*ta`) does."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter

import msgspec

from hustings.text import analyse, locate

__all__ = ["AbusiveWords", "abusive_words"]

_FILE = "abusive_words.toml"
_STEM = "*"


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Those of one language, as the file tells what they are."""

    mixed_with: tuple[str, ...]
    before: tuple[str, ...]
    words: str


class AbusiveWords:
    """Some words and stems, to be looked for in texts."""

    def __init__(self, words: Iterable[str], stems: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._stems = list(_shortest(stems))

    def __contains__(self, token: str) -> bool:
        """Of stems of which none begins with another, only the last one before a token can be its beginning."""
        place = bisect_right(self._stems, token)
        return token in self._words or (place > 0 and token.startswith(self._stems[place - 1]))

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they stand in a text. Every token is looked up, and those between two blanks as one word."""
        located = locate(text)
        chunks = [0]
        for (_, end), (start, _) in zip(located.spans, located.spans[1:], strict=False):
            chunks.append(chunks[-1] + (start > end and any(map(str.isspace, text[end:start]))))
        found = zip(chunks, located.tokens, located.spans, strict=False)
        for _, chunk in groupby(found, itemgetter(0)):
            parts = [(token.lstrip("#"), span) for _, token, span in chunk]
            if len(parts) > 1 and "".join(token for token, _ in parts) in self:
                yield parts[0][1][0], max(end for _, (_, end) in parts)
            else:
                yield from (span for token, span in parts if token in self)


@cache  # a file of the package is read once; every message to a partner asks
def abusive_words(language: str) -> AbusiveWords:
    """Those of a language and of the languages that people mix with it; those of all for one that has none."""
    known = _read()
    mine = known.get(language)
    names = (language, *mine.mixed_with) if mine else tuple(known)
    words: list[str] = []
    stems: list[str] = []
    for name in names:
        for entry in known[name].words.split():
            (token,) = analyse(entry.removesuffix(_STEM)).tokens
            written = [token, *(analyse(before).tokens[0] + token for before in known[name].before)]
            (stems if entry.endswith(_STEM) else words).extend(written)
    return AbusiveWords(words, stems)


@cache
def _read() -> Mapping[str, _Words]:
    raw = files("alerts").joinpath(_FILE).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(raw), dict[str, _Words])


def _shortest(stems: Iterable[str]) -> Iterator[str]:
    """In their order, without those that begin with another."""
    last = None
    for stem in sorted(stems):
        if last is None or not stem.startswith(last):
            last = stem
            yield stem
