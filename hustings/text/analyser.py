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
- beside a word that mixes scripts, a word wholly in another script's look-alikes is Latin (`repair.all_latin`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from hustings.text.characters import SPACELESS
from hustings.text.folding import fold, fold_with_origins
from hustings.text.pieces import PLAIN, take_apart
from hustings.text.regions import regions
from hustings.text.repair import MAX_TOKEN, all_latin

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


_SPACELESS = re.compile(f"[{SPACELESS}]")
_MOST_KEPT_LETTERS = 1000
"""Of a text whose `locate` is kept: 512 of them are some 20 MB."""
_ASCII_SEPARATORS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}


def analyse(text: str) -> Analysis:
    """The tokens of `text` and the count of its disguised characters."""
    cased, removed = fold(text)
    lower, hidden = all_latin(cased.lower())
    removed += hidden
    places = regions(lower)
    if not places:
        return Analysis(tuple(_plain(lower)), removed)
    tokens: list[str] = []
    done = 0
    for start, end in places:
        tokens += _plain(lower[done:start])
        for piece in take_apart(cased, lower, start, end):
            tokens.append(piece.token)
            removed += piece.removed
        done = end
    tokens += _plain(lower[done:])
    return Analysis(tuple(tokens), removed)


def analyse_all(texts: Sequence[str]) -> list[Analysis]:
    """`analyse` of each."""
    return [analyse(text) for text in texts]


def locate(text: str) -> Located:
    """`analyse`, and where in `text` each token stands. Slower: for the few texts that somebody looks at. Several do
    one after the other, so what was found in the last posts of usual length is kept."""
    return _kept(text) if len(text) <= _MOST_KEPT_LETTERS else _located(text)


def _located(text: str) -> Located:
    cased, starts, ends, removed = fold_with_origins(text)
    lower, hidden = all_latin(cased.lower())
    removed += hidden
    tokens: list[str] = []
    spans: list[tuple[int, int]] = []
    done = 0
    for first, last in [*regions(lower), (len(lower), len(lower))]:
        plain = [m.span() for m in PLAIN.finditer(lower, done, first)]
        tokens += [lower[start : min(end, start + MAX_TOKEN)] for start, end in plain]
        spans += plain
        for piece in take_apart(cased, lower, first, last):
            tokens.append(piece.token)
            spans.append((piece.start, piece.end))
            removed += piece.removed
        done = last
    if not isinstance(starts, range):  # a range: every character stands where it stood
        spans = [(starts[start], ends[end - 1]) for start, end in spans]
    return Located(tuple(tokens), tuple(spans), removed)


@lru_cache(maxsize=512)
def _kept(text: str) -> Located:
    return _located(text)


def is_spaceless(ch: str) -> bool:
    """Whether `ch` belongs to a script without spaces, so that it is a token by itself."""
    return _SPACELESS.match(ch) is not None


def _plain(lower: str) -> list[str]:
    """The tokens of folded text in which nothing is disguised."""
    words = lower.translate(_ASCII_SEPARATORS).split() if lower.isascii() else PLAIN.findall(lower)
    return words if len(lower) <= MAX_TOKEN else [word[:MAX_TOKEN] for word in words]
