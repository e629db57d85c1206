"""The desk in a real browser: the whole way from sign-in to a released alert with and without scripts, narrow screens,
right-to-left posts, keys, contrast and focus. The content security policy is never bypassed."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from desk import outbox, reviews
from tests.desk_world import (
    ARABIC,
    DATE_ALERT,
    LIKE_ARABIC,
    PASSWORD,
    POSTS,
    World,
    copied_desk,
    post_path,
    read_post,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DISPUTED = "fedi.example:date-3"
NARROW: ViewportSize = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1360, "height": 900}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Served:
    """A desk that listens on the loopback, and what its pages complain of."""

    def __init__(self, world: World, url: str, chromium: Browser) -> None:
        self.world = world
        self.url = url
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def page(self, *, scripts: bool = True, viewport: ViewportSize = WIDE, dark: bool = False) -> Page:
        context = self._chromium.new_context(
            java_script_enabled=scripts, viewport=viewport, color_scheme="dark" if dark else "light", base_url=self.url
        )
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def signed_in(self, login: str, *, scripts: bool = True, viewport: ViewportSize = WIDE, dark: bool = False) -> Page:
        self.world.person(login.partition("-")[0], login)  # type: ignore[arg-type]
        page = self.page(scripts=scripts, viewport=viewport, dark=dark)
        page.goto("/")
        page.get_by_label("Login").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("nav.menu")).to_be_attached()
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@pytest.fixture
def served(filled: Path, tmp_path: Path, chromium: Browser) -> Iterator[Served]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with copied_desk(filled, tmp_path / "desk", base_url=url) as world:
        server = uvicorn.Server(uvicorn.Config(world.app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        made = Served(world, url, chromium)
        yield made
        made.close()
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
    assert made.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_whole_way_from_the_queue_to_a_released_alert(served: Served, scripts: bool) -> None:
    page = served.signed_in("lead-one", scripts=scripts)
    page.get_by_role("link", name="Queue").click()
    page.get_by_role("button", name="Take the next post").click()

    expect(page.locator("mark.flag")).to_be_hidden()
    page.get_by_text("Show the words").click()
    expect(page.locator("mark.flag")).to_have_text("She will not see election day")
    page.get_by_role("radio", name="Urgent").check()
    page.locator("input[name=code][value=G-THR-KILL]").check()
    page.get_by_label("Find a code by typing").fill("D3")
    page.get_by_role("textbox", name="Note").fill("The support line was told.")
    page.get_by_role("button", name="Decide and stop").click()

    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    review = reviews.of_subject(served.world.services.engine, "post", "fedi.example:threat-1")[0]
    assert (review.verdict, review.codes) == ("urgent", ("G-THR-KILL", "D3"))

    page.get_by_role("link", name="Alerts").click()
    page.get_by_role("link", name="wrong-polling-date").click()
    expect(page.locator(".message-text").first).to_contain_text("[TLP:AMBER] new alert, high: wrong-polling-date")
    page.get_by_role("button", name="Release to partners").click()
    expect(page.get_by_text("Messages leave in ten seconds")).to_be_visible()
    expect(page.get_by_role("row", name="voters-league/hook")).to_contain_text("queued")
    assert len(outbox.of_alert(served.world.services.engine, DATE_ALERT.id)) == 2

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nothing was sent; the alert waits again.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_scrolls_sideways_on_a_narrow_screen_and_no_text_is_pale(served: Served, dark: bool) -> None:
    page = served.signed_in("lead-one", viewport=NARROW, dark=dark)
    _disagree(served.world)
    page.goto("/queue")
    page.get_by_role("button", name="Take the next post").click()
    paths = [
        "/disagreements",
        *("/overview", "/queue", "/alerts", "/alerts?state=all", f"/alerts/{DATE_ALERT.id}", "/search", "/tip"),
        *("/sources", "/dead-letters", "/dead-letters/0/0", "/audit", "/people", "/sessions", "/nowhere"),
        *(post_path(post.key) for post in POSTS),
    ]
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert page.evaluate(_PALE) == [], path
        assert page.evaluate(_SMALL) == [], path
    served.complaints[:] = [line for line in served.complaints if "404" not in line]


def _disagree(world: World) -> None:
    """Two reviewers say different things of a post that does not wait in the queue."""
    read_post(world, DISPUTED, "reviewer-one", "N-PROC-DATE", "N-IMPERSON", verdict="alert", note="the day is wrong")
    read_post(world, DISPUTED, "reviewer-two", "X-OFFICIAL", verdict="dismiss", note="the office said so")
    world.clock.advance(timedelta(seconds=11))


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_lead_sees_two_readings_side_by_side_and_decides(served: Served, scripts: bool) -> None:
    _disagree(served.world)
    page = served.signed_in("lead-one", scripts=scripts)
    page.get_by_role("link", name="Disagreements 1").click()
    page.get_by_role("link", name="look at post 1").click()
    one, other = (page.get_by_role("region", name=f"Reader {number}").bounding_box() for number in (1, 2))
    assert one is not None
    assert other is not None
    assert (one["y"], one["x"] + one["width"] < other["x"]) == (other["y"], True)
    page.get_by_role("radio", name="Alert").check()
    page.locator("input[name=code][value=N-PROC-DATE]").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    served.world.clock.advance(timedelta(seconds=11))
    page.reload()
    expect(page.get_by_text("Nobody disagrees")).to_be_visible()


def test_on_a_narrow_screen_the_way_to_each_post_and_the_menu_are_in_sight(served: Served) -> None:
    page = served.signed_in("reviewer-one", viewport=NARROW)
    page.goto("/queue")
    box = page.get_by_role("link", name="look at post 1").first.bounding_box()
    menu = page.get_by_role("button", name="Menu").bounding_box()
    assert box is not None
    assert menu is not None
    assert box["x"] + box["width"] <= NARROW["width"]
    assert menu["height"] < 50  # one line
    page.goto(post_path("fedi.example:threat-1"))
    page.get_by_role("link", name="To the decision").click()
    expect(page.get_by_role("button", name="Take this post")).to_be_in_viewport()


def test_on_a_narrow_screen_a_code_is_read_in_words_and_none_is_cut_off(served: Served) -> None:
    page = served.signed_in("reviewer-one", viewport=NARROW)
    for path in ("/queue", post_path("fedi.example:date-1"), f"/alerts/{DATE_ALERT.id}"):
        page.goto(path)
        badge = page.locator(".badge.code", has_text="Wrong date").filter(visible=True).first
        expect(badge.get_by_text("N-PROC-DATE")).to_be_visible()
        box = badge.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= NARROW["width"], path
        assert page.evaluate(_CUT) == [], path


_CUT = """() => [...document.querySelectorAll(".badge.code")]
  .filter((node) => node.checkVisibility() && node.scrollWidth > node.clientWidth)
  .map((node) => node.textContent)"""
"""Codes of which a part is out of sight."""

_PALE = """() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const node of document.querySelectorAll("body *")) {
    const words = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!words || !node.checkVisibility() || node.closest("svg, .sr, :disabled")) continue;
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const words_of = `${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 30)}`;
    if (ratio < 4.5) pale.push(`${words_of} ${ratio.toFixed(2)}`);
  }
  return pale;
}"""
"""Visible text whose contrast with its ground is below WCAG's 4.5 : 1."""

