"""The matching copy of a text: compatibility forms, accents and invisible characters gone, letter case kept.

In the folded text white space is a blank, every other separator is ASCII, so that a word is whatever is not
ASCII punctuation, a currency sign, an emoji or a spaceless character.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final, NamedTuple

from hustings.text.characters import (
    CURRENCY,
    DEFAULT_IGNORABLE,
    DISGUISED,
    EMOJI,
    EXTRA,
    JOINED,
    SPACELESS,
    STRIPPED_MARKS,
)

__all__ = ["MAX_CHARACTERS", "MAX_MARKS", "Folded", "fold", "fold_with_origins"]

MAX_CHARACTERS: Final = 20_000
"""Characters looked at, of the original and again after NFKC, which can make eighteen of one (security.md)."""
MAX_MARKS: Final = 8
"""Combining marks in a row; the rest is a bomb (80,000 of them took seconds in NFKC) or a disguise."""

_JOINER_RUN = re.compile("[\u200c\u200d]+")
_IGNORABLE = re.compile(f"[{DEFAULT_IGNORABLE}]")
_IGNORABLE_NOT_JOINER = re.compile(f"(?![\u200c\u200d])[{DEFAULT_IGNORABLE}]+")
_INVISIBLE_IN_WORD = re.compile(f"(?<=[^\\W_])[{DEFAULT_IGNORABLE}]+(?=[^\\W_])")
_MAYBE_MARKS = re.compile(rf"[^\w\s\x00-\x7f]{{{MAX_MARKS + 1},}}")
_STRIPPED = re.compile(f"[{STRIPPED_MARKS}]")
_EMOJI = re.compile(f"[{EMOJI}]")
_JOINED = re.compile(f"[{JOINED}]")
_SPACELESS = re.compile(f"[{SPACELESS}]")
_DISGUISED_LETTER = re.compile(f"[{DISGUISED}]")
_FULL_WIDTH_LETTER = re.compile("[Ａ-Ｚａ-ｚ]")
_STRUCK_OR_STACKED = re.compile("[\u0334-\u0338\u20d2-\u20e2\u20e4-\u20eb]|[\u0300-\u036f]{3,}")
_RARE = re.compile(f"[{DEFAULT_IGNORABLE}{DISGUISED}Ａ-Ｚａ-ｚ\u0300-\u036f\u20d2-\u20eb]")
"""Nothing of this in a text, and no run of marks: then nothing is invisible or in fancy dress."""
_CONTINUES = re.compile(f"[\u1161-\u1175\u11a8-\u11c2\u3131-\u318e\uff9e\uff9f\uffa0-\uffdc{DEFAULT_IGNORABLE}]")
"""Besides marks: what NFKC may join with the character before it."""


class Folded(NamedTuple):
    """The folded text, for each of its characters the range of the original that it came from, and the count of
    characters taken away or replaced as disguise."""

    text: str
    origins: list[tuple[int, int]]
    removed: int


def fold(text: str) -> tuple[str, int]:
    """The folded text and how many characters of it were disguise."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        return (text if text.isprintable() else text.translate(_FOLD)), 0
    removed = 0
    if _RARE.search(text) or _MAYBE_MARKS.search(text):
        text, invisible = _without_joiners(text)
        text, marks = _without_invisible(text)
        removed = invisible + marks + _count_disguise(text)
    return _simple(unicodedata.normalize("NFKC", text)[:MAX_CHARACTERS]), removed


def fold_with_origins(text: str) -> Folded:
    """The same as `fold`, one cluster of characters at a time, with the way back to the original."""
    text = text[:MAX_CHARACTERS]
    dropped = _dropped_joiners(text)
    parts: list[str] = []
    origins: list[tuple[int, int]] = []
    left = MAX_CHARACTERS
    for start, end in _clusters(text):
        cluster, _ = _without_invisible("".join(text[i] for i in range(start, end) if i not in dropped))
        compatible = unicodedata.normalize("NFKC", cluster)[:left]
        left -= len(compatible)
        parts.append(_simple(compatible))
        origins.extend([(start, end)] * len(parts[-1]))
    return Folded("".join(parts), origins, fold(text)[1])


def _clusters(text: str) -> list[tuple[int, int]]:
    """Ranges that NFKC treats alone: a character and everything that may join with it."""
    starts = [
        i for i, ch in enumerate(text) if i == 0 or not (unicodedata.category(ch)[0] == "M" or _CONTINUES.match(ch))
    ]
    return list(pairwise([*starts, len(text)]))


