"""Disagreements: posts on which readers differ and that no lead has decided. For leads alone: whoever has still to read
one of them must not learn what others said."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from starlette.responses import Response

from desk.adjudication import Dispute
from desk.web.undoing import review_to_undo
from desk.web.visit import Visit

__all__ = ["show"]

SHOWN = 50
"""Posts on the page, those read last; the others come up as these are decided."""


class Line(Struct, frozen=True, kw_only=True):
    """A line of the list. It holds no words of the post, and nothing that tells who read it or when."""

    key: str
    disputes: tuple[Dispute, ...]
    source: str
    lang: str
    published_at: datetime
    is_edited: bool
    """The words that stand now are not those that were read."""


def show(visit: Visit) -> Response:
    """The list; a post is decided on its own page."""
    found = visit.disagreements
    lines = [
        Line(
            key=disagreement.key,
            disputes=disagreement.disputes,
            source=assessment.post.source,
            lang=assessment.lang,
            published_at=assessment.post.published_at,
            is_edited=assessment.post.revision != disagreement.revision,
        )
        for disagreement, assessment in found[:SHOWN]
    ]
    return visit.answer("disagreements.html", lines=lines, total=len(found), undo=review_to_undo(visit))
