"""Number fields of a query: `reach:>1000`, `score.G-THR:>=0.8`."""

from __future__ import annotations

import re
from typing import Literal

from hustings.errors import QueryError
from hustings.query.excerpt import shown
from hustings.query.scanner import Lexeme
from hustings.query.tree import Compare

__all__ = ["read_comparison"]

_COMPARISON = re.compile(r"(>=|<=|>|<|=)?([0-9]{1,15}(?:\.[0-9]{1,9})?)")
_RELATIONS: dict[str, Literal[">", ">=", "<", "<=", "="]] = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "=": "="}


def read_comparison(field: str, lexeme: Lexeme) -> Compare:
    """The node for a comparison; a bare number means equality."""
    text, column = lexeme.text, lexeme.column
    example = "1000" if field == "reach" else "0.8"
    if lexeme.kind == "range":
        message = f"a range is for times; for numbers write `{field}:>=… {field}:<…`"
        raise QueryError(message, column=column)
    found = _COMPARISON.fullmatch(text) if lexeme.kind == "word" else None
    if found is None:
        raise QueryError(
            f"expected a number, or one after > >= < <= or =, as in `{field}:>={example}`; found {shown(text)}",
            column=column,
        )
    number = float(found[2])
    if field != "reach" and number > 1:
        raise QueryError(f"a score lies between 0 and 1; found {found[2]}", column=column + found.start(2))
    return Compare(field, _RELATIONS[found[1] or "="], number)