def _without_joiners(text: str) -> tuple[str, int]:
    """Without the joiners that no script needs; and how many invisible characters stood inside words."""
    if not _IGNORABLE.search(text):
        return text, 0
    dropped = _dropped_joiners(text)
    invisible = _count_invisible(text, dropped)
    return "".join(ch for i, ch in enumerate(text) if i not in dropped), invisible


def _without_invisible(text: str) -> tuple[str, int]:
    """Without invisible characters and marks in excess; and how many marks that were."""
    text = _IGNORABLE_NOT_JOINER.sub("", text)
    if not _MAYBE_MARKS.search(text):
        return text, 0
    capped = _MAYBE_MARKS.sub(_cap_marks, text)
    return capped, len(text) - len(capped)


def _cap_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for ch in run[0]:
        marks = marks + 1 if unicodedata.category(ch)[0] == "M" else 0
        if marks <= MAX_MARKS:
            kept.append(ch)
    return "".join(kept)


def _simple(text: str) -> str:
    """Each character in its matching form. What an accent held apart may compose when it is gone: until stable."""
    text = text.translate(_FOLD)
    while not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text).translate(_FOLD)
    return text


class _Fold(dict[int, str]):
    """The matching form of each character met so far: what `str.translate` reads."""

    def __missing__(self, code: int) -> str:
        ch = chr(code)
        form = _form(ch)
        if unicodedata.category(ch) not in {"Cn", "Co", "Cs"}:
            self[code] = form
        return form


_FOLD: Final = _Fold()


def _form(ch: str) -> str:
    if ch in EXTRA:
        return EXTRA[ch]
    category = unicodedata.category(ch)
    if category[0] == "L":
        return _letter_form(ch)
    if category[0] == "M":
        return "" if _STRIPPED.match(ch) or _IGNORABLE.match(ch) else ch
    if category[0] == "N":
        digit = unicodedata.digit(ch, None)
        return ch if digit is None else str(digit)
    if ch in "\u200c\u200d":
        return ch
    if _IGNORABLE.match(ch):
        return ""
    if ch.isascii():
        return ch if ch.isprintable() else " "
    if _EMOJI.match(ch):
        return "," if category[0] == "P" else ch
    if ch in CURRENCY:
        return ch
    return "," if category[0] in "PS" else " "


def _letter_form(ch: str) -> str:
    """Latin and Greek lose their accents; letters whose lower case is longer than one are written out."""
    if _IGNORABLE.match(ch):
        return ""
    if ch.lower() in EXTRA:
        return EXTRA[ch.lower()]
    decomposed = unicodedata.normalize("NFD", ch)
    if len(decomposed) > 1 and ord(decomposed[0]) < 0x400:
        return _form(decomposed[0])
    folded = ch.casefold()
    return ch if len(folded) == 1 else "".join(map(_form, unicodedata.normalize("NFKC", folded)))


def _dropped_joiners(text: str) -> frozenset[int]:
    """Where a ZWNJ or ZWJ stands that no script needs. The first of a run between two letters of a joining script,
    or between two emoji, stays."""
    dropped: set[int] = set()
    for run in _JOINER_RUN.finditer(text):
        kept = _joins(text, run.start(), run.end())
        dropped.update(range(run.start() + kept, run.end()))
    return frozenset(dropped)


def _joins(text: str, start: int, end: int) -> bool:
    before, after = start - 1, end
    while before >= 0 and _vanishes(text[before]):
        before -= 1
    while after < len(text) and _vanishes(text[after]):
        after += 1
    if before < 0 or after >= len(text):
        return False
    pair = text[before], text[after]
    if text[start] == "\u200d" and all(map(_EMOJI.match, pair)):
        return True
    return all(_JOINED.match(ch) and unicodedata.category(ch)[0] in "LM" for ch in pair)


def _vanishes(ch: str) -> bool:
    return ch not in "\u200c\u200d" and _FOLD[ord(ch)] == ""


def _count_invisible(text: str, dropped: frozenset[int]) -> int:
    """Invisible characters between two word characters, without the joiners that belong there."""
    return sum(
        sum(i in dropped or text[i] not in "\u200c\u200d" for i in range(run.start(), run.end()))
        for run in _INVISIBLE_IN_WORD.finditer(text)
    )


def _count_disguise(text: str) -> int:
    """Letters in fancy dress, struck through or under a stack of marks. Full-width ones are at home beside Han."""
    count = len(_DISGUISED_LETTER.findall(text))
    count += sum(len(run[0]) for run in _STRUCK_OR_STACKED.finditer(text))
    if _FULL_WIDTH_LETTER.search(text) and not _SPACELESS.search(text):
        count += len(_FULL_WIDTH_LETTER.findall(text))
    return count
