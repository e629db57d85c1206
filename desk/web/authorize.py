"""Who may do what at the desk: one table, and nothing that is not in it is allowed.

From the design's table of roles. Its lines, and where they stand here:

- viewers and engineers see aggregates, never the words of a post;
- reviewers and leads read posts (there is one queue so far, so it is every reviewer's assigned queue);
- reviewers propose a release, leads release; `desk.releases` decides who of them may do it alone;
- what readers disagree on, and what each of them said, is for leads, who decide it;
- the original bytes of a dead letter may hold a raw handle: leads only, and each look is an audit row;
- admins manage people and read the audit, and see no content; leads do not change accounts once there is an admin
  (`desk.people` holds that line).
"""

from __future__ import annotations

from desk.people import ROLES, DeskRole

__all__ = ["ALLOWED", "EVERYONE", "SIGNED_IN", "may"]

EVERYONE: None = None
"""No sign-in needed: the page guards itself (a password, a one-time link, a token) or shows nothing."""
SIGNED_IN: frozenset[DeskRole] = frozenset(ROLES)

_READERS: frozenset[DeskRole] = frozenset({"reviewer", "lead"})
_WATCHERS: frozenset[DeskRole] = frozenset({"viewer", "reviewer", "lead", "engineer"})
_KEEPERS: frozenset[DeskRole] = frozenset({"lead", "engineer"})
_LEADS: frozenset[DeskRole] = frozenset({"lead"})
_STEWARDS: frozenset[DeskRole] = frozenset({"lead", "admin"})

ALLOWED: dict[str, frozenset[DeskRole] | None] = {
    "static": EVERYONE,
    "health": EVERYONE,
    "sign-in": EVERYONE,
    "sign-in-send": EVERYONE,
    "welcome": EVERYONE,
    "welcome-send": EVERYONE,
    "new-password": EVERYONE,
    "new-password-send": EVERYONE,
    "api-tips": EVERYONE,
    "home": SIGNED_IN,
    "sign-out": SIGNED_IN,
    "sessions": SIGNED_IN,
    "session-end": SIGNED_IN,
    "password": SIGNED_IN,
    "tip": SIGNED_IN,
    "tip-send": SIGNED_IN,
    "overview": _WATCHERS,
    "queue": _READERS,
    "queue-next": _READERS,
    "queue-take": _READERS,
    "post": _READERS,
    "decide": _READERS,
    "skip": _READERS,
    "renew": _READERS,
    "undo": _READERS,
    "disagreements": _LEADS,
    "reverse": _READERS,
    "alerts": _READERS,
    "alert": _READERS,
    "alert-release": _READERS,
    "alert-decline": _READERS,
    "alert-retract": _READERS,
    "alert-undo": _READERS,
    "alert-second-look": _READERS,
    "alert-requeue": _LEADS,
    "search": _WATCHERS,
    "search-send": _WATCHERS,
    "search-found": _WATCHERS,
    "sources": _WATCHERS,
    "dead-letters": _KEEPERS,
    "dead-letter": _LEADS,
    "audit": _STEWARDS,
    "people": _STEWARDS,
    "invite": _STEWARDS,
    "person-close": _STEWARDS,
}
"""Route name → roles that may use it."""


def may(role: DeskRole, route: str) -> bool:
    """Whether somebody signed in as `role` may use the route; one that the table does not name is closed."""
    allowed = ALLOWED.get(route, frozenset())
    return allowed is None or role in allowed
