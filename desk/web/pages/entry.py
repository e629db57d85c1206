"""In and out: signing in, the one-time links that make an account or a new password, signing out."""

from __future__ import annotations

from functools import partial

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response

from desk import known_browsers, people, sessions
from desk.people import MIN_PASSWORD, Person
from desk.refusals import Refused
from desk.web.visit import NotFound, Visit
from desk.web.wanted import FIELD, is_open_to

__all__ = ["new_password", "show_new_password", "show_sign_in", "show_welcome", "sign_in", "sign_out", "welcome"]


class Entered(Struct, frozen=True, kw_only=True):
    """Somebody who is in, with what their cookies will hold."""

    person: Person
    session_secret: str
    browser_secret: str


def show_sign_in(visit: Visit) -> Response:
    """The form, or straight in for whoever is signed in already."""
    if visit.session:
        return visit.go(_wanted(visit, visit.person))
    return _sign_in_page(visit, problem="", status=200)


def sign_in(visit: Visit) -> Response:
    """Begin a session; the answer never says whether login or password was wrong."""
    services = visit.services
    login = visit.form.one("login")
    known = known_browsers.find(services.engine, visit.browser_secret, login=login, clock=services.clock)
    shared = visit.shared
    wait_s = shared.sign_ins.wait_s("everybody") if known is None else shared.sign_ins_by_browser.wait_s(known)
    if wait_s:
        return _sign_in_page(visit, problem=f"Many sign-ins in a short time; try again in {wait_s} s.", status=429)
    try:
        entered = people.signed_in(
            services.engine,
            login=login,
            password=visit.form.one("password"),
            clock=services.clock,
            browser=visit.browser_secret,
            then=partial(_enter, visit),
        )
    except Refused as refusal:
        return _sign_in_page(visit, problem=str(refusal), status=429)
    if entered is None:
        return _sign_in_page(visit, problem="Login or password is not right.", status=401)
    return _shown_in(visit, entered)


def show_welcome(visit: Visit) -> Response:
    """What the one-time link opens: choose a login and a password."""
    return _welcome_page(visit, problem="", status=200)


def welcome(visit: Visit) -> Response:
    """Make the account that the link stands for and sign it in; the link is spent."""
    try:
        entered = people.use_link(
            visit.services.engine,
            visit.path("token"),
            login=visit.form.one("login"),
            password=_password(visit),
            clock=visit.services.clock,
            then=partial(_enter, visit),
        )
    except Refused as refusal:
        return _welcome_page(visit, problem=str(refusal), status=400)
    return _shown_in(visit, entered)


def show_new_password(visit: Visit) -> Response:
    """What the one-time link of somebody who has forgotten their password opens."""
    return _new_password_page(visit, problem="", status=200)


def new_password(visit: Visit) -> Response:
    """Give the link's holder the new password and sign them in; the link is spent."""
    try:
        entered = people.use_password_link(
            visit.services.engine,
            visit.path("token"),
            password=_password(visit),
            clock=visit.services.clock,
            then=partial(_enter, visit),
        )
    except Refused as refusal:
        return _new_password_page(visit, problem=str(refusal), status=400)
    return _shown_in(visit, entered)


def sign_out(visit: Visit) -> Response:
    """End this session, on the server and in the browser."""
    if visit.session is not None:
        sessions.end(visit.services.engine, visit.session.id)
    response = visit.go("/sign-in")
    visit.shared.cookies.clear_session(response)
    return response


def _password(visit: Visit) -> str:
    """The password that somebody chooses. Raises `Refused` unless they wrote the same twice."""
    password = visit.form.one("password")
    if password != visit.form.one("again"):
        raise Refused("The two passwords differ.")
    return password


def _enter(visit: Visit, connection: Connection, person: Person) -> Entered:
    """Begin a session in place of the visitor's former one, and know the browser."""
    now, former = visit.services.clock.now(), visit.request.cookies.get(visit.shared.cookies.session)
    browser = known_browsers.remember(connection, person.id, former=visit.browser_secret, now=now)
    secret, _ = sessions.start(connection, person, now=now, replacing=former)
    return Entered(person=person, session_secret=secret, browser_secret=browser)


def _shown_in(visit: Visit, entered: Entered) -> Response:
    response = visit.go(_wanted(visit, entered.person))
    visit.shared.cookies.set_session(response, entered.session_secret)
    visit.shared.cookies.set_browser(response, entered.browser_secret)
    return response


def _wanted(visit: Visit, person: Person) -> str:
    """The page that led to the sign-in, if this person may open it; else where their role begins."""
    to = visit.form.one(FIELD) or visit.query(FIELD)
    return to if is_open_to(person.role, to, request=visit.request) else "/"


def _sign_in_page(visit: Visit, *, problem: str, status: int) -> Response:
    login, to = visit.form.one("login"), visit.form.one(FIELD) or visit.query(FIELD)
    response = visit.answer("sign_in.html", status=status, problem=problem, login=login, to=to)
    visit.shared.cookies.set_guest(response, visit.guest_secret)
    return response


def _welcome_page(visit: Visit, *, problem: str, status: int) -> Response:
    token = visit.path("token")
    role = people.link_role(visit.services.engine, token, clock=visit.services.clock)
    if role is None:
        raise NotFound(people.NO_LINK)
    response = visit.answer(
        "welcome.html",
        status=status,
        problem=problem,
        role=role,
        token=token,
        login=visit.form.one("login"),
        least_password=MIN_PASSWORD,
    )
    visit.shared.cookies.set_guest(response, visit.guest_secret)
    return response


def _new_password_page(visit: Visit, *, problem: str, status: int) -> Response:
    token = visit.path("token")
    holder = people.password_link_holder(visit.services.engine, token, clock=visit.services.clock)
    if holder is None:
        raise NotFound(people.NO_LINK)
    response = visit.answer(
        "new_password.html",
        status=status,
        problem=problem,
        login=holder.login,
        token=token,
        least_password=MIN_PASSWORD,
    )
    visit.shared.cookies.set_guest(response, visit.guest_secret)
    return response
