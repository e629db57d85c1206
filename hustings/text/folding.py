"""The matching copy of a text: compatibility forms, accents and invisible characters gone, letter case kept.

In the folded text white space is a blank, every other separator is ASCII, so that a word is whatever is not
ASCII punctuation, a currency sign, an emoji or a spaceless character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from hustings.text.characters import (
    CURRENCY,
    DEFAULT_IGNORABLE,
    DISGUISED,
    EMOJI,
    EXTRA,
    JOINED,
    NASALS,
    SPACELESS,
    STRIPPED_MARKS,
)

__all__ = ["MAX_CHARACTERS", "MAX_MARKS", "Folded", "fold", "fold_with_origins"]

MAX_CHARACTERS: Final = 20_000
"""Characters looked at, of the original and again after NFKC, which can make eighteen of one."""
MAX_MARKS: Final = 8
"""Combining marks in a row; the rest is a bomb (80,000 of them took seconds in NFKC) or a disguise."""

_JOINERS = re.compile("[\u200c\u200d]+")
_IGNORABLE = re.compile(f"[{DEFAULT_IGNORABLE}]")
_INVISIBLE = re.compile(f"(?![\u200c\u200d])[{DEFAULT_IGNORABLE}]+")
_IN_WORD = re.compile(f"(?<=[^\\W_])[{DEFAULT_IGNORABLE}]+(?=[^\\W_])")
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
_NASAL = re.compile(
    "(?<=[\u0900-\u097f])(?:" + "|".join(f"{nasal}\u094d(?=[{before}])" for nasal, before in NASALS.items()) + ")"
)
_ANUSVARA: Final = "\u0902"
_CONTINUES = re.compile(f"[\u1161-\u1175\u11a8-\u11c2\u3131-\u318e\uff9e\uff9f\uffa0-\uffdc{DEFAULT_IGNORABLE}]")
"""Besides marks: what NFKC may join with the character before it."""


class Folded(NamedTuple):
    """The folded text, for each of its characters where the range of the original that it came from starts and ends,
    and the count of characters taken away or replaced as disguise."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    removed: int


