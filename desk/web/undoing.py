"""The banner that offers to take back the last decision for ten seconds."""

from __future__ import annotations

from datetime import timedelta

from desk import reviews
from desk.web.visit import Visit
from hustings.clock import to_ms
from hustings.types import Review

__all__ = ["receipt", "undoable"]


def receipt(review: Review) -> str:
    """What the address of the page after a review carries: which one, and when it was made."""
    return f"{review.id}.{to_ms(review.at)}"


def undoable(visit: Visit) -> str:
    """The id of the decision that the banner offers to take back; empty once its ten seconds are over. Only an offer:
    `desk.reviews` decides whether it still can be undone, and by whom."""
    review, dot, decided = visit.query("done").partition(".")
    if not dot or not decided.isascii() or not decided.isdigit() or len(decided) > 15:
        return ""
    passed = timedelta(milliseconds=to_ms(visit.services.clock.now()) - int(decided))
    return review if passed <= reviews.GRACE else ""
