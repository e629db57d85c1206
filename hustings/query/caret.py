"""Shows where in a query an error is."""

from __future__ import annotations

import unicodedata

from hustings.errors import QueryError

__all__ = ["with_caret"]

BEFORE, AFTER = 48, 40
"""Characters of a long query shown on either side of the column."""


def with_caret(text: str, error: QueryError) -> str:
    """Three lines: the query, or the part of a long one around the column; a caret under the column; the message."""
    at = error.column - 1
    start, end = max(0, at - BEFORE), at + AFTER
    before = ("…" if start else "") + _one_line(text[start:at])
    after = _one_line(text[at:end]) + ("…" if end < len(text) else "")
    return f"{before}{after}\n{' ' * _width(before)}^\n{error}"


def _one_line(text: str) -> str:
    return "".join(
        "�" if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text
    )


def _width(text: str) -> int:
    """Columns that a terminal uses: none for marks and invisible characters, two for wide ones."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