def fold(text: str) -> tuple[str, int]:
    """The folded text and how many characters of it were disguise."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        return (text if text.isprintable() else text.translate(_FOLD)), 0
    clean = _clean(text)
    folded = _simple(unicodedata.normalize("NFKC", clean.text)[:MAX_CHARACTERS])
    return _NASAL.sub(_ANUSVARA, folded), clean.removed


def fold_with_origins(text: str) -> Folded:
    """The same as `fold`, with the way back to the original."""
    text = text[:MAX_CHARACTERS]
    if text.isascii():
        return Folded(fold(text)[0], range(len(text)), range(1, len(text) + 1), 0)
    clean = _clean(text)
    alone = clean.text.translate(_ALONE)
    if _NOT_ALONE not in alone:
        return Folded(alone, clean.places, clean.ends(), clean.removed)
    return _fold_clusters(clean, alone)


def _fold_clusters(clean: _Clean, alone: str) -> Folded:
    """`alone`, the forms of characters that fold each by itself; where it has none, one cluster at a time."""
    starts, ends = clean.places, clean.ends()
    parts: list[str] = []
    begins: list[int] = []
    stops: list[int] = []
    left = MAX_CHARACTERS
    done = 0
    for run in [*_WITH_BASE.finditer(alone), None]:
        first, last = run.span() if run else (len(alone), len(alone))
        plain = alone[done:first][:left]
        left -= len(plain)
        parts.append(plain)
        begins += starts[done : done + len(plain)]
        stops += ends[done : done + len(plain)]
        for start, end in _clusters(clean.text[first:last]):
            compatible = unicodedata.normalize("NFKC", clean.text[first + start : first + end])[:left]
            left -= len(compatible)
            folded = _simple(compatible)
            parts.append(folded)
            begins += [starts[first + start]] * len(folded)
            stops += [ends[first + end - 1]] * len(folded)
        done = last
    return _nasals_folded(Folded("".join(parts), begins, stops, clean.removed))


def _nasals_folded(folded: Folded) -> Folded:
    """Two characters, of which each such nasal consists, are one."""
    if not (nasals := [found.start() for found in _NASAL.finditer(folded.text)]):
        return folded
    starts, ends = list(folded.starts), list(folded.ends)
    for place in reversed(nasals):
        del starts[place + 1], ends[place]
    return folded._replace(text=_NASAL.sub(_ANUSVARA, folded.text), starts=starts, ends=ends)


class _Clean(NamedTuple):
    """A text without invisible characters and marks in excess, and where its characters stood before."""

    text: str
    places: Sequence[int]
    removed: int

    def ends(self) -> Sequence[int]:
        """Behind each of those places."""
        return range(1, len(self.text) + 1) if isinstance(self.places, range) else [p + 1 for p in self.places]

    def without(self, drop: Container[int], removed: int) -> _Clean:
        kept = [i for i in range(len(self.text)) if i not in drop]
        return _Clean("".join([self.text[i] for i in kept]), [self.places[i] for i in kept], self.removed + removed)


def _clean(text: str) -> _Clean:
    clean = _Clean(text, range(len(text)), 0)
    if not (_RARE.search(text) or _MAYBE_MARKS.search(text)):
        return clean
    if invisible := {i for run in _INVISIBLE.finditer(clean.text) for i in range(*run.span())}:
        clean = clean.without(invisible, _between_letters(clean.text, invisible))
    if excess := {i for run in _MAYBE_MARKS.finditer(clean.text) for i in _excess_marks(run)}:
        clean = clean.without(excess, len(excess))
    if joiners := {i for run in _JOINERS.finditer(clean.text) for i in _needless_joiners(run)}:
        clean = clean.without(joiners, _between_letters(clean.text, joiners))
    return clean._replace(removed=clean.removed + _count_disguise(clean.text))


def _between_letters(text: str, dropped: Container[int]) -> int:
    """How many of the dropped characters split a word; a mark of direction between two words is no disguise."""
    runs = _IN_WORD.finditer(text)
    return sum(i in dropped for run in runs for i in range(*run.span()))


def _excess_marks(run: re.Match[str]) -> Iterator[int]:
    marks = 0
    for i in range(*run.span()):
        marks = marks + 1 if unicodedata.category(run.string[i])[0] == "M" else 0
        if marks > MAX_MARKS:
            yield i


def _needless_joiners(run: re.Match[str]) -> range:
    """The first of a run between two letters of a joining script, or between two emoji, is spelling; no other is."""
    text, (start, end) = run.string, run.span()
    before, after = start - 1, end
    while before >= 0 and _vanishes(text[before]):
        before -= 1
    while after < len(text) and _vanishes(text[after]):
        after += 1
    pair = text[before : before + 1] if before >= 0 else "", text[after : after + 1]
    if all(map(_is_joined_letter, pair)) or (text[start] == "\u200d" and all(map(_EMOJI.match, pair))):
        return range(start + 1, end)
    return range(start, end)


def _is_joined_letter(ch: str) -> bool:
    return _JOINED.match(ch) is not None and unicodedata.category(ch)[0] in "LM"


def _vanishes(ch: str) -> bool:
    return ch not in "\u200c\u200d" and _FOLD[ord(ch)] == ""


def _count_disguise(text: str) -> int:
    """Letters in fancy dress, struck through or under a stack of marks. Full-width ones are at home beside Han."""
    count = len(_DISGUISED_LETTER.findall(text))
    count += sum(len(run[0]) for run in _STRUCK_OR_STACKED.finditer(text))
    if _FULL_WIDTH_LETTER.search(text) and not _SPACELESS.search(text):
        count += len(_FULL_WIDTH_LETTER.findall(text))
    return count


def _clusters(text: str) -> list[tuple[int, int]]:
    """Ranges that NFKC treats alone: a character and everything that may join with it. With a sign that is no letter
    only what vanishes joins: a vowel sign after `#` belongs to the word that follows."""
    starts: list[int] = []
    for i, ch in enumerate(text):
        continues = starts and (unicodedata.category(ch)[0] == "M" or _CONTINUES.match(ch))
        if not continues or (unicodedata.category(text[starts[-1]])[0] not in "LMN" and not _vanishes(ch)):
            starts.append(i)
    return list(pairwise([*starts, len(text)]))


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

_NOT_ALONE: Final = "\uffff"  # a noncharacter, which is the form of nothing
_WITH_BASE = re.compile(f"[^{_NOT_ALONE}]?{_NOT_ALONE}+")


class _Alone(dict[int, str]):
    """The folded form of characters that NFKC never joins with their neighbours and that stay one character in all
    that folding does; `_NOT_ALONE` for the others."""

    def __missing__(self, code: int) -> str:
        ch = chr(code)
        compatible = unicodedata.normalize("NFKC", ch)
        form = _simple(compatible)
        joins = unicodedata.category(ch)[0] == "M" or _CONTINUES.match(ch)
        found = _NOT_ALONE if joins or len(compatible) != 1 or len(form) != 1 else form
        if unicodedata.category(ch) not in {"Cn", "Co", "Cs"}:
            self[code] = found
        return found


_ALONE: Final = _Alone()


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
