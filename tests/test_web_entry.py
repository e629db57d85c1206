"""In and out of the desk: first link, sign-in, sessions, passwords, people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete

from desk import audit, people, reviews
from desk.database.connect import writing
from desk.database.tables import people as people_table
from desk.web.pages.tips import Tip
from hustings.wire import decode
from tests.desk_world import PASSWORD, Browser, World, desk_world, post_path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with desk_world(tmp_path) as made:
        yield made


def test_the_first_link_makes_the_lead_and_works_once(world: World) -> None:
    token = people.first_link(world.services.engine, clock=world.clock)
    browser = world.browser()
    page = browser.get(f"/welcome/{token}")
    assert "role <strong>lead</strong>" in page.text
    sent = {"login": "Oda", "password": PASSWORD, "again": PASSWORD}
    answer = browser.submit(page, f"/welcome/{token}", **sent)
    assert browser.follow(browser.follow(answer)).status_code == 200
    assert [(person.login, person.role) for person in people.listed(world.services.engine)] == [("oda", "lead")]
    assert world.browser().get(f"/welcome/{token}").status_code == 404


@pytest.mark.parametrize(
    ("login", "password", "again", "says"),
    [
        ("oda", PASSWORD, PASSWORD + "x", "The two passwords differ."),
        ("oda", "short", "short", "A password has at least 12 characters, this has 5"),
        ("o da", PASSWORD, PASSWORD, "A login has 2 to 64 characters"),
    ],
)
def test_a_refused_account_leaves_the_link_usable(
    world: World, login: str, password: str, again: str, says: str
) -> None:
    token = people.first_link(world.services.engine, clock=world.clock)
    browser = world.browser()
    page = browser.get(f"/welcome/{token}")
    answer = browser.submit(page, f"/welcome/{token}", login=login, password=password, again=again)
    assert answer.status_code == 400
    assert says in answer.text
    assert password not in answer.text
    assert browser.get(f"/welcome/{token}").status_code == 200


def test_signing_in_and_out(world: World) -> None:
    world.person("reviewer")
    browser = world.browser()
    answer = browser.submit(browser.get("/sign-in"), "/sign-in", login=" Reviewer-One ", password=PASSWORD)
    home = browser.follow(answer)
    assert home.headers["location"] == "/queue"
    out = browser.submit(browser.get("/queue"), "/sign-out")
    assert out.headers["location"] == "/sign-in"
    assert browser.get("/queue").headers["location"] == "/sign-in?to=%2Fqueue"


@pytest.mark.parametrize(
    "wanted", ["/alerts?state=all", "/audit", post_path("fedi.example:hostile/1?x=<b>#&"), "/search/0?page=2&x=a%20b"]
)
def test_after_the_sign_in_one_is_where_one_wanted_to_be(world: World, wanted: str) -> None:
    world.person("lead")
    browser = world.browser()
    page = browser.follow(browser.get(wanted))
    again = browser.submit(page, "/sign-in", login="lead-one", password="not it")
    answer = browser.submit(again, "/sign-in", login="lead-one", password=PASSWORD)
    assert answer.headers["location"] == wanted
    assert browser.get(f"/sign-in?{urlencode({'to': wanted})}").headers["location"] == wanted


@pytest.mark.parametrize(
    "made_up",
    [
        *(
            "//elsewhere.example/queue",
            "https://elsewhere.example/queue",
            "/\\elsewhere.example",
            "\\\\elsewhere.example",
        ),
        *(
            "/%2Felsewhere.example",
            "/%5Celsewhere.example",
            "%2Fqueue",
            "queue",
            "javascript:alert(1)",
            "/\t/elsewhere",
        ),
        *(
            "/nowhere",
            "/sign-in",
            "/healthz",
            "/welcome/x",
            "/queue/next",
            "/queue#x",
            "/audit",
            "/queue?" + "x" * 3000,
        ),
    ],
)
def test_a_made_up_address_leads_nowhere_after_the_sign_in(world: World, made_up: str) -> None:
    """Elsewhere, to what is no page, or to one that is not for this role."""
    world.person("reviewer")
    browser = world.browser()
    page = browser.get(f"/sign-in?{urlencode({'to': made_up})}")
    assert browser.submit(page, "/sign-in", login="reviewer-one", password=PASSWORD).headers["location"] == "/"


def test_a_session_that_was_ended_opens_nothing_although_the_cookie_is_kept(world: World) -> None:
    browser, other = world.signed_in("reviewer"), world.signed_in("reviewer")
    page = browser.get("/sessions")
    ends = re.findall(r'action="(/sessions/[0-9a-f]{64}/end)"', page.text)
    assert len(ends) == 2
    for path in ends:
        if 'class="badge good">this one' not in page.text.split(path)[0].split("<tr>")[-1]:
            assert browser.submit(page, path).status_code == 303
    assert other.get("/queue").headers["location"] == "/sign-in?to=%2Fqueue"
    assert browser.get("/queue").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(world: World) -> None:
    victim = world.signed_in("lead")
    theirs = re.findall(r'action="(/sessions/[0-9a-f]{64}/end)"', victim.get("/sessions").text)[0]
    attacker = world.signed_in("reviewer")
    mine = re.findall(r'action="(/sessions/[0-9a-f]{64}/end)"', attacker.get("/sessions").text)[0]
    page = attacker.get("/sessions")
    token = re.search(r'name="form_token" value="([^"]*)"', page.text)
    assert token is not None
    assert mine != theirs
    assert attacker.post(theirs, {"form_token": token[1]}).status_code == 404
    assert victim.get("/overview").status_code == 200


def test_a_session_ends_after_half_an_hour_of_silence_and_after_twelve_hours(world: World) -> None:
    browser = world.signed_in("reviewer")
    for _ in range(24):
        world.clock.advance(timedelta(minutes=29))
        assert browser.get("/queue").status_code == 200
    world.clock.advance(timedelta(minutes=29))
    assert browser.get("/queue").status_code == 303
    again = world.signed_in("reviewer")
    world.clock.advance(timedelta(minutes=31))
    assert again.get("/queue").status_code == 303


def test_what_was_written_outlives_the_session_and_is_sent_in_the_next(world: World) -> None:
    browser, tips = world.signed_in("reviewer"), world.services.memory
    page, text = browser.get("/tip"), "In the square\nthey <b>say</b> it was moved."
    browser.client.cookies.clear()
    answer = browser.submit(page, "/tip", text=text, title="A rumour", lang="en")
    assert (answer.status_code, "Your session is over" in answer.text) == (403, True)
    assert f">{escape(text)}</textarea>" in answer.text
    anew = world.signed_in("reviewer")
    shown = anew.submit(answer, "/tip", text=text)
    assert (shown.status_code, world.person("reviewer").pseudonym in shown.text) == (403, True)
    assert tips.entries("tips") == {}
    assert anew.submit(shown, "/tip", text=text).headers["location"] == "/tip?arrived=yes"
    assert [decode(raw, Tip) for raw in tips.entries("tips").values()] == [
        Tip(text=text, title="A rumour", lang="en", received_at=world.clock.now())
    ]


def test_a_decision_without_a_note_outlives_the_session_too(world: World) -> None:
    browser, path = world.signed_in("reviewer"), post_path("fedi.example:date-1")
    page = browser.follow(browser.submit(browser.get(path), "/queue/take"))
    browser.client.cookies.clear()
    answer = browser.submit(page, "/queue/decide", verdict="alert", code="N-PROC-DATE", then="queue")
    assert (answer.status_code, "Your session is over" in answer.text) == (403, True)
    assert [f">{said}</span>" in answer.text for said in ("alert", "N-PROC-DATE")] == [True, True]
    assert "<textarea" not in answer.text
    anew = world.signed_in("reviewer")
    shown = anew.submit(answer, "/queue/decide")
    assert anew.submit(shown, "/queue/decide").headers["location"] == "/queue"
    (review,) = reviews.of_subject(world.services.engine, "post", "fedi.example:date-1")
    assert (review.verdict, review.codes) == ("alert", ("N-PROC-DATE",))


def test_wrong_passwords_are_answered_alike_and_then_slowed_down(world: World) -> None:
    world.person("reviewer")
    browser = world.browser()
    said = []
    for login in ("reviewer-one", "nobody-here"):
        for _ in range(6):
            answer = browser.submit(browser.get("/sign-in"), "/sign-in", login=login, password="not it")
            said.append((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
    assert said[:6] == said[6:]
    assert [status for status, _ in said[:6]] == [401] * 5 + [429]
    assert "Too many wrong passwords" in answer.text


def test_strangers_who_guess_make_nobody_wait_who_has_signed_in_with_this_browser_before(world: World) -> None:
    world.person("reviewer"), world.person("viewer")
    owner, stranger = world.browser(), world.browser()

    def signed_in(browser: Browser, login: str, password: str = PASSWORD) -> int:
        return browser.submit(browser.get("/sign-in"), "/sign-in", login=login, password=password).status_code

    assert signed_in(owner, "reviewer-one") == 303
    owner.submit(owner.get("/queue"), "/sign-out")
    for _ in range(60):
        signed_in(stranger, "reviewer-one", "not it")
    assert [signed_in(world.browser(), name) for name in ("reviewer-one", "viewer-one")] == [429, 429]
    assert signed_in(owner, "viewer-one") == 429
    assert signed_in(owner, "reviewer-one") == 303
    page = owner.get("/sessions")
    new = "another calm sentence, longer"
    assert owner.submit(page, "/sessions/password", present=PASSWORD, password=new, again=new).status_code == 303
    assert signed_in(owner, "reviewer-one", new) == 303


def test_a_stolen_browser_cookie_is_slowed_down_alone(world: World) -> None:
    world.person("reviewer")
    owner, thief, other = world.browser(), world.browser(), world.browser()

    def signed_in(browser: Browser, password: str = PASSWORD) -> int:
        return browser.submit(browser.get("/sign-in"), "/sign-in", login="reviewer-one", password=password).status_code

    assert signed_in(owner) == 303
    thief.client.cookies.set("hustings-browser", owner.client.cookies["hustings-browser"])
    assert [signed_in(thief, "not it") for _ in range(7)] == [401] * 5 + [429] * 2
    assert signed_in(other) == 303


def test_a_new_password_ends_every_session(world: World) -> None:
    browser, other = world.signed_in("reviewer"), world.signed_in("reviewer")
    page = browser.get("/sessions")
    new = "another calm sentence, longer"
    wrong = browser.submit(page, "/sessions/password", present="not it", password=new, again=new)
    assert (wrong.status_code, "present password is not right" in wrong.text) == (400, True)
    assert browser.submit(page, "/sessions/password", present=PASSWORD, password=new, again=new).status_code == 303
    assert other.get("/queue").status_code == 303
    assert browser.get("/queue").status_code == 303


def test_an_admin_invites_by_a_link_that_is_shown_once(world: World) -> None:
    admin = world.signed_in("admin")
    page = admin.submit(admin.get("/people"), "/people/invite", role="reviewer")
    found = re.search(r'value="(http://127\.0\.0\.1:8780/welcome/[\w-]+)"', page.text)
    assert found is not None
    assert found[1] not in admin.get("/people").text
    newcomer = world.browser()
    path = found[1].removeprefix("http://127.0.0.1:8780")
    answer = newcomer.submit(newcomer.get(path), path, login="nils", password=PASSWORD, again=PASSWORD)
    assert newcomer.follow(answer).headers["location"] == "/queue"


def test_once_there_is_an_admin_a_lead_sees_pseudonyms_and_changes_nobody(world: World) -> None:
    lead = world.signed_in("lead")
    world.person("reviewer", "hidden-name")
    assert "hidden-name" in lead.get("/people").text
    before = lead.get("/people")
    world.person("admin")
    html = lead.get("/people").text
    assert "hidden-name" not in html
    assert 'action="/people/invite"' not in html
    refused = lead.submit(before, "/people/invite", role="lead")
    assert (refused.status_code, "may not invite" in refused.text) == (400, True)


def test_a_closed_account_is_out_at_once(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    admin = world.signed_in("admin")
    path = f"/people/{world.person('reviewer').id}/close"
    assert admin.submit(admin.get("/people"), path).status_code == 303
    assert reviewer.get("/queue").status_code == 303


def test_the_audit_page_says_whether_the_chain_is_whole(world: World) -> None:
    lead = world.signed_in("lead")
    assert "The chain is whole" in lead.get("/audit").text
    with writing(world.services.engine) as connection:
        connection.exec_driver_sql("UPDATE audit SET actor = 'somebody' WHERE sequence = 1")
    html = lead.get("/audit").text
    assert "The chain is broken" in html
    assert "row 1" in html


def test_older_audit_rows_stand_on_further_pages(world: World) -> None:
    lead = world.signed_in("lead")
    with writing(world.services.engine) as connection:
        for number in range(70):
            audit.append(connection, at=world.clock.now(), actor="tests", action=f"act-{number}", subject="x")
    first = lead.get("/audit").text
    older = re.search(r'href="(/audit\?before=\d+)"', first)
    assert older is not None
    assert "act-69" in first
    assert "act-5<" in lead.get(older[1]).text
    assert lead.get("/audit?before=x").status_code == 400


def test_a_desk_without_people_shows_the_sign_in_and_nothing_breaks(world: World) -> None:
    with writing(world.services.engine) as connection:
        connection.execute(delete(people_table))
    assert world.browser().get("/sign-in").status_code == 200


def test_a_link_for_somebody_who_forgot_the_password_signs_them_in_with_another(world: World) -> None:
    lead = world.person("lead")
    token, _ = people.password_link(world.services.engine, login=lead.login, by="operator", clock=world.clock)
    browser, path, new = world.browser(), f"/new-password/{token}", "another calm sentence, longer"
    page = browser.get(path)
    assert lead.login in page.text
    for again, says in (("another", "The two passwords differ."), ("short", "A password has at least 12")):
        refused = browser.submit(page, path, password="short", again=again)
        assert (refused.status_code, says in refused.text) == (400, True)
    answer = browser.submit(page, path, password=new, again=new)
    assert browser.follow(browser.follow(answer)).status_code == 200
    assert world.browser().get(path).status_code == 404
    other = world.browser()
    assert other.submit(other.get("/sign-in"), "/sign-in", login=lead.login, password=PASSWORD).status_code == 401
    assert other.submit(other.get("/sign-in"), "/sign-in", login=lead.login, password=new).status_code == 303
