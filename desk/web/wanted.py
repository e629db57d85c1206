"""The page that somebody wanted and had to sign in for: kept in the address of the sign-in, and in its form."""

from __future__ import annotations

from urllib.parse import unquote, urlencode

from starlette.requests import Request
from starlette.routing import Match, Route

from desk.people import DeskRole
from desk.web.authorize import ALLOWED, EVERYONE, may

__all__ = ["FIELD", "is_open_to", "sign_in_for"]

FIELD = "to"
"""Of the address and of the form."""
MOST_CHARACTERS = 2_000


def sign_in_for(request: Request) -> str:
    """The address of the sign-in that leads back to what was requested."""
    wanted: str = request.scope["raw_path"].decode("latin-1")
    if query := request.scope["query_string"].decode("latin-1"):
        wanted = f"{wanted}?{query}"
    is_plain = wanted == "/" or len(wanted) > MOST_CHARACTERS
    return "/sign-in" if is_plain else f"/sign-in?{urlencode({FIELD: wanted})}"


def is_open_to(role: DeskRole, address: str, *, request: Request) -> bool:
    """Whether the address, which anybody may have made up, is that of a page of this desk that needs a sign-in and is
    open to this role. Asked is what routes requests, so nothing outside can look like one of ours."""
    if not address.startswith("/") or len(address) > MOST_CHARACTERS:
        return False
    path = unquote(address.partition("?")[0])
    scope = {"type": "http", "method": "GET", "path": path}
    found = (
        route for route in request.app.routes if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL
    )
    name = next((route.name for route in found), "")
    return ALLOWED.get(name, EVERYONE) is not EVERYONE and may(role, name)
