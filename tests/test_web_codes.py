"""Codes on the pages: each is read by its title in the codebook, with the code beside it for those who know it."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest

from desk.web.groups import group_words
from hustings.contracts import AlertChanges
from hustings.types import QueueEntry
from tests.desk_world import (
    DATE_ALERT,
    START,
    THREAT_ALERT,
    Browser,
    World,
    assessed,
    flag,
    post_path,
)

THREAT, DATE = (post_path(f"fedi.example:{name}") for name in ("threat-1", "date-1"))
BADGE = '<span class="badge code">{} <code class="soft">{}</code></span>'
DEATH, WRONG_DATE, DOXXING = (
    BADGE.format(title, code)
    for title, code in (
        ("Threat of death", "G-THR-KILL"),
        ("Wrong date", "N-PROC-DATE"),
        ("Gendered doxxing", "G-PRIV-DOX"),
    )
)


def searched(browser: Browser, query: str) -> str:
    return browser.follow(browser.submit(browser.get("/search"), "/search", query=query)).text


def codes_alone(world: World, html: str) -> list[str]:
    """Codes that fill an element whose text before is not their title."""
    book = world.services.codebook
    pairs = re.findall(r"([^<>]*)<[^<>]*>\s*([A-Z]{1,4}[0-9]?(?:-[A-Z0-9]+)+)\s*<", html)
    return [code for before, code in pairs if not unescape(before).strip().endswith(book.title(code))]


def test_the_queue_says_in_words_what_the_machine_flagged(world: World) -> None:
    html = world.signed_in("reviewer").get("/queue").text
    assert DEATH in html
    assert WRONG_DATE in html


@pytest.mark.parametrize("path", ["/queue", THREAT, DATE, f"/alerts/{DATE_ALERT.id}", f"/alerts/{THREAT_ALERT.id}"])
def test_no_page_shows_a_code_without_its_title(world: World, path: str) -> None:
    assert codes_alone(world, world.signed_in("reviewer").get(path).text) == []


def test_posts_of_an_alert_and_of_a_story_carry_their_codes_in_words(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    assert reviewer.get(f"/alerts/{DATE_ALERT.id}").text.count(WRONG_DATE) == 3
    assert reviewer.get(DATE).text.split("Same story")[1].count(WRONG_DATE) == 2


def test_the_list_of_underlined_words_names_flags_in_words(world: World) -> None:
    html = world.signed_in("reviewer").get(THREAT).text
    assert '<span class="badge code warn">flag Threat of death <code class="soft">G-THR-KILL</code></span>' in html


def test_a_search_counts_flags_in_words_and_still_asks_for_them_by_code(world: World) -> None:
    html = searched(world.signed_in("reviewer"), "flag:N-PROC-DATE")
    assert '<button class="plain">Wrong date <code class="soft">N-PROC-DATE</code></button>' in html
    assert '(flag:N-PROC-DATE) flag:"N-PROC-DATE"' in unescape(html)
    assert codes_alone(world, html.split("What can be asked")[0]) == []


def test_former_decisions_stand_in_words_on_the_post_and_beside_a_conflict(world: World) -> None:
    first, second = world.signed_in("reviewer"), world.signed_in("lead")
    page = first.follow(first.submit(first.get(THREAT), "/queue/take"))
    first.submit(page, "/queue/decide", verdict="urgent", code="G-THR-KILL", then="queue")
    assert DEATH in second.get(THREAT).text.split("Decisions so far")[1]

    again = first.submit(page, "/queue/decide", verdict="alert", code=["G-PRIV-DOX", "N-PROC-DAT"], then="queue")
    assert again.status_code == 409
    sent, stands = again.text.split("What stands now")
    assert DOXXING in sent
    assert '<span class="badge code"><code>N-PROC-DAT</code></span>' in sent  # mistyped: there is no title
    assert DEATH in stands


def test_the_decisions_about_an_alert_stand_in_words(world: World) -> None:
    lead, path = world.signed_in("lead"), f"/alerts/{DATE_ALERT.id}"
    lead.submit(lead.get(path), f"{path}/release", codes="n-proc-date")
    assert WRONG_DATE in lead.get(path).text.split("<h3>Decisions</h3>")[1]


def test_a_code_that_the_codebook_does_not_know_stands_as_itself_and_once(world: World) -> None:
    words = "words under a code of another version"
    post = assessed("later-1", words, flags=(flag("N-LATER", 0.9, words, "another"),))
    world.index.write([post], log_id=world.log.id)
    entry = QueueEntry(key=post.key, rule="r-flagged", reason="everything-flagged", priority=1.0, at=START)
    world.book.record(AlertChanges(alerts=(), notices=(), queue=(entry,)), partition=0, epoch=1)
    reviewer = world.signed_in("reviewer")
    assert '<span class="badge code"><code>N-LATER</code></span>' in reviewer.get("/queue").text
    assert '<th scope="row"><code>N-LATER</code></th>' in reviewer.get(post_path(post.key)).text


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (("flag", "G-THR"), "flag Gendered threat (G-THR)"),
        (("phase", "P-CAMP"), "phase Campaign (P-CAMP)"),
        (("flag", "N-LATER"), "flag N-LATER"),
    ],
)
def test_an_alert_about_a_code_says_its_title(world: World, group: tuple[str, str], said: str) -> None:
    of = msgspec.structs.replace(DATE_ALERT, group=(group,))
    assert group_words(of, world.services.roster, world.services.codebook) == said
