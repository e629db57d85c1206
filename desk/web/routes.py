"""Every address of the desk, in one list. Who may use which stands in `authorize`; a test holds the two together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from starlette.responses import Response

from desk.web.pages import (
    alert,
    alerts,
    audit,
    dead_letters,
    disagreements,
    entry,
    health,
    home,
    overview,
    people,
    post,
    queue,
    search,
    sessions,
    sources,
    static,
    tips,
)
from desk.web.visit import Visit

__all__ = ["ROUTES", "Route"]


class Route(NamedTuple):
    """One address and the page behind it."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    page: Callable[[Visit], Response]
    is_api: bool = False
    """Called by programs: guarded by a token in place of session, origin and form token, if it is open to everybody."""
    asks_who: bool = True
    """Looks for the visitor's session. False where it makes no difference, to spare the database."""


ROUTES = (
    Route("health", "GET", "/healthz", health.show, asks_who=False),
    Route("static", "GET", "/static/{digest}/{name}", static.show, asks_who=False),
    Route("sign-in", "GET", "/sign-in", entry.show_sign_in),
    Route("sign-in-send", "POST", "/sign-in", entry.sign_in),
    Route("welcome", "GET", "/welcome/{token}", entry.show_welcome),
    Route("welcome-send", "POST", "/welcome/{token}", entry.welcome),
    Route("new-password", "GET", "/new-password/{token}", entry.show_new_password),
    Route("new-password-send", "POST", "/new-password/{token}", entry.new_password),
    Route("sign-out", "POST", "/sign-out", entry.sign_out),
    Route("home", "GET", "/", home.show),
    Route("overview", "GET", "/overview", overview.show),
    Route("queue", "GET", "/queue", queue.show),
    Route("queue-next", "POST", "/queue/next", queue.claim_next),
    Route("queue-take", "POST", "/queue/take", queue.take),
    Route("decide", "POST", "/queue/decide", queue.decide),
    Route("skip", "POST", "/queue/skip", queue.skip),
    Route("renew", "POST", "/queue/renew", queue.renew),
    Route("reverse", "POST", "/queue/reverse", queue.reverse),
    Route("undo", "POST", "/queue/undo", queue.undo),
    Route("disagreements", "GET", "/disagreements", disagreements.show),
    Route("post", "GET", "/posts/{key:path}", post.show),
    Route("alerts", "GET", "/alerts", alerts.show),
    Route("alert", "GET", "/alerts/{id}", alert.show),
    Route("alert-release", "POST", "/alerts/{id}/release", alert.release),
    Route("alert-decline", "POST", "/alerts/{id}/decline", alert.decline),
    Route("alert-retract", "POST", "/alerts/{id}/retract", alert.retract),
    Route("alert-undo", "POST", "/alerts/{id}/undo", alert.undo),
    Route("alert-second-look", "POST", "/alerts/{id}/second-look", alert.second_look),
    Route("alert-requeue", "POST", "/alerts/{id}/requeue", alert.requeue),
    Route("search", "GET", "/search", search.show),
    Route("search-send", "POST", "/search", search.send),
    Route("search-found", "GET", "/search/{id}", search.found),
    Route("tip", "GET", "/tip", tips.show),
    Route("tip-send", "POST", "/tip", tips.send),
    Route("api-tips", "POST", "/api/tips", tips.receive, is_api=True, asks_who=False),
    Route("sources", "GET", "/sources", sources.show),
    Route("dead-letters", "GET", "/dead-letters", dead_letters.show_list),
    Route("dead-letter", "GET", "/dead-letters/{partition:int}/{offset:int}", dead_letters.show_one),
    Route("audit", "GET", "/audit", audit.show),
    Route("people", "GET", "/people", people.show),
    Route("invite", "POST", "/people/invite", people.invite),
    Route("person-close", "POST", "/people/{id}/close", people.close),
    Route("sessions", "GET", "/sessions", sessions.show),
    Route("session-end", "POST", "/sessions/{id}/end", sessions.end),
    Route("password", "POST", "/sessions/password", sessions.change_password),
)
