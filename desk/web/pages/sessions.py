"""My sessions: where I am signed in, ending one of them, a new password."""

from __future__ import annotations

from starlette.responses import Response

from desk import people, sessions
from desk.people import MIN_PASSWORD
from desk.refusals import Refused
from desk.web.visit import NotFound, Visit

__all__ = ["change_password", "end", "show"]


def show(visit: Visit) -> Response:
    """Every live session of the person, the present one marked."""
    return _page(visit, problem="", status=200)


def end(visit: Visit) -> Response:
    """End one of one's own sessions."""
    mine = sessions.open_sessions(visit.services.engine, visit.person, clock=visit.services.clock)
    if visit.path("id") not in {session.id for session in mine}:
        raise NotFound("this session is over already, or is not yours")
    sessions.end(visit.services.engine, visit.path("id"))
    return visit.go("/sessions")


def change_password(visit: Visit) -> Response:
    """A new password; it ends every session, this one too."""
    if visit.form.one("password") != visit.form.one("again"):
        return _page(visit, problem="The two new passwords differ.", status=400)
    try:
        people.set_password(
            visit.services.engine,
            person=visit.person,
            old=visit.form.one("present"),
            new=visit.form.one("password"),
            clock=visit.services.clock,
            browser=visit.browser_secret,
        )
    except Refused as refusal:
        return _page(visit, problem=str(refusal), status=400)
    return visit.go("/sign-in")


def _page(visit: Visit, *, problem: str, status: int) -> Response:
    listed = sessions.open_sessions(visit.services.engine, visit.person, clock=visit.services.clock)
    return visit.answer(
        "sessions.html",
        status=status,
        sessions=listed,
        present=visit.session.id if visit.session else "",
        problem=problem,
        least_password=MIN_PASSWORD,
    )