_SMALL = """() => [...document.querySelectorAll("button, .button, input, select, textarea, summary, nav a, .choice")]
  .filter((node) => node.checkVisibility() && !node.matches("[type=hidden], label.choice input"))
  .map((node) => [node, node.getBoundingClientRect()])
  .filter(([node, box]) => box.height < 43.5 || box.width < 24)
  .map(([node, box]) => `${node.outerHTML.slice(0, 60)} ${box.width}x${box.height}`)"""
"""Controls lower than 44 pixels."""


def test_a_right_to_left_post_is_set_from_the_right_with_its_marks_in_order(served: Served) -> None:
    page = served.signed_in("reviewer-one")
    page.goto(post_path("fedi.example:arabic-1"))
    words = page.locator(".post .words")
    expect(words).to_have_text(ARABIC)
    expect(words).to_have_css("direction", "rtl")
    box = words.bounding_box()
    person, flag = (page.locator(f"mark.{name}").first.bounding_box() for name in ("target", "flag"))
    assert box is not None
    assert person is not None
    assert flag is not None
    assert person["x"] > flag["x"]  # named first, so further right
    assert abs(box["x"] + box["width"] - (person["x"] + person["width"])) < 30
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    example = page.locator("q", has_text=LIKE_ARABIC)
    expect(example).to_be_hidden()
    page.get_by_text("Show the example").click()
    expect(example).to_be_visible()
    expect(example).to_have_css("direction", "rtl")


