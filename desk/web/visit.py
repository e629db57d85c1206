"""One request as a page sees it: who asks, what the form said, and the ways to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jinja2 import Environment
from markupsafe import Markup
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk.dispatch import Dispatcher
from desk.people import Person
from desk.sessions import Session
from desk.web.authorize import may
from desk.web.disagreements import Disagreements, Undecided
from desk.web.forms import Form
from desk.web.security import Cookies, form_token
from desk.web.services import DeskServices
from desk.web.static_files import StaticFiles
from desk.web.throttle import Throttle
from hustings.errors import HustingsError, Unavailable

__all__ = ["NAVIGATION", "NotFound", "Page", "Surroundings", "Visit"]


class NotFound(HustingsError):
    """There is nothing at this address; the text says what was looked for."""


class Page(Struct, frozen=True):
    """An entry of the menu."""

    route: str
    path: str
    title: str


NAVIGATION = (
    Page("overview", "/overview", "Overview"),
    Page("queue", "/queue", "Queue"),
    Page("disagreements", "/disagreements", "Disagreements"),
    Page("alerts", "/alerts", "Alerts"),
    Page("search", "/search", "Search"),
    Page("tip", "/tip", "Enter a tip"),
    Page("sources", "/sources", "Sources"),
    Page("dead-letters", "/dead-letters", "Dead letters"),
    Page("audit", "/audit", "Audit"),
    Page("people", "/people", "People"),
)
"""The menu, in order; everybody sees the entries that their role may open."""


@dataclass(frozen=True)
class Surroundings:
    """What all visits share."""

    services: DeskServices
    templates: Environment
    cookies: Cookies
    files: StaticFiles
    dispatcher: Dispatcher
    sign_ins: Throttle
    """Over all strangers: checking a password costs a fifth of a second on purpose."""
    sign_ins_by_browser: Throttle
    """For whoever has signed in with their browser before: strangers do not use up what these may."""
    tips_by_person: Throttle
    tips_by_program: Throttle
    disagreements: Disagreements


@dataclass(frozen=True)
class Visit:
    """A request that passed every guard. `session` is None only on pages that need no sign-in."""

    shared: Surroundings
    request: Request
    form: Form
    session: Session | None
    guest_secret: str
    """What the forms of a visitor who is not signed in are bound to."""
    body: bytes = b""
    """The raw body, for programs only; a page reads `form`."""

    @property
    def services(self) -> DeskServices:
        return self.shared.services

    @property
    def person(self) -> Person:
        """Who is signed in. Only for pages that the table opens to roles."""
        if self.session is None:
            raise PermissionError("this page was reached without a session")
        return self.session.person

    @property
    def browser_secret(self) -> str:
        """What `desk.known_browsers` has given this browser; empty when it has not, or whatever was sent instead."""
        return self.request.cookies.get(self.shared.cookies.browser, "")

    def address(self, path: str) -> str:
        """The whole address of a page, under the name by which this request reached the desk."""
        scheme = self.services.base_url.partition("://")[0]
        return f"{scheme}://{self.request.headers['host']}{path}"

    def path(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the address, or the empty string."""
        return self.request.query_params.get(name, "").replace("\x00", "")

    @cached_property
    def disagreements(self) -> list[Undecided]:
        """What readers disagree on and this person may decide; the menu counts it and the page lists it."""
        return self.shared.disagreements.undecided(self.person) if self.may("disagreements") else []

    def may(self, route: str) -> bool:
        return self.session is not None and may(self.session.person.role, route)

    def render(self, template: str, values: Mapping[str, object]) -> str:
        """A template with the names that all of them may use, and `values`."""
        person = self.session.person if self.session else None
        return self.shared.templates.get_template(template).render(
            desk_name=self.services.name,
            member=person,
            may=self.may,
            navigation=[page for page in NAVIGATION if self.may(page.route)],
            menu_counts=self._menu_counts,
            here=self.request.url.path,
            form_token=self._form_token,
            now=self.services.clock.now(),
            **values,
        )

    def _menu_counts(self) -> dict[str, int]:
        """How much waits behind an entry of the menu. A store that is away takes no other page with it."""
        try:
            return {"disagreements": len(self.disagreements)}
        except Unavailable:
            return {}

    def _form_token(self) -> Markup:
        """The hidden field that every form carries."""
        token = form_token(self.session.csrf if self.session else self.guest_secret)
        return Markup('<input type="hidden" name="form_token" value="{}">').format(token)

    def answer(self, template: str, /, *, status: int = 200, **values: object) -> Response:
        """The rendered page."""
        return HTMLResponse(self.render(template, values), status_code=status)

    def go(self, path: str) -> Response:
        """See the page at `path` (after a form)."""
        return RedirectResponse(path, status_code=303)
