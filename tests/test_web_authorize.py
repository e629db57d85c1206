"""Who may use which address: the table against every route and every role, and against the design's own table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.responses import Response

from desk.people import ROLES, DeskRole
from desk.web import app
from desk.web.authorize import ALLOWED, may
from desk.web.routes import ROUTES, Route
from desk.web.security import form_token
from desk.web.visit import NAVIGATION, Visit
from tests.desk_world import DATE_ALERT, World, desk_world, post_path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with desk_world(tmp_path_factory.mktemp("desk")) as made:
        yield made


PUBLIC = {
    *("static", "health", "sign-in", "sign-in-send", "welcome", "welcome-send", "api-tips"),
    *("new-password", "new-password-send"),
}
EVERY_ROLE = {"home", "sign-out", "sessions", "session-end", "password", "tip", "tip-send"}
READS_POSTS = {
    *("queue", "queue-next", "queue-take", "post", "decide", "reverse", "skip", "renew", "undo", "alerts", "alert"),
    *("alert-release", "alert-decline", "alert-retract", "alert-undo", "alert-second-look"),
}
AGGREGATES = {"overview", "search", "search-send", "search-found", "sources"}
WRITTEN_DOWN: dict[DeskRole, set[str]] = {
    "viewer": EVERY_ROLE | AGGREGATES,
    "reviewer": EVERY_ROLE | AGGREGATES | READS_POSTS,
    "lead": EVERY_ROLE
    | AGGREGATES
    | READS_POSTS
    | {"disagreements", "alert-requeue", "dead-letters", "dead-letter", "audit", "people", "invite", "person-close"},
    "engineer": EVERY_ROLE | AGGREGATES | {"dead-letters"},
    "admin": EVERY_ROLE | {"audit", "people", "invite", "person-close"},
}
"""The table of roles once more, by role: two people who change one of them have to change the other too."""


def test_the_table_names_exactly_the_routes() -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
    assert set(ALLOWED) == set(names)


def test_the_table_says_what_the_design_says() -> None:
    assert {name for name, allowed in ALLOWED.items() if allowed is None} == PUBLIC
    for role in ROLES:
        assert {name for name in ALLOWED if may(role, name)} == WRITTEN_DOWN[role] | PUBLIC


def test_what_the_table_does_not_name_is_closed() -> None:
    assert not any(may(role, "a-page-of-tomorrow") for role in ROLES)


def test_the_menu_names_only_routes_of_the_table() -> None:
    assert {page.route for page in NAVIGATION} <= set(ALLOWED)


def _address(route: Route) -> str:
    path = route.path.replace("/posts/{key:path}", post_path("fedi.example:plain-1"))
    if route.name.startswith("alert"):
        path = path.replace("{id}", DATE_ALERT.id)
    return re.sub(r"\{[^}]*\}", "0", path)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_lets_in_exactly_its_roles(world: World, route: Route, role: DeskRole) -> None:
    browser = world.signed_in(role)
    if route.method == "GET":
        answer = browser.get(_address(route))
    else:
        answer = browser.post(_address(route), {"form_token": _token(browser.get("/sessions").text)})
    refused = answer.status_code == 403 and "not for the role" in answer.text
    assert refused is (not may(role, route.name))
    assert answer.status_code < 500


def _token(html: str) -> str:
    found = re.search(r'name="form_token" value="([^"]*)"', html)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("route", [r for r in ROUTES if r.name not in PUBLIC], ids=lambda route: route.name)
def test_without_a_session_there_is_only_the_way_to_the_sign_in(world: World, route: Route) -> None:
    browser = world.browser()
    way = "/sign-in"
    if route.method == "GET":
        answer = browser.get(_address(route))
        if route.name != "home":
            way = f"/sign-in?{urlencode({'to': _address(route)})}"
    else:
        answer = browser.post(_address(route), {"form_token": form_token("anything")})
    assert (answer.status_code, answer.headers["location"]) == (303, way)


@pytest.mark.parametrize("asks_who", [True, False])
def test_a_route_for_programs_that_needs_a_role_is_guarded_as_a_page_is(
    world: World, asks_who: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is none so far; `is_api` alone must not open one."""

    def page(visit: Visit) -> Response:
        return Response("the page was reached")

    route = Route("tip-send", "POST", "/tip", page, is_api=True, asks_who=asks_who)
    monkeypatch.setattr(app, "ROUTES", (*(other for other in ROUTES if other.name != route.name), route))
    desk = world.over()
    answers = [
        desk.browser().post("/tip", {}),
        desk.browser().post("/tip", {"form_token": form_token("anything")}),
        desk.signed_in("viewer").post("/tip", {}),
    ]
    browser = desk.signed_in("viewer")
    mine = {"form_token": _token(browser.get("/sessions").text)}
    answers.append(browser.post("/tip", mine, **{"sec-fetch-site": "cross-site"}))
    assert [answer.status_code for answer in answers] == [303, 303, 403 if asks_who else 303, 403]
    assert browser.post("/tip", mine).status_code == (200 if asks_who else 303)


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_shows_only_what_the_role_may_open(world: World, role: DeskRole) -> None:
    browser = world.signed_in(role)
    home = browser.follow(browser.get("/"))
    assert home.status_code == 200
    menu = re.search(r'<nav class="menu".*?</nav>', home.text, re.DOTALL)
    assert menu is not None
    offered = set(re.findall(r'href="([^"]*)"', menu[0])) - {"/sessions"}
    assert offered == {page.path for page in NAVIGATION if may(role, page.route)}
    for path in offered:
        assert browser.get(path).status_code == 200


def test_roles_that_see_aggregates_get_numbers_and_no_words(world: World) -> None:
    for role in ("viewer", "engineer"):
        browser = world.signed_in(role)  # type: ignore[arg-type]
        found = browser.follow(browser.submit(browser.get("/search"), "/search", query="ferry"))
        assert "<strong>1</strong> post matches now" in found.text
        assert "Numbers only" in found.text
        assert "Oslet" not in found.text
        assert "/posts/" not in found.text


def test_an_engineer_sees_the_reason_of_a_dead_letter_and_not_its_bytes(world: World) -> None:
    html = world.signed_in("engineer").get("/dead-letters").text
    assert "unknown_key" in html
    assert "a_private_handle" not in html
    assert "/dead-letters/0/0" not in html
