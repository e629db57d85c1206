"""Words of a query as phrases over the analyser's tokens."""

from __future__ import annotations

import unicodedata

from hustings.errors import QueryError
from hustings.query.combine import all_of
from hustings.query.excerpt import shortened, shown
from hustings.query.foreign_syntax import refuse_foreign_syntax
from hustings.query.scanner import Lexeme
from hustings.query.tree import Node, Part, Phrase
from hustings.text import is_spaceless, locate

__all__ = ["cut_phrases", "read_words"]

SHORTEST_PREFIX = 3
"""Letters before the `*`, so that a prefix stays selective; a script with one token per character needs one."""

SIGNS = ("#", "@")
"""What the analyser's whole hashtags and mentions begin with; their parts follow as tokens of their own."""


def read_words(lexeme: Lexeme, part: Part) -> Node:
    """The node for a bare word or a quoted phrase. Raises `QueryError` when nothing is left to search for."""
    text = lexeme.text
    if lexeme.kind == "word":
        refuse_foreign_syntax(lexeme)
    prefix = _ends_in_wildcard(text)
    if prefix:
        text = text[:-1]
    phrases = cut_phrases(text)
    if not phrases:
        raise QueryError(f"nothing to search for in {_shown(lexeme)}: no letter, no digit", column=lexeme.column)
    last = phrases[-1]
    if prefix and not is_spaceless(last[-1][0]):
        _check_prefix(lexeme, last[-1])
    whole = [Phrase(tokens, part=part) for tokens in phrases[:-1]]
    return all_of([*whole, Phrase(last, prefix, part)])


def cut_phrases(text: str) -> list[tuple[str, ...]]:
    """The tokens, cut after each whole hashtag or mention, whose parts are left out: how many of them follow it in a
    post depends on its capital letters there."""
    located = locate(text)
    phrases: list[tuple[str, ...]] = []
    tokens: list[str] = []
    sign_end = 0
    for token, (start, end) in zip(located.tokens, located.spans, strict=True):
        if start < sign_end:
            continue
        tokens.append(token)
        if token.startswith(SIGNS):
            phrases.append(tuple(tokens))
            tokens, sign_end = [], end
    return [*phrases, tuple(tokens)] if tokens else phrases


def _ends_in_wildcard(text: str) -> bool:
    return len(text) > 1 and text.endswith("*") and not text[-2].isspace()


def _check_prefix(lexeme: Lexeme, token: str) -> None:
    letters = sum(_letters(character) for character in token.lstrip("".join(SIGNS)))
    if letters < SHORTEST_PREFIX:
        raise QueryError(
            f"a prefix needs at least {SHORTEST_PREFIX} letters before the `*`; found {_shown(lexeme)}",
            column=lexeme.column,
        )


def _shown(lexeme: Lexeme) -> str:
    return f'"{shortened(lexeme.text)}"' if lexeme.kind == "quoted" else shown(lexeme.text)


def _letters(character: str) -> int:
    """One, but a Hangul syllable is written with two or three."""
    return len(unicodedata.normalize("NFD", character)) if "\uac00" <= character <= "\ud7a3" else 1
