"""The search page: the language with its errors, opaque ids, counts, paging; and the pages that show the machine."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from desk.web import searches
from hustings.contracts import Record
from hustings.types import DeadLetter
from hustings.wire import encode
from tests.desk_world import MARKER, START, Browser, World, assessed


def search(browser: Browser, query: str) -> httpx.Response:
    return browser.follow(browser.submit(browser.get("/search"), "/search", query=query))


def keys(page: httpx.Response) -> list[str]:
    return [unescape(key) for key in re.findall(r'href="/posts/fedi\.example%3A([^"]*)"', page.text)]


def test_a_search_finds_newest_first_with_counts_that_narrow_it(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = search(browser, "flag:*")
    assert keys(page) == ["threat-1", "date-1", "date-2", "date-3", "arabic-1"]
    assert "<strong>5</strong> posts match now" in page.text
    narrower = [unescape(query) for query in re.findall(r'name="query" value="([^"]*)"', page.text)]
    assert '(flag:*) lang:"ar"' in narrower
    assert '(flag:*) target:"mara-tellan"' in narrower
    assert '<button class="plain">Mara Tellan</button>' in page.text
    assert keys(search(browser, '(flag:*) lang:"ar"')) == ["arabic-1"]


def test_the_address_of_a_search_says_nothing_of_it(world: World) -> None:
    page = search(world.signed_in("reviewer"), MARKER)
    assert re.fullmatch(r"/search/[\w-]{16}", page.url.path)
    assert keys(page) == ["plain-1"]


@pytest.mark.parametrize(
    ("query", "column", "marked", "says"),
    [
        ("vote flagg:G-THR", 6, "flagg", "no field <code>flagg</code>"),
        ('"polling station', 1, "&#34;polling", ""),
        ("vote OR", 8, "␣", ""),
        ("*vote", 1, "*vote", ""),
        ("flag:G-NOTHING", 6, "G-NOTHING", "no code or alias"),
    ],
)
def test_a_mistake_is_marked_where_it_is(world: World, query: str, column: int, marked: str, says: str) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(browser.get("/search"), "/search", query=query)
    assert answer.status_code == 400
    found = re.search(r"Column (\d+):</strong> (.*?)</p>.*?<u>(.*?)</u>", answer.text, re.DOTALL)
    assert found is not None, answer.text
    assert (int(found[1]), found[3]) == (column, marked)
    assert says in found[2]


@pytest.mark.parametrize("query", ["x" * 600, "<script>alert(1)</script>", "ﷺ" * 40, "a" * 200 + ":b"])
def test_a_strange_query_gets_a_page(world: World, query: str) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(browser.get("/search"), "/search", query=query)
    assert answer.status_code in (303, 400)
    assert "<script>alert" not in answer.text


def test_long_results_go_on_page_by_page_without_gap_or_repeat(world: World) -> None:
    more = [assessed(f"many-{number:02}", f"ballot number {number}", minutes_ago=100 + number) for number in range(60)]
    world.index.write(more, log_id=world.log.id)
    browser = world.signed_in("reviewer")
    page, found = search(browser, "ballot"), []
    while True:
        found += keys(page)
        onward = re.search(r'rel="next" href="([^"]*)"', page.text)
        if onward is None:
            break
        page = browser.get(unescape(onward[1]))
    assert found == [f"many-{number:02}" for number in range(60)]


def test_a_page_token_that_was_never_given_is_not_found(world: World) -> None:
    browser = world.signed_in("reviewer")
    path = search(browser, "flag:*").url.path
    assert browser.get(f"{path}?after=nonsense").status_code == 404


def test_searches_are_listed_for_their_author_and_forgotten_after_thirty_days(world: World) -> None:
    browser, other = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    path = search(browser, MARKER).url.path
    assert search(browser, MARKER).url.path == path
    assert MARKER in browser.get("/search").text
    assert MARKER not in other.get("/search").text
    world.clock.advance(searches.KEPT + timedelta(minutes=1))
    browser = world.signed_in("reviewer")
    search(browser, "ferry")
    assert browser.get(path).status_code == 404


def test_the_overview_shows_loops_lag_what_waits_and_the_hours(world: World) -> None:
    world.log.append("posts", [Record("fedi.example:new", encode(assessed("new", "unread").post))])
    html = world.signed_in("viewer").get("/overview").text
    assert re.findall(r"<strong>(\w+)</strong><span class=\"row\"><span class=\"badge (\w+)\"", html) == [
        ("collect", "good"),
        ("analyze", "good"),
        ("watch", "alarm"),
        ("deliver", "alarm"),
        ("desk", "alarm"),
    ]
    figures = re.findall(r'class="name">([^<]*)</span><span class="value">([^<]*)<', html)
    assert figures == [
        ("alerts wait for release", "2"),
        ("posts wait for a reader", "5"),
        ("posts to analyse", "1"),
        ("posts known", "7"),
    ]
    assert '<tr><th scope="row">10 Mar 2027, 11:00</th><td class="number">6</td><td class="number">5</td></tr>' in html
    assert "7 posts, 5 of them flagged" in html
    assert "0 revised, 1 unusable" in html  # the dead letter of a source, which never became a post
    assert "1 source needs a look: radio-north" in html


def test_a_loop_whose_heart_stops_is_shown(world: World) -> None:
    world.clock.advance(timedelta(minutes=3))
    html = world.signed_in("viewer").get("/overview").text
    assert html.count("silent for 3 min") == 2


def test_sources_tell_their_gaps_and_caps(world: World) -> None:
    html = world.signed_in("engineer").get("/sources").text
    assert html.index("radio-north") < html.index(">fedi<")
    for said in ("gap for 4 h 30 min", "does not answer", "(9 times)", "bytes × 2", "20 s"):
        assert said in html


def test_dead_letters_show_reason_command_and_escaped_bytes(world: World) -> None:
    lead = world.signed_in("lead")
    listed = lead.get("/dead-letters").text
    assert "unknown_key" in listed
    assert "a_private_handle" not in listed
    one = lead.get("/dead-letters/0/0").text
    assert "&#34;colour&#34;: &#34;&lt;b&gt;red&lt;/b&gt;&#34;" in one
    assert "\\xff" in one
    assert f"hustings dead-letters replay {'d1' * 16}" in one
    assert "dead-letter-read" in lead.get("/audit").text
    assert lead.get("/dead-letters/0/1").status_code == 404
    assert lead.get("/dead-letters/7/0").status_code == 404


def test_only_the_newest_dead_letters_are_listed_and_all_are_counted(world: World) -> None:
    letters = [
        DeadLetter(
            id=f"{number:032x}",
            stage="collect",
            reason="not_json",
            detail=f"number {number}.",
            origin="archive",
            original=b"{" * 30_000,
            at=START + timedelta(seconds=number),
        )
        for number in range(80)
    ]
    world.log.append("dead-letters", [Record(letter.id, encode(letter)) for letter in letters])
    lead = world.signed_in("lead")
    html = lead.get("/dead-letters").text
    assert "81 in all" in html
    assert "number 79." in html
    assert "number 29." not in html
    assert len(lead.get("/dead-letters/0/5").content) < 60_000