def test_the_undo_banner_leaves_by_itself(served: Served) -> None:
    page = served.signed_in("reviewer-one", scripts=False)
    page.goto("/queue")
    page.get_by_role("button", name="Take the next post").click()
    page.get_by_role("radio", name="Log").check()
    page.get_by_role("button", name="Decide and stop").click()
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    assert page.evaluate("document.getAnimations().map((one) => one.effect.getTiming().delay)") == [10_000]
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")
    expect(page.get_by_text("Decision recorded.")).to_be_hidden()


def test_keys_press_buttons_outside_fields_only_and_can_be_switched_off(served: Served) -> None:
    page = served.signed_in("reviewer-one")
    page.goto("/queue")
    page.wait_for_timeout(100)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    page.wait_for_timeout(100)
    page.keyboard.press("3")
    expect(page.get_by_role("radio", name="Watch")).to_be_checked()
    page.get_by_role("textbox", name="Note").fill("")
    page.get_by_role("textbox", name="Note").press_sequentially("sd1")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("sd1")
    expect(page.get_by_role("radio", name="Watch")).to_be_checked()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    page.goto("/sessions")
    page.get_by_role("button", name="Switch keys off").click()
    page.goto("/queue")
    page.wait_for_timeout(100)
    page.keyboard.press("n")
    page.wait_for_timeout(200)
    expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()


def test_a_form_whose_answer_never_came_can_be_sent_again(served: Served) -> None:
    page = served.signed_in("reviewer-one")
    page.goto("/queue")
    page.get_by_role("button", name="Take the next post").click()
    page.get_by_role("radio", name="Log").check()
    decide = page.get_by_role("button", name="Decide and stop")
    lost: list[str] = []
    page.route("**/queue/decide", lambda route: lost.append(route.request.url), times=1)
    decide.click(no_wait_after=True)
    page.wait_for_timeout(200)
    page.context.new_cdp_session(page).send("Page.stopLoading")
    decide.click(no_wait_after=True)  # a double click
    page.wait_for_timeout(200)
    assert len(lost) == 1
    expect(page.get_by_role("heading", name="Your decision")).to_be_visible()
    page.wait_for_timeout(5_000)
    decide.click()
    expect(page.get_by_text("Decision recorded.")).to_be_visible()


def test_every_page_is_usable_by_keyboard_alone_and_shows_where_the_focus_is(served: Served) -> None:
    page = served.signed_in("lead-one")
    page.goto("/alerts")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid", reached
        if reached[-1] == "wrong-polling-date":
            break
    assert reached[-1] == "wrong-polling-date"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="wrong-polling-date", exact=True)).to_be_visible()


def test_the_menu_opens_on_a_narrow_screen_without_scripts(served: Served) -> None:
    page = served.signed_in("reviewer-one", scripts=False, viewport=NARROW)
    expect(page.get_by_role("link", name="Alerts")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def test_hostile_text_runs_nothing_and_loads_nothing(served: Served) -> None:
    page = served.signed_in("reviewer-one")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.goto(post_path("fedi.example:hostile/1?x=<b>#&"))
    expect(page.locator(".post .words").last).to_contain_text("<script>alert(1)</script>")
    assert all(url.startswith(served.url) for url in asked)
    assert page.locator("main img, main script, main iframe").count() == 0


def test_an_inline_script_would_be_refused(served: Served) -> None:
    page = served.signed_in("reviewer-one")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in line for line in served.complaints)
    served.complaints.clear()


def test_every_form_field_has_a_label_and_ids_are_used_once(served: Served) -> None:
    page = served.signed_in("lead-one")
    page.goto("/queue")
    page.get_by_role("button", name="Take the next post").click()
    for path in (page.url, "/search", "/tip", "/people", "/sessions", f"/alerts/{DATE_ALERT.id}"):
        page.goto(path)
        unlabelled = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
            .filter((field) => !field.labels.length).map((field) => field.name)"""
        assert page.evaluate(unlabelled) == [], path
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert len(ids) == len(set(ids)), path
        assert page.locator("h1").count() == 1, path
