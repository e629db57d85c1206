"""The banner that offers to take back the last decision for ten seconds."""

from __future__ import annotations

from datetime import datetime

from desk import reviews
from desk.web.visit import Visit
from hustings.clock import from_ms, to_ms
from hustings.types import Review

__all__ = ["receipt", "receipt_of", "undoable"]


def receipt(review: Review) -> str:
    """What the address of the page after a review carries."""
    return receipt_of(review.id, review.at)


def receipt_of(decision: str, at: datetime) -> str:
    """Which decision, and when it was made."""
    return f"{decision}.{to_ms(at)}"


def undoable(visit: Visit) -> str:
    """The id of the decision that the banner offers to take back; empty once its ten seconds are over. Only an offer:
    `desk.reviews` decides whether it still can be undone, and by whom."""
    review, dot, decided = visit.query("done").partition(".")
    if not dot or not decided.isascii() or not decided.isdigit() or len(decided) > 15:
        return ""
    return review if visit.services.clock.now() - from_ms(int(decided)) <= reviews.GRACE else ""
