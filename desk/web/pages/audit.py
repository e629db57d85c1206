"""The audit chain: what people and loops did, newest first, and whether the chain is whole."""

from __future__ import annotations

from starlette.responses import Response

from desk import audit
from desk.refusals import Refused
from desk.web.visit import Visit
from hustings.errors import StoreError

__all__ = ["show"]

ROWS = 50
"""Rows of one page."""


def show(visit: Visit) -> Response:
    """One page of rows; the whole chain is recomputed each time, which takes half a second for 200,000 rows."""
    asked = visit.query("before")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 18):
        raise Refused(f"`before` needs the number of a row, found {asked[:40]!r}")
    engine = visit.services.engine
    rows = audit.latest(engine, limit=ROWS + 1, before=int(asked) if asked else None)
    problem, length = "", 0
    try:
        length = audit.verify(engine)
    except StoreError as error:
        problem = str(error)
    return visit.answer(
        "audit.html",
        rows=rows[:ROWS],
        older=rows[ROWS - 1].sequence if len(rows) > ROWS else None,
        problem=problem,
        length=length,
        checkpoint=audit.checkpoint(engine),
    )
