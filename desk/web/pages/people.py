"""The people of the desk: who has an account in which role, one-time links for new ones, closing and opening."""

from __future__ import annotations

from starlette.responses import Response

from desk import people
from desk.people import LINK_LASTS, ROLES
from desk.refusals import Refused
from desk.web.visit import Visit

__all__ = ["close", "invite", "show"]


def show(visit: Visit) -> Response:
    """Everybody with an account. Who stands behind a pseudonym is shown only to those who keep the accounts."""
    return _page(visit, link="", link_role="")


def invite(visit: Visit) -> Response:
    """Show a one-time link once; only its hash is kept, so it cannot be shown again."""
    wanted = visit.form.one("role")
    role = next((role for role in ROLES if role == wanted), None)
    if role is None:
        raise Refused(f"no such role {wanted!r}; known are {', '.join(ROLES)}")
    token = people.invite(visit.services.engine, role=role, by=visit.person, clock=visit.services.clock)
    return _page(visit, link=visit.address(f"/welcome/{token}"), link_role=role)


def close(visit: Visit) -> Response:
    """Close an account, which ends its sessions, or open it again."""
    people.set_disabled(
        visit.services.engine,
        person_id=visit.path("id"),
        disabled=visit.form.one("disabled") == "yes",
        by=visit.person,
        clock=visit.services.clock,
    )
    return visit.go("/people")


def _page(visit: Visit, *, link: str, link_role: str) -> Response:
    everybody = people.listed(visit.services.engine)
    return visit.answer(
        "people.html",
        people=everybody,
        manages=visit.person.role == "admin" or not any(person.role == "admin" for person in everybody),
        roles=ROLES,
        link=link,
        link_role=link_role,
        link_lasts=LINK_LASTS,
    )
