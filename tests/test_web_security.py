"""The guards before every page: host, size, origin, forms, cookies, headers, and failures that stay clean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from desk.web.routes import ROUTES
from desk.web.security import CONTENT_SECURITY_POLICY, FORM_BYTES, Hosts, form_token, is_form_token
from desk.web.throttle import Throttle
from hustings.clock import VirtualClock
from hustings.contracts import Page
from tests.desk_world import (
    BASE_URL,
    HOSTILE,
    MARKER,
    PASSWORD,
    POSTS,
    START,
    World,
    desk_world,
    hidden_fields,
    post_path,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with desk_world(tmp_path_factory.mktemp("desk")) as made:
        yield made


PAGES = (
    "/overview",
    "/queue",
    "/alerts",
    "/alerts?state=all",
    f"/alerts/{'a' * 32}",
    f"/alerts/{'b' * 32}",
    "/search",
    "/tip",
    "/sources",
    "/dead-letters",
    "/dead-letters/0/0",
    "/audit",
    "/people",
    "/sessions",
    *(post_path(post.key) for post in POSTS),
)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_inline_style_or_script_or_anything_from_elsewhere(world: World, path: str) -> None:
    answer = world.signed_in("lead").get(path)
    assert answer.status_code == 200
    html = answer.text
    assert re.findall(r"<[^>]*\s(?:style|on[a-z]+)\s*=", html) == []
    assert re.findall(r"<style|javascript:", html, re.IGNORECASE) == []
    assert re.findall(r"<script(?! src=\"/static/[0-9a-f]{16}/keys\.js\" defer></script>)", html) == []
    assert [url for url in re.findall(r'(?:src|href|action)="([^"]*)"', html) if not url.startswith(("/", "#"))] == []
    assert "<img" not in html
    assert len(answer.content) < 60_000


def test_a_hostile_post_is_shown_as_text(world: World) -> None:
    html = world.signed_in("lead").get(post_path("fedi.example:hostile/1?x=<b>#&")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=&#34;https://tracker.example/p.gif&#34;" in html
    assert "&lt;b&gt;title&lt;/b&gt;" in html
    assert "<i>reason" not in html
    assert HOSTILE not in html


@pytest.mark.parametrize("path", ["/healthz", "/sign-in", "/nowhere", "/overview", "/static/0/desk.css"])
def test_every_answer_carries_the_headers(world: World, path: str) -> None:
    headers = world.browser().get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_static_files_are_kept_for_ever_and_scripts_stay_small(world: World) -> None:
    browser = world.browser()
    html = world.signed_in("viewer").get("/overview").text
    for path in re.findall(r'"(/static/[^"]*)"', html):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        if path.endswith(".js"):
            assert len(answer.content) <= 3 * 1024


def test_health_shows_nothing_but_ok(world: World) -> None:
    answer = world.browser().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8780", 200),
        ("localhost:8780", 200),
        ("[::1]:8780", 200),
        ("127.0.0.1", 400),
        ("127.0.0.1:9999", 400),
        ("evil.example:8780", 400),
        ("localhost:8780@evil.example", 400),
        ("", 400),
    ],
)
def test_only_our_own_names_are_answered(world: World, host: str, status: int) -> None:
    assert world.browser().get("/healthz", host=host).status_code == status


@pytest.mark.parametrize(
    ("base_url", "host", "is_ours"),
    [
        ("https://desk.example", "desk.example", True),
        ("https://desk.example", "desk.example:443", True),
        ("https://desk.example", "DESK.example", True),
        ("https://desk.example", "desk.example:80", False),
        ("https://desk.example", "localhost", False),
        ("http://127.0.0.1:0", "127.0.0.1:43211", True),
        ("http://127.0.0.1:0", "evil.example:43211", False),
        ("http://10.0.0.5:8780", "10.0.0.5:8780", True),
        ("http://10.0.0.5:8780", "10.0.0.5:port", False),
    ],
)
def test_the_names_of_a_desk_follow_from_its_base_url(base_url: str, host: str, is_ours: bool) -> None:
    assert (host in Hosts(base_url)) is is_ours


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 401),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 401),
        ({"origin": BASE_URL}, 401),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": BASE_URL}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_form_must_come_from_our_own_page(world: World, headers: dict[str, str], status: int) -> None:
    browser = world.browser()
    fields = hidden_fields(browser.get("/sign-in").text, "/sign-in")
    answer = browser.client.post("/sign-in", data={**fields, "login": "x", "password": "y"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST" and not route.is_api])
def test_every_form_needs_its_token(world: World, route: object) -> None:
    browser = world.signed_in("lead")
    path = route.path.format(id="x", token="x")  # type: ignore[attr-defined]
    stranger = form_token("another session")
    for sent in ({}, {"form_token": ""}, {"form_token": "not base64!"}, {"form_token": stranger}):
        answer = browser.post(path, sent)
        assert answer.status_code == 403, sent
        assert "too old" in answer.text


def test_a_form_token_is_fresh_each_time_and_fits_one_secret() -> None:
    tokens = {form_token("secret") for _ in range(50)}
    assert len(tokens) == 50
    assert all(is_form_token(token, "secret") and not is_form_token(token, "other") for token in tokens)
    assert not is_form_token("", "")
    assert not is_form_token(form_token(""), "")


def test_a_body_beyond_the_cap_is_refused_by_its_length_and_by_its_bytes(world: World) -> None:
    browser = world.signed_in("lead")
    page = browser.get("/tip")
    small = browser.submit(page, "/tip", text="x" * 1000)
    assert small.status_code == 303
    assert browser.submit(page, "/tip", text="x" * (FORM_BYTES + 1)).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b"text=" + b"x" * 50_000

    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    assert browser.client.post("/tip", content=chunks(), headers=headers).status_code == 413
    assert browser.get("/tip").status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 40, "١٢"])
def test_a_strange_content_length_is_refused(world: World, length: str) -> None:
    headers = [(b"content-length", length.encode()), (b"sec-fetch-site", b"same-origin")]
    assert world.browser().client.post("/sign-in", headers=headers).status_code == 413


def test_a_sign_in_cookie_is_unreadable_for_scripts_and_changes_at_each_sign_in(world: World) -> None:
    person, browser = world.person("reviewer"), world.browser()
    secrets = set()
    for _ in range(2):
        page = browser.get("/sign-in") if not secrets else None
        if page is None:
            browser.client.cookies.delete("hustings-session")
            page = browser.get("/sign-in")
        answer = browser.submit(page, "/sign-in", login=person.login, password=PASSWORD)
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("hustings-session="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age" not in cookie
        secrets.add(cookie.split(";")[0])
    assert len(secrets) == 2


def test_the_cookie_of_a_known_browser_lasts_and_opens_nothing(world: World) -> None:
    person, browser = world.person("reviewer"), world.browser()
    answer = browser.submit(browser.get("/sign-in"), "/sign-in", login=person.login, password=PASSWORD)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("hustings-browser="))
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={90 * 24 * 3600}"} <= set(cookie.split("; "))
    browser.submit(browser.get("/queue"), "/sign-out")
    assert browser.client.cookies["hustings-browser"] in cookie
    assert browser.get("/queue").headers["location"] == "/sign-in?to=%2Fqueue"


def test_with_https_cookies_are_tied_to_the_host_and_the_browser_is_told_to_stay_there(world: World) -> None:
    app = world.over(base_url="https://desk.example").app
    client = TestClient(app, base_url="https://desk.example", follow_redirects=False)
    page = client.get("/sign-in")
    fields = {**hidden_fields(page.text, "/sign-in"), "login": world.person("reviewer").login, "password": PASSWORD}
    answer = client.post("/sign-in", data=fields, headers={"sec-fetch-site": "same-origin"})
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-hustings-session="))
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    known = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-hustings-browser="))
    assert {"HttpOnly", "Secure", "Path=/"} <= set(known.split("; "))
    assert "Domain" not in known
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert client.get("/queue").status_code == 200


@dataclass
class KeptEvents:
    """Keeps every log line."""

    lines: list[str] = field(default_factory=list)

    def debug(self, event: str, **fields: object) -> None:
        self.lines.append(f"{event} {fields}")

    def error(self, event: str, **fields: object) -> None:
        self.lines.append(f"{event} {fields}")


class BrokenIndex:
    """An index whose search raises with post text in its message."""

    def __init__(self, index: object) -> None:
        self._index = index

    def __getattr__(self, name: str) -> object:
        return getattr(self._index, name)

    def search(self, *_: object, **__: object) -> Page:
        raise ValueError(f"cannot read {MARKER}")


def test_a_failure_is_a_clean_page_and_a_log_line_without_any_text(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    events = KeptEvents()
    browser = world.over(index=BrokenIndex(world.index), events=events).signed_in("viewer")
    answer = browser.get("/overview")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "Traceback" not in answer.text
    assert MARKER not in answer.text
    assert any(
        line.startswith("page_failed {'page': 'overview', 'error': 'ValueError', 'at': '") for line in events.lines
    )
    said = "\n".join(events.lines) + caplog.text + "".join(capfd.readouterr())
    assert MARKER not in said
    assert browser.get("/tip").status_code == 200


def test_no_text_of_posts_or_queries_reaches_a_log_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    events = KeptEvents()
    browser = world.over(events=events).signed_in("lead")
    found = browser.submit(browser.get("/search"), "/search", query=MARKER)
    assert MARKER in browser.follow(found).text
    assert MARKER not in found.headers["location"]
    browser.get(post_path("fedi.example:plain-1"))
    said = "\n".join(events.lines) + caplog.text
    assert "page_served" in said
    assert MARKER not in said
    assert "fedi.example" not in said


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/overview/", 404),
        ("GET", "/static/0123/desk.css", 404),
        ("GET", "/static/%2e%2e/app.py", 404),
        ("POST", "/overview", 405),
        ("DELETE", "/queue", 405),
        ("PUT", "/healthz", 405),
    ],
)
def test_what_does_not_exist_is_refused_cleanly(world: World, method: str, path: str, status: int) -> None:
    answer = world.browser().client.request(method, path)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/queue/decide", 405)])
def test_who_is_signed_in_is_led_back_to_the_desk_and_not_to_the_sign_in(world: World, path: str, status: int) -> None:
    answer = world.signed_in("reviewer").get(path)
    assert (answer.status_code, "To the desk" in answer.text, "Sign in" in answer.text) == (status, True, False)
    assert "Sign in" in world.browser().get(path).text


def test_head_answers_like_get(world: World) -> None:
    browser = world.signed_in("lead")
    for path in ("/healthz", "/overview", "/queue", "/alerts"):
        assert browser.client.head(path).status_code == 200


def test_pages_are_compressed_for_slow_lines(world: World) -> None:
    answer = world.signed_in("lead").get("/queue", **{"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_the_shipped_style_sheet_has_no_outside_address(world: World) -> None:
    css = (Path(__file__).parent.parent / "desk/web/static/desk.css").read_text()
    assert "url(" not in css
    assert "@import" not in css


def test_a_throttle_lets_a_burst_through_and_then_as_many_as_time_allows() -> None:
    clock = VirtualClock(START)
    throttle = Throttle(burst=3, per_minute=6, clock=clock)
    assert [throttle.wait_s("a") for _ in range(4)] == [0, 0, 0, 11]
    assert throttle.wait_s("b") == 0
    clock.advance(timedelta(seconds=10))
    assert [throttle.wait_s("a") for _ in range(2)] == [0, 11]
    clock.advance(timedelta(hours=1))
    assert [throttle.wait_s("a") for _ in range(4)] == [0, 0, 0, 11]
