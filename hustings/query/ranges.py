"""Time fields of a query: `published:[2026-10-01 TO 2026-10-02T12:00Z}`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NoReturn

from hustings.errors import QueryError
from hustings.query.excerpt import shown
from hustings.query.scanner import Lexeme
from hustings.query.tree import Between

__all__ = ["read_range"]

EXAMPLE = "[2026-10-01 TO 2026-10-02T12:00Z}"

_RANGE = re.compile(r"\[\s*(\S+)\s+(\S+)\s+(\S+?)\s*\}")
_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:T(?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?P<zone>Z|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)
_RELATIVE = re.compile(r"now|today|yesterday|tomorrow", re.IGNORECASE)


def read_range(field: str, lexeme: Lexeme) -> Between:
    """The node for a half-open range. Times without a zone are UTC, dates without a time its midnight; a `*` leaves
    one end open."""
    text, column = lexeme.text, lexeme.column
    if lexeme.kind != "range":
        _refuse_single(field, lexeme)
    if text.endswith("]"):
        raise QueryError(
            f"a range leaves its end out: write `}}` instead of `]`, as in {EXAMPLE}", column=column + len(text) - 1
        )
    if text.startswith("{"):
        raise QueryError(f"a range holds its start: write `[` instead of `{{`, as in {EXAMPLE}", column=column)
    found = _RANGE.fullmatch(text)
    if found is None:
        raise QueryError(
            f"expected two times with TO between them, as in {EXAMPLE}; found {shown(text)}", column=column
        )
    if found[2] != "TO":
        raise QueryError(f"expected TO in capital letters; found {shown(found[2])}", column=column + found.start(2))
    start = _time(found[1], column + found.start(1))
    end = _time(found[3], column + found.start(3))
    if start is None and end is None:
        raise QueryError("a range that is open at both ends holds every post; name one end", column=column)
    if start is not None and end is not None and start >= end:
        raise QueryError("the range is empty: its end is not after its start", column=column + found.start(3))
    return Between(field, start, end)


def _time(text: str, column: int) -> datetime | None:
    if text == "*":
        return None
    if _RELATIVE.match(text):
        raise QueryError(
            f"{shown(text)} would mean something else each time; write the time out, as in 2026-10-02T12:00Z",
            column=column,
        )
    found = _TIME.fullmatch(text)
    if found is None:
        raise QueryError(f"expected a time like 2026-10-01 or 2026-10-02T12:00Z; found {shown(text)}", column=column)
    zone = "+00:00" if found["zone"] in (None, "Z") else found["zone"]
    try:
        return datetime.fromisoformat(f"{found['date']}T{found['clock'] or '00:00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"there is no such time as {shown(text)}", column=column) from error


def _refuse_single(field: str, lexeme: Lexeme) -> NoReturn:
    text = lexeme.text
    if text.startswith((">", "<", "=")):
        message = f"times are compared by a range; `*` leaves an end open, as in `{field}:[2026-10-01 TO *}}`"
    else:
        message = f"expected a range like `{field}:{EXAMPLE}`; found {shown(text)}"
    raise QueryError(message, column=lexeme.column)
