"""Joins the desk's pages to an application: every route behind the same guards, in the same order.

A request passes host and size (`security`), then here: who asks, whether their role may (`authorize`), whether a form
really comes from our page, and only then the page itself, in a worker thread. What a page raises becomes a clean page;
nothing that was typed or collected reaches a log line.
"""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from desk import sessions
from desk.dispatch import Dispatcher
from desk.refusals import Conflict, Refused
from desk.sessions import Session
from desk.web.authorize import ALLOWED, EVERYONE
from desk.web.disagreements import Disagreements
from desk.web.forms import Form
from desk.web.rendering import environment
from desk.web.routes import ROUTES, Route
from desk.web.security import BodyCap, Cookies, HostCheck, Hosts, SecurityHeaders, is_form_token, is_same_origin
from desk.web.services import DeskServices
from desk.web.static_files import StaticFiles
from desk.web.throttle import Throttle
from desk.web.visit import NotFound, Surroundings, Visit
from desk.web.wanted import sign_in_for
from hustings.errors import Unavailable

__all__ = ["create_app"]

MOST_FIELDS = 1_000
"""Fields of one form; the decision form has one a code."""
AWAY = "A part of the desk does not answer at the moment. Nothing was changed."


def create_app(services: DeskServices) -> FastAPI:
    """The desk over these services. It owns none of them."""
    https = services.base_url.startswith("https://")
    hosts = Hosts(services.base_url)
    files = StaticFiles()
    shared = Surroundings(
        services=services,
        templates=environment(static=files.path, code_title=services.codebook.title),
        cookies=Cookies(https=https),
        files=files,
        dispatcher=Dispatcher(
            services.partners, index=services.index, roster=services.roster, rules=services.rules.values()
        ),
        sign_ins=Throttle(burst=60, per_minute=120, clock=services.clock),
        sign_ins_by_browser=Throttle(burst=10, per_minute=10, clock=services.clock),
        tips_by_person=Throttle(burst=10, per_minute=6, clock=services.clock),
        tips_by_program=Throttle(burst=120, per_minute=120, clock=services.clock),
        disagreements=Disagreements(services),
    )
    app = FastAPI(
        title="Hustings desk",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(SecurityHeaders, https=https),
            Middleware(HostCheck, hosts=hosts),
            Middleware(BodyCap),
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=6),
        ],
    )
    for route in ROUTES:
        app.add_route(route.path, _guarded(route, shared, hosts), methods=[route.method], name=route.name)

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        session = None
        with suppress(Unavailable):  # a wrong address is told all the same, to whoever it is
            session = await run_in_threadpool(_session, shared, request)
        return await run_in_threadpool(_problem, _visit(shared, request, session=session), status, "")

    app.add_exception_handler(HTTPException, refuse)
    return app


def _guarded(route: Route, shared: Surroundings, hosts: Hosts) -> Callable[[Request], Awaitable[Response]]:
    """The route's page behind the guards."""
    events = shared.services.events

    async def endpoint(request: Request) -> Response:
        began = time.perf_counter()
        try:
            response = await _handled(route, shared, hosts, request)
        except ClientDisconnect:
            response = Response(status_code=400)
        except HTTPException:
            raise
        except Unavailable:  # before any page was asked: who is signed in stands in the database too
            response = await run_in_threadpool(_problem, _visit(shared, request), 503, AWAY)
        except Exception as error:  # isolates one request: the next one must be served, and no text may leak
            events.error("page_failed", page=route.name, error=type(error).__name__, at=_place(error))
            response = await run_in_threadpool(_problem, _visit(shared, request), 500, "")
        ms = round(1000 * (time.perf_counter() - began), 1)
        events.debug("page_served", page=route.name, status=response.status_code, ms=ms)
        return response

    return endpoint


async def _handled(route: Route, shared: Surroundings, hosts: Hosts, request: Request) -> Response:
    """Origin, session, role, form, page: the first that objects answers."""
    allowed = ALLOWED.get(route.name, frozenset())
    has_token = route.is_api and allowed is EVERYONE  # else it is guarded as a page is, whoever calls it
    is_form = route.method == "POST" and not has_token
    if is_form and not is_same_origin(request, hosts=hosts):
        return _problem(_visit(shared, request), 403, "The form was not sent from a page of this desk.")
    session = await run_in_threadpool(_session, shared, request) if route.asks_who else None
    visit = _visit(shared, request, session=session)
    if allowed is not EVERYONE:
        if session is None and not is_form:
            return visit.go(sign_in_for(request))
        if session is not None and session.person.role not in allowed:
            return _problem(visit, 403, f"This page is not for the role {session.person.role}.")
    if is_form:
        try:
            form = await _form(request)
        except Refused as refusal:
            return _problem(visit, 400, str(refusal))
        visit = _visit(shared, request, session=session, form=form)
        needs_session = allowed is not EVERYONE and session is None
        secret = session.csrf if session else visit.guest_secret
        if needs_session or not is_form_token(form.one("form_token"), secret):
            return await run_in_threadpool(_not_sent, visit, needs_session=needs_session)
    elif has_token:
        visit = _visit(shared, request, body=await request.body())
    return await run_in_threadpool(_answered, route, visit)


def _answered(route: Route, visit: Visit) -> Response:
    """What the page answers, its refusals as pages too."""
    try:
        return route.page(visit)
    except NotFound as error:
        return _problem(visit, 404, str(error))
    except Refused as error:
        return _problem(visit, 400, str(error))
    except Conflict as error:
        return _problem(visit, 409, str(error))
    except Unavailable:
        return _problem(visit, 503, AWAY)


async def _form(request: Request) -> Form:
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as sent:
        for name, value in sent.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
    return Form(fields)


def _not_sent(visit: Visit, *, needs_session: bool) -> Response:
    """The answer to a form of a session that is over. What somebody has written or decided in it is given back, to be
    sent again once they are signed in: whoever signs in anew has another token, and going back would not help."""
    if visit.form.written or visit.form.chosen:
        return visit.answer("not_sent.html", status=403, form=visit.form)
    if needs_session:
        return visit.go("/sign-in")
    return _problem(visit, 403, "The form has become too old. Go back, reload the page and send it again.")


def _session(shared: Surroundings, request: Request) -> Session | None:
    secret = request.cookies.get(shared.cookies.session, "")
    return sessions.find(shared.services.engine, secret, clock=shared.services.clock) if secret else None


def _visit(
    shared: Surroundings,
    request: Request,
    *,
    session: Session | None = None,
    form: Form | None = None,
    body: bytes = b"",
) -> Visit:
    known = request.cookies.get(shared.cookies.guest, "")
    return Visit(
        shared=shared,
        request=request,
        form=form or Form({}),
        session=session,
        guest_secret=known or secrets.token_urlsafe(32),
        body=body,
    )


_HEADLINES = {
    400: "That did not work",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not this way",
    409: "Somebody was faster",
    413: "Too large",
    503: "Please try again shortly",
}


def _problem(visit: Visit, status: int, text: str) -> Response:
    """A calm page for a refusal or a failure: what happened and the way on, never a traceback."""
    headline = _HEADLINES.get(status, "Something went wrong")
    fallback = (
        "There is nothing at this address." if status == 404 else "Nothing was changed. The desk goes on working."
    )
    sentence = text[:1].upper() + text[1:]
    return visit.answer("problem.html", status=status, headline=headline, text=sentence or fallback)


def _place(error: BaseException) -> str:
    """Where it was raised, as `file:line`, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "unknown"
