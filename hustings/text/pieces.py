"""A suspicious place taken apart: addresses, tags, spaced-out letters, words with signs in them.

Works on folded text, in lower case for finding and in its own case where capitals tell (`#VoteNow`, `$TSLA`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from hustings.text.characters import (
    AKSHARA_BEFORE,
    AKSHARA_BEHIND,
    AKSHARA_WORDS,
    CURRENCY,
    EMOJI,
    INDIC,
    INDIC_MARKS,
    LETTER,
    ONE_LETTER_WORDS,
    SPACELESS,
    SPACELESS_MARKS,
    SPACER,
    VIRAMAS,
    WORD,
)
from hustings.text.folding import fold
from hustings.text.repair import MAX_TOKEN, repair

__all__ = ["PLAIN", "SPACED", "Piece", "take_apart"]


class Piece(NamedTuple):
    """A token, the range of the folded text that became it, and how many of its characters were disguise."""

    token: str
    start: int
    end: int
    removed: int = 0


_IN_TAG = rf"[^\x00-/:-@\[-^`{{-\x7f{CURRENCY}{EMOJI}]"
_CHARACTER = f"[{SPACELESS}][{SPACELESS_MARKS}]*"
_EMOJI_SEQUENCE = (
    "[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    f"|[{EMOJI}][\U0001f3fb-\U0001f3ff]?(?:\u200d[{EMOJI}][\U0001f3fb-\U0001f3ff]?)*"
)
_NAME = r"[a-z0-9_-]{1,63}"
_HOST = rf"{_NAME}(?:\.{_NAME})"
_CONSONANT = "[b-df-hj-np-tv-xz]"

PLAIN: Final = re.compile(f"{WORD}+|{_CHARACTER}|{_EMOJI_SEQUENCE}")
"""A token of text in which nothing is disguised."""

_INDIC_LETTER = f"(?![{INDIC_MARKS}])[{INDIC}][{INDIC_MARKS}]*"
_AKSHARA = f"{_INDIC_LETTER}(?:(?<=[{VIRAMAS}])\u200d?{_INDIC_LETTER})*"
_APART = f"(?:{_AKSHARA}|ss|{LETTER})"
_OTHER_GAP = rf"[.\-_*|/~](?:{_AKSHARA}|{LETTER})(?!{WORD})"

SPACED: Final = re.compile(
    rf"(?<!{WORD})(?<!'){_APART}(?P<gap>(?P<spacer>(?P<blank> )|(?! ){SPACER})(?P=spacer){{0,2}})"
    rf"(?:(?:{_AKSHARA}|ss|{WORD})(?P=gap))+{_APART}(?!{WORD})(?(blank)(?!{_OTHER_GAP}))"
)
"""Three or more single letters, all with the same gap between them; a digit may stand among them. In Indic scripts a
letter is what is written as one (an akshara), `ss` is what `ß` was. Behind blanks the last letter may not be the first
of a word with other gaps (`E a i.d.i.o.t.a`); asked of every gap, a row of letters would be tried from each of them."""

_PIECE = re.compile(
    rf"(?P<url>(?:(?:https?|ftp)://|www\.)(?:[!-~]|{WORD})*)"
    rf"|(?P<email>[a-z0-9_.+-]{{1,64}}@{_HOST}+(?!{WORD}))"
    rf"|(?P<mention>@(?:(?:{_NAME}@{_HOST}+|{_HOST}{{2,}})(?!{WORD})|{_IN_TAG}+))"
    rf"|(?<!{WORD})(?P<hashtag>\#(?=[_0-9]*(?![_0-9]){_IN_TAG}){_IN_TAG}+)"
    f"|(?P<spaced>{SPACED.pattern})"
    rf"|(?P<word>\$?{WORD}+(?:[${CURRENCY}]+{WORD}+|(?<={_CONSONANT})(?<!\brt)[@!](?={_CONSONANT}){WORD}+)*\$*)"
    f"|(?P<plain>{_CHARACTER}|{_EMOJI_SEQUENCE})"
)
_WRITTEN_WITH_AT = re.compile(r"@ss(?:es|hat|hats|hole|holes|wipe)?")
"""The one word that is mostly written so, and that nobody has for a handle."""

LONGEST_WITH_AT: Final = 9
"""Characters of a word in which `@` or `!` may be a letter; in a longer one it is a missing blank (`great!thanks`)."""

_CAPITAL_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9]{3,}(?:[A-Z]|\Z))")
_DEVANAGARI = re.compile("[\u0900-\u097f]")
_WORDS_OF_ONE_LETTER = re.compile(f"[ᄀ-ᇿ가-힣{INDIC}]")


def take_apart(cased: str, lower: str, start: int, end: int) -> Iterator[Piece]:
    """The tokens between `start` and `end`, which stand at blanks."""
    for m in _PIECE.finditer(lower, start, end):
        match m.lastgroup:
            case "url":
                pass
            case "email":
                yield from _words(lower, *m.span())
            case "mention":
                yield from _mention(cased, lower, *m.span())
            case "hashtag":
                yield Piece(m[0][:MAX_TOKEN], *m.span())
                yield from _parts(cased, lower, m.start() + 1, m.end())
            case "spaced":
                yield from _spaced(cased, lower, m)
            case "word":
                yield from _word(cased, lower, *m.span())
            case _:
                yield Piece(m[0][:MAX_TOKEN], *m.span())


def _words(lower: str, start: int, end: int) -> Iterator[Piece]:
    """Plain words, characters and emoji, each repaired."""
    for m in PLAIN.finditer(lower, start, end):
        token, removed = repair(m[0])
        yield Piece(token, *m.span(), removed)


def _word(cased: str, lower: str, start: int, end: int) -> Iterator[Piece]:
    """A word with signs inside: one token when they stand for letters, else cut at them."""
    token, removed = repair(lower[start:end])
    if token.isalnum() and (lower[start:end].isalnum() or (removed and _signs_are_letters(cased[start:end]))):
        yield Piece(token, start, end, removed)
    else:
        yield from _words(lower, start, end)


def _signs_are_letters(word: str) -> bool:
    """`$hit` and `b@stard` are words; `$TSLA` is a share, `Stop!Now` lacks a blank."""
    if word[0] == "$" and not word[1].islower():
        return False
    if "@" not in word and "!" not in word:
        return True
    after = [word[i + 1] for i, ch in enumerate(word) if ch in "@!"]
    return len(word) <= LONGEST_WITH_AT and (word.isupper() or not any(map(str.isupper, after)))


def _spaced(cased: str, lower: str, m: re.Match[str]) -> Iterator[Piece]:
    """`v o t e` → `vote`, unless the letters may be words. An abbreviation (`U.S.A`) is joined, yet no disguise."""
    start, end = m.span()
    letters = lower[start:end].split(m["gap"])
    first, last = start, end
    if m["spacer"] == " ":
        if not _is_spelled_out(letters, cased[start:end]):
            yield from _words(lower, start, end)
            return
        if len(letters) > 3 and letters[0] in AKSHARA_BEFORE:
            first += len(letters.pop(0)) + len(m["gap"])
        if len(letters) > 3 and letters[-1] in AKSHARA_BEHIND:
            last -= len(letters.pop()) + len(m["gap"])
    token, removed = repair(fold("".join(letters))[0])  # what stood apart may fold together: `हि.न्.दी`
    is_abbreviation = m["gap"] == "." and (len(letters) == 3 or cased[start:end].isupper())
    yield from _words(lower, start, first)
    yield Piece(token, first, last, removed + (0 if is_abbreviation else len(m["gap"]) * (len(letters) - 1)))
    yield from _words(lower, last, end)


def _is_spelled_out(letters: list[str], cased: str) -> bool:
    """Blanks between single letters: five letters are a word, four or three capitals when one of them is no word by
    itself (`o q n e` are four words of Portuguese); in Devanagari five, of which half are no words by themselves.
    Hangul and the other Indic scripts write words of one letter all the time."""
    if _DEVANAGARI.search(cased):
        words = sum(letter in AKSHARA_WORDS for letter in letters)
        return len(letters) >= 5 and 2 * words <= len(letters) and len(set(letters)) > 1
    if _WORDS_OF_ONE_LETTER.search(cased) or (len(letters) == 3 and not cased.isupper()):
        return False
    return len(letters) >= 5 or not ONE_LETTER_WORDS.issuperset(letters)


def _mention(cased: str, lower: str, start: int, end: int) -> Iterator[Piece]:
    """The whole as it is, then its parts; unless the `@` is a letter. A name is no disguise."""
    whole = lower[start:end]
    if _WRITTEN_WITH_AT.fullmatch(whole):
        token, removed = repair(whole)
        yield Piece(token, start, end, removed)
        return
    yield Piece(whole[:MAX_TOKEN], start, end)
    for part in _parts(cased, lower, start + 1, end):
        yield part._replace(removed=0)


def _parts(cased: str, lower: str, start: int, end: int) -> Iterator[Piece]:
    """The words of a tag: at separators, at capitals (`USAVotes`), before three or more final digits (`Vote2026`)."""
    body = lower[start:end]
    if body.isascii() and body.isalpha() and body == cased[start:end]:  # most tags, in a fifth of the time
        yield Piece(repair(body)[0], start, end)
        return
    for m in PLAIN.finditer(lower, start, end):
        borders = [m.start(), *_capital_borders(cased, *m.span()), m.end()]
        for first, last in pairwise(borders):
            token, removed = repair(lower[first:last])
            yield Piece(token, first, last, removed)


def _capital_borders(cased: str, start: int, end: int) -> list[int]:
    """Where the words of `USAVotes2026` begin, but the first: 3 and 8. Two final digits (`covid19`) stay."""
    shape = cased[start:end]
    if shape.islower() and not shape[-1].isdigit():
        return []
    if not shape.isascii():
        shape = "".join("A" if ch.isupper() else ch if ch in "0123456789" else "a" for ch in shape)
    return [start + border.start() for border in _CAPITAL_BORDER.finditer(shape)]
