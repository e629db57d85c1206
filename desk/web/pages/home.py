"""`/`: the first page that a role may see."""

from __future__ import annotations

from starlette.responses import Response

from desk.web.visit import NAVIGATION, Visit

__all__ = ["show"]

_FIRST = {"reviewer": "queue", "admin": "people"}
"""Where a role begins its day; everybody else begins with the overview."""


def show(visit: Visit) -> Response:
    """Goes on to the page where this role begins."""
    first = _FIRST.get(visit.person.role, "overview")
    return visit.go(next(page.path for page in NAVIGATION if page.route == first))
