"""Constructs of other search languages, refused where they would silently be read as plain words."""

from __future__ import annotations

import re

from hustings.errors import QueryError
from hustings.query.excerpt import shown
from hustings.query.fields import find_field
from hustings.query.scanner import Lexeme

__all__ = ["refuse_foreign_syntax"]


def refuse_foreign_syntax(lexeme: Lexeme) -> None:
    """Raise `QueryError` for a bare word that only looks like one, with what to write instead."""
    _refuse_operators(lexeme)
    _refuse_wildcards(lexeme)
    _refuse_comparison(lexeme)


_OPERATORS = {"&&": "AND", "&": "AND", "||": "OR", "|": "OR"}
_EXCLAIMED = re.compile(r"!\w")
_REQUIRED = re.compile(r"\+[^\W\d]")


def _refuse_operators(lexeme: Lexeme) -> None:
    word, column = lexeme.text, lexeme.column
    if word in _OPERATORS:
        raise QueryError(f"found `{word}`; write {_OPERATORS[word]}", column=column)
    if _EXCLAIMED.match(word):
        raise QueryError(f"found {shown(word)}; to exclude something, write `-` before it", column=column)
    if _REQUIRED.match(word):
        raise QueryError(f"found {shown(word)}; every word is required anyway, leave the `+` out", column=column)


_QUESTION = re.compile(r"(?<=\w)\?(?=\w)")
_FUZZY = re.compile(r"(?<=\w)[~^][0-9.]*$|^[~^][0-9.]+$")
"""Behind a word, or by itself, as it is cut off behind the quote of a phrase or a parenthesis."""


def _refuse_wildcards(lexeme: Lexeme) -> None:
    word, column = lexeme.text, lexeme.column
    if word[0] == "/" and len(word) > 1:
        raise QueryError("there are no regular expressions; to search for the words, put them in quotes", column=column)
    star = word.find("*")
    if 0 <= star < len(word) - 1:
        where = "cannot come first" if star == 0 else "can only end a word"
        raise QueryError(f"the wildcard `*` {where}; found {shown(word)}", column=column + star)
    question = _QUESTION.search(word)
    if question is not None:
        raise QueryError(f"`?` is no wildcard; found {shown(word)}", column=column + question.start())
    fuzzy = _FUZZY.search(word)
    if fuzzy is not None:
        raise QueryError(
            f"there is no `{fuzzy[0][0]}` in the language; found {shown(word)}", column=column + fuzzy.start()
        )


_COMPARISON = re.compile(r"([A-Za-z_][\w.-]*)((?:[<>]=?|[=\[{]).*)", re.DOTALL)


def _refuse_comparison(lexeme: Lexeme) -> None:
    comparison = _COMPARISON.fullmatch(lexeme.text)
    row = find_field(comparison[1]) if comparison is not None else None
    if comparison is None or row is None:
        return
    field, value = comparison.groups()
    right = f"{field}:{value}" if row.kind == "number" else f"{field}:{value.lstrip('<>=')}"
    raise QueryError(f"a colon follows the name of a field; write `{right}`", column=lexeme.column + len(field))
