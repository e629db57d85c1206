"""Text to tokens: the one analyser, whose tokens all query back ends, heads and the roster read.

1. The text is folded (`hustings.text.folding`): NFKC, accents, marks and invisible characters gone.
2. Cheap searches point at the places where a word may be disguised, or a tag, an address or a mention stands.
3. Only those places are taken apart piece by piece; everything between them is words and nothing else.

What becomes a token:
- a word: letters, digits and vowel signs. Apostrophes and hyphens end it, straight or curly: `don't` is `don` `t`.
- `#VoteNow` whole, `#votenow`, then its parts `vote` `now`; `@some_name` whole, then `some` `name`. An address
  `@name@host.org` is one mention.
- one token for each character of a script without spaces, with its vowel signs; one for each emoji sequence.
- web addresses give no token (`Post.links` holds them), e-mail addresses give their words.
- letters s p a c e d out by one and the same separator are one word: three or more of them. A row of words of one
  letter (`я и в`, `a i o`) and initials (`J. K. R.`) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from hustings.text.characters import CURRENCY, EMOJI, ONE_LETTER_WORDS, SPACELESS, SPACELESS_MARKS
from hustings.text.folding import fold, fold_with_origins
from hustings.text.repair import MAX_TOKEN, repair

__all__ = ["Analysis", "Located", "analyse", "analyse_all", "is_spaceless", "locate"]


class Analysis(NamedTuple):
    """The tokens of a text, and how many of its characters were taken away or replaced as disguise."""

    tokens: tuple[str, ...]
    removed: int


class Located(NamedTuple):
    """`Analysis` with the half-open range in the original text that each token came from, in order; the parts of a
    tag lie within it."""

    tokens: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    removed: int


class _Piece(NamedTuple):
    token: str
    start: int
    end: int
    removed: int = 0


_NOT_IN_WORDS = rf"\x00-/:-@\[-`{{-\x7f{CURRENCY}{EMOJI}{SPACELESS}"
_WORD = f"[^{_NOT_IN_WORDS}]"
_LETTER = f"[^{_NOT_IN_WORDS}0-9]"
_IN_TAG = rf"[^\x00-/:-@\[-^`{{-\x7f{CURRENCY}{EMOJI}]"
_SPACER = r"[ .\-_*|/~']"
_CHARACTER = f"[{SPACELESS}][{SPACELESS_MARKS}]*"
_EMOJI_SEQUENCE = (
    "[\U0001f1e6-\U0001f1ff]{2}"  # a flag
    f"|[{EMOJI}][\U0001f3fb-\U0001f3ff]?(?:\u200d[{EMOJI}][\U0001f3fb-\U0001f3ff]?)*"
)
_NAME = r"[a-z0-9_-]{1,63}"
_HOST = rf"{_NAME}(?:\.{_NAME})"

_PLAIN = re.compile(f"{_WORD}+|{_CHARACTER}|{_EMOJI_SEQUENCE}")
_ASCII_SEPARATORS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_SPACED = re.compile(
    rf"(?<!{_WORD})(?<!'){_LETTER}(?P<gap>(?P<spacer>{_SPACER})(?P=spacer){{0,2}})"
    rf"(?:{_WORD}(?P=gap))+{_LETTER}(?!{_WORD})"
)
_PIECE = re.compile(
    rf"(?P<url>(?:(?:https?|ftp)://|www\.)(?:[!-~]|{_WORD})*)"
    rf"|(?P<email>[a-z0-9_.+-]{{1,64}}@{_HOST}+(?!{_WORD}))"
    rf"|(?<!{_WORD})(?P<mention>@(?:(?:{_NAME}@{_HOST}+|{_HOST}{{2,}})(?!{_WORD})|{_IN_TAG}+))"
    rf"|(?<!{_WORD})(?P<hashtag>\#(?=[_0-9]*(?![_0-9]){_IN_TAG}){_IN_TAG}+)"
    f"|(?P<spaced>{_SPACED.pattern})"
    rf"|(?P<word>\$?{_WORD}+(?:[@$!{CURRENCY}]+{_WORD}+)*\$*)"
    f"|(?P<plain>{_CHARACTER}|{_EMOJI_SEQUENCE})"
)
_WRITTEN_WITH_AT = re.compile(r"@(?:[a-z]{1,2}|ss(?:es|hat|hats|hole|holes|wipe))\Z")
"""Too short for a handle, or the one word that is mostly written so: `@ss`."""

_CAPITAL_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9]{3,}(?:[A-Z]|\Z))")

_SIGN = re.compile(
    rf"[#@${CURRENCY}013-79!:.]"
    rf"(?:(?<=[#@${CURRENCY}])|(?<={_LETTER}[013-79!])(?=[0-9@$!{CURRENCY}]{{0,2}}{_LETTER})|(?<=:)(?=//)|(?<=www\.))"
)
_GAP = re.compile(rf"{_SPACER}(?<!{_WORD}..)(?<={_LETTER}.)(?<!'..)(?={_SPACER}{{0,2}}{_WORD}{_SPACER})")
_STRETCH = re.compile(r"([^\W\d_])\1\1")
_LATIN, _GREEK, _CYRILLIC, _ARMENIAN = "a-zß-ɏᴀ-ᶿḀ-ỿ", "Ͱ-Ͽἀ-῿", "Ѐ-ԯᲀ-᲏Ꙁ-ꚟ", "԰-֏"
_LATIN_LETTER = re.compile(f"[{_LATIN}]")
_LETTER_LIKE_LATIN = re.compile(f"[{_GREEK}{_CYRILLIC}{_ARMENIAN}]")
_MIXED = re.compile(
    "|".join(
        f"[{one}][0-9@$!{CURRENCY}]*[{others}]"
        for one, others in (
            (_LATIN, _GREEK + _CYRILLIC + _ARMENIAN),
            (_GREEK, _LATIN + _CYRILLIC + _ARMENIAN),
            (_CYRILLIC, _LATIN + _GREEK + _ARMENIAN),
            (_ARMENIAN, _LATIN + _GREEK + _CYRILLIC),
        )
    )
)
_SPACELESS = re.compile(f"[{SPACELESS}]")


def analyse(text: str) -> Analysis:
    """The tokens of `text` and the count of its disguised characters."""
    cased, removed = fold(text)
    lower = cased.lower()
    regions = _regions(lower)
    if not regions:
        return Analysis(tuple(_plain(lower)), removed)
    tokens: list[str] = []
    done = 0
    for start, end in regions:
        tokens += _plain(lower[done:start])
        for piece in _pieces(cased, lower, start, end):
            tokens.append(piece.token)
            removed += piece.removed
        done = end
    tokens += _plain(lower[done:])
    return Analysis(tuple(tokens), removed)


def analyse_all(texts: Sequence[str]) -> list[Analysis]:
    """`analyse` of each."""
    return [analyse(text) for text in texts]


def locate(text: str) -> Located:
    """`analyse`, and where in `text` each token stands. Slower: for the few texts that somebody looks at."""
    cased, origins, removed = fold_with_origins(text)
    lower = cased.lower()
    pieces: list[_Piece] = []
    done = 0
    for start, end in [*_regions(lower), (len(lower), len(lower))]:
        pieces += (_Piece(m[0][:MAX_TOKEN], *m.span()) for m in _PLAIN.finditer(lower, done, start))
        pieces += _pieces(cased, lower, start, end)
        done = end
    return Located(
        tuple(piece.token for piece in pieces),
        tuple((origins[piece.start][0], origins[piece.end - 1][1]) for piece in pieces),
        removed + sum(piece.removed for piece in pieces),
    )


def is_spaceless(ch: str) -> bool:
    """Whether `ch` belongs to a script without spaces, so that it is a token by itself."""
    return _SPACELESS.match(ch) is not None


def _plain(lower: str) -> list[str]:
    """The tokens of folded text in which nothing is disguised."""
    words = lower.translate(_ASCII_SEPARATORS).split() if lower.isascii() else _PLAIN.findall(lower)
    return words if len(lower) <= MAX_TOKEN else [word[:MAX_TOKEN] for word in words]


def _regions(lower: str) -> list[tuple[int, int]]:
    """Ranges between blanks that have to be taken apart, in order and apart from each other."""
    ends: list[tuple[int, int]] = [m.span() for m in _SIGN.finditer(lower)]
    if _repeats_thrice(lower):
        ends += [m.span() for m in _STRETCH.finditer(lower)]
    if not lower.isascii() and _LATIN_LETTER.search(lower) and _LETTER_LIKE_LATIN.search(lower):
        ends += [m.span() for m in _MIXED.finditer(lower)]
    for gap in _GAP.finditer(lower):
        if spaced := _SPACED.match(lower, gap.start() - 1):
            ends.append(spaced.span())
    if not ends:
        return []
    regions: list[tuple[int, int]] = []
    for start, end in sorted(ends):
        if regions and end <= regions[-1][1]:
            continue
        start = lower.rfind(" ", 0, start + 1) + 1
        end = lower.find(" ", end)
        end = len(lower) if end < 0 else end
        if regions and start < regions[-1][1]:
            start = regions.pop()[0]
        regions.append((start, end))
    return regions


def _repeats_thrice(text: str) -> bool:
    """Whether any character stands three times in a row, eight times faster than by a regular expression: equal
    neighbours are zeros in the exclusive or of the text, taken as one number, and itself one character further.
    May say yes for nothing, never no for something."""
    width, encoding = (1, "ascii") if text.isascii() else (4, "utf-32-le")
    raw = text.encode(encoding, "surrogatepass")
    number = int.from_bytes(raw, "little")
    return bytes(2 * width) in (number ^ (number >> 8 * width)).to_bytes(len(raw), "little")


def _pieces(cased: str, lower: str, start: int, end: int) -> Iterator[_Piece]:
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
                yield from _hashtag(cased, lower, *m.span())
            case "spaced":
                yield from _spaced(lower, m)
            case "word":
                yield from _word(cased, lower, *m.span())
            case _:
                yield _Piece(m[0][:MAX_TOKEN], *m.span())


def _words(lower: str, start: int, end: int) -> Iterator[_Piece]:
    """Plain words, characters and emoji, each repaired."""
    for m in _PLAIN.finditer(lower, start, end):
        token, removed = repair(m[0])
        yield _Piece(token, *m.span(), removed)


def _word(cased: str, lower: str, start: int, end: int) -> Iterator[_Piece]:
    """A word with signs inside: one token when they stand for letters, else cut at them."""
    token, removed = repair(lower[start:end])
    leads_as_letter = lower[start] != "$" or cased[start + 1 : start + 2].islower()
    if removed and leads_as_letter and token.isalnum():
        yield _Piece(token, start, end, removed)
    else:
        yield from _words(lower, start, end)


def _spaced(lower: str, m: re.Match[str]) -> Iterator[_Piece]:
    """`v o t e` → `vote`; blanks between words of one letter are just blanks."""
    start, end = m.span()
    gap = m["gap"]
    letters = lower[start:end].split(gap)
    if m["spacer"] == " " and ONE_LETTER_WORDS.issuperset(letters):
        yield from _words(lower, start, end)
        return
    token, removed = repair("".join(letters))
    yield _Piece(token, start, end, removed + len(gap) * (len(letters) - 1))


def _hashtag(cased: str, lower: str, start: int, end: int) -> Iterator[_Piece]:
    """The whole, repaired between underscores, then its parts."""
    bodies = [repair(body) for body in lower[start + 1 : end].split("_")]
    whole = "#" + "_".join(body for body, _ in bodies)
    yield _Piece(whole[:MAX_TOKEN], start, end, sum(removed for _, removed in bodies))
    yield from _parts(cased, lower, start + 1, end)


def _mention(cased: str, lower: str, start: int, end: int) -> Iterator[_Piece]:
    """The whole as it is, then its parts; unless the `@` is a letter."""
    if _WRITTEN_WITH_AT.match(lower[start:end]):
        token, removed = repair(lower[start:end])
        yield _Piece(token, start, end, removed)
        return
    yield _Piece(lower[start:end][:MAX_TOKEN], start, end)
    yield from _parts(cased, lower, start + 1, end)


def _parts(cased: str, lower: str, start: int, end: int) -> Iterator[_Piece]:
    """The words of a tag: at separators, at capitals (`USAVotes`), before three or more final digits (`Vote2026`)."""
    for m in _PLAIN.finditer(lower, start, end):
        borders = [m.start(), *_capital_borders(cased, *m.span()), m.end()]
        for first, last in pairwise(borders):
            yield _Piece(repair(lower[first:last])[0], first, last)


def _capital_borders(cased: str, start: int, end: int) -> list[int]:
    """Where the words of `USAVotes2026` begin, but the first: 3 and 8. Two final digits (`covid19`) stay."""
    shape = cased[start:end]
    if shape.islower() and not shape[-1].isdigit():
        return []
    if not shape.isascii():
        shape = "".join("A" if ch.isupper() else ch if ch in "0123456789" else "a" for ch in shape)
    return [start + border.start() for border in _CAPITAL_BORDER.finditer(shape)]
