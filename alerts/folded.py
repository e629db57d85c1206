"""A text as patterns read it: without what is invisible, decorated or written in another form of the same character.

Messengers put direction marks into handles, and whoever wants to slip through puts in more; vowel signs, which many
scripts need, are no letters to regular expressions. So patterns see plain characters, and what they find is cut out of
the text as it was written."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left

__all__ = ["Folded", "fold", "one_line", "written"]

JOINERS = "\u200c\u200d"
"""Invisible, and needed to write several scripts and emoji."""
_FILLERS = "\u115f\u1160"
_BLANKS = "\u2800"


class Folded:
    """`text` for patterns; `places` says for each of its characters, and for its end, where in the written text that
    was."""

    def __init__(self, text: str, places: list[int]) -> None:
        self.text = text
        self._places = places

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the written text holds `text[start:end]`, with the marks that hang on its last character."""
        return self._places[start], max(self._places[end], self._places[end - 1] + 1)

    def at(self, place: int) -> int:
        """The index in `text` of what is written at `place`, or of the first that follows."""
        return bisect_left(self._places, place)


def fold(text: str) -> Folded:
    """Marks and invisible characters dropped, compatibility forms and digits of all scripts as their plain ones."""
    plain: list[str] = []
    places: list[int] = []
    for place, ch in enumerate(text):
        for each in _plain(ch):
            plain.append(each)
            places.append(place)
    places.append(len(text))
    return Folded("".join(plain), places)


def written(text: str) -> str:
    """A name or address as it was meant: without invisible characters, full-width forms as plain ones."""
    return unicodedata.normalize("NFKC", "".join(ch for ch in text if ch not in JOINERS and _visible(ch) == ch))


def one_line(text: str) -> str:
    """Without line breaks, controls and invisible marks (a hostile title must not break a header, hide text or turn it
    round), white space made single. Joiners that scripts need stay."""
    return " ".join("".join(map(_visible, text)).split())


def _visible(ch: str) -> str:
    category = unicodedata.category(ch)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Cs", "Co", "Cn"} and ch not in JOINERS else ch


def _plain(ch: str) -> str:
    if ch.isascii():
        return ch if ch.isprintable() or ch.isspace() else ""
    if ch.isdecimal():
        return str(unicodedata.decimal(ch))
    if ch in _BLANKS:
        return " "
    return "".join(filter(_counts, unicodedata.normalize("NFKD", ch)))


def _counts(ch: str) -> bool:
    return ch.isspace() or (unicodedata.category(ch)[0] not in "CM" and ch not in _FILLERS)
