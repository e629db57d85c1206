"""What the banner offers to take back for ten seconds. It is looked up, not read from the address: whoever has sent a
form twice sees the answer to the second, and has ten seconds all the same.

Only an offer: `desk.reviews` and `desk.releases` decide whether it still can be undone, and by whom.
"""

from __future__ import annotations

from collections.abc import Sequence

from desk import decisions, reviews
from desk.decisions import Release
from desk.web.visit import Visit

__all__ = ["release_to_undo", "review_to_undo"]


def review_to_undo(visit: Visit) -> str:
    """The id of this person's last review of a post while it can still be taken back; empty otherwise."""
    services = visit.services
    last = reviews.last_in_grace(services.engine, reviewer=visit.person, clock=services.clock)
    return "" if last is None else last.id


def release_to_undo(visit: Visit, history: Sequence[Release]) -> str:
    """The id of the release that this person made last of an alert while it can still be taken back; empty otherwise.
    `history` holds the alert's decisions, oldest first."""
    last = history[-1] if history else None
    if last is None or (last.action, last.state) != ("release", "done") or last.done_at is None:
        return ""
    is_mine = visit.person.pseudonym in {last.proposed_by, last.approved_by}
    return last.id if is_mine and visit.services.clock.now() < last.done_at + decisions.GRACE else ""
