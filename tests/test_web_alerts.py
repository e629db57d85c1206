"""Alerts: the human gate as the pages show it, the exact messages before they leave, deliveries, retraction."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import get_args

import msgspec

from desk import decisions, outbox
from desk.outbox import OutboxRow
from desk.web.groups import group_words
from desk.web.notices import NOTICES
from hustings.contracts import AlertChanges, Delivery
from hustings.types import Amendment, Notice, NoticeKind
from tests.desk_world import DATE_ALERT, START, THREAT_ALERT, Browser, World

DATE, THREAT = f"/alerts/{DATE_ALERT.id}", f"/alerts/{THREAT_ALERT.id}"


def rows(world: World) -> list[OutboxRow]:
    return outbox.of_alert(world.services.engine, DATE_ALERT.id)


def deliver(world: World) -> list[str]:
    """Send what is due, as `deliver` does; returns the texts that went out."""
    sent = []
    for leased in outbox.lease(
        world.services.engine, outbox.due_routes(world.services.engine, clock=world.clock), limit=9, clock=world.clock
    ):
        sent.append(leased.message.text)
        outbox.record(
            world.services.engine, leased, Delivery(result="delivered"), clock=world.clock, random=lambda: 0.5
        )
    return sent


def escalate(world: World) -> None:
    """The alert about a date becomes more severe."""
    notice = Notice(alert=DATE_ALERT.id, kind="escalate", key="escalate|50", at=START, revision=2)
    changed = msgspec.structs.replace(
        DATE_ALERT, revision=2, value=51.0, severity="critical", notices=(*DATE_ALERT.notices, notice)
    )
    world.book.record(AlertChanges(alerts=(changed,), notices=(notice,)), partition=0, epoch=1)


def release(browser: Browser, path: str, **fields: str) -> None:
    answer = browser.submit(browser.get(path), f"{path}/release", **fields)
    assert answer.status_code == 303, answer.text


def test_the_list_shows_what_waits_first_and_then_by_state(world: World) -> None:
    browser = world.signed_in("reviewer")
    waiting = browser.get("/alerts").text
    assert "wrong-polling-date" in waiting
    assert "Mara Tellan" in waiting
    assert "No alert here" in browser.get("/alerts?state=retracted").text
    assert "No alert here" in browser.get("/alerts?state=released").text
    assert "wrong-polling-date" in browser.get("/alerts?state=open").text
    assert "No alert here" in browser.get("/alerts?state=shadow").text


def test_an_alert_says_why_it_exists_and_what_it_rests_on(world: World) -> None:
    html = world.signed_in("reviewer").get(DATE).text
    for said in ("A wrong date keeps people from voting.", "version 3", "flag:N-PROC-DATE", "TLP:AMBER", "high"):
        assert said in html
    assert html.count("the vote in the north is moved to MONDAY</mark>") == 3


def test_an_alert_whose_rule_was_changed_since_does_not_take_the_rule_of_today_for_its_reason(world: World) -> None:
    rule = msgspec.structs.replace(world.services.rules["r-date"], logic="another", version=4)
    changed = world.over(rules={**world.services.rules, rule.id: rule})
    html = changed.signed_in("reviewer").get(DATE).text
    assert "version 3" in html
    assert "The rule was changed since (now version 4)" in html
    assert ("flag:N-PROC-DATE" in html, rule.why in html) == (False, False)


def test_severe_evidence_stays_covered(world: World) -> None:
    html = world.signed_in("reviewer").get(THREAT).text
    veil = re.search(r'<details class="veil">.*?</details>', html, re.DOTALL)
    assert veil is not None
    assert "not see election day" not in html.replace(veil[0], "")


def test_what_is_shown_before_the_release_is_what_leaves(world: World) -> None:
    lead = world.signed_in("lead")
    page = lead.get(DATE)
    shown = [
        unescape(text) for text in re.findall(r'<p class="message-text" dir="auto">(.*?)</p>', page.text, re.DOTALL)
    ]
    assert len(shown) == 2
    assert "asked for gendered-abuse" in page.text
    release(lead, DATE)
    assert deliver(world) == []
    world.clock.advance(timedelta(seconds=10))
    assert sorted(deliver(world)) == sorted(shown)


def test_a_lead_releases_alone_and_can_take_it_back_for_ten_seconds(world: World) -> None:
    lead = world.signed_in("lead")
    answer = lead.submit(lead.get(DATE), f"{DATE}/release", codes="n-proc-date, C-FABRIC", note="seen the gazette")
    page = lead.follow(answer)
    assert "Messages leave in ten seconds" in page.text
    assert [row.state for row in rows(world)] == ["queued", "queued"]
    undone = lead.follow(lead.submit(page, f"{DATE}/undo"))
    assert "Taken back" in undone.text
    world.clock.advance(timedelta(minutes=1))
    assert deliver(world) == []
    assert [row.state for row in rows(world)] == ["cancelled", "cancelled"]


def test_a_release_that_is_sent_twice_can_be_taken_back_from_the_second_answer(world: World) -> None:
    lead = world.signed_in("lead")
    page = lead.get(DATE)
    assert lead.submit(page, f"{DATE}/release").status_code == 303
    again = lead.submit(page, f"{DATE}/release")
    assert (again.status_code, "Nothing of this alert waits" in again.text) == (400, True)
    assert f"{DATE}/undo" not in world.signed_in("reviewer").get(DATE).text
    assert "Taken back" in lead.follow(lead.submit(again, f"{DATE}/undo")).text
    assert [row.state for row in rows(world)] == ["cancelled", "cancelled"]


def test_a_note_keeps_its_lines_and_stands_in_the_direction_of_its_letters(world: World) -> None:
    lead, note = world.signed_in("lead"), "لا أعرف (بعد)!\nسأسأل غدا."
    assert lead.get(DATE).text.count('name="note" dir="auto"') == 2
    release(lead, DATE, note=note)
    assert f'<p class="noted" dir="auto">{note}</p>' in lead.get(DATE).text


def test_a_code_that_is_none_lets_nothing_out_and_what_was_written_stays(world: World) -> None:
    lead = world.signed_in("lead")
    answer = lead.submit(lead.get(DATE), f"{DATE}/release", codes="N-PROC-DAT", note='a "long" thought')
    assert (answer.status_code, rows(world)) == (400, [])
    assert "has no code &#39;N-PROC-DAT&#39;" in answer.text
    assert 'value="N-PROC-DAT"' in answer.text
    assert ">a &#34;long&#34; thought</textarea>" in answer.text


def test_what_waits_is_said_in_words(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    assert reviewer.get("/alerts").text.count('<div class="soft">new alert</div>') == 2
    assert "waits: new alert" in reviewer.get(DATE).text


def test_every_kind_of_notice_has_its_words() -> None:
    assert set(NOTICES) == set(get_args(NoticeKind))


def test_of_a_story_the_list_shows_the_front_of_its_id(world: World) -> None:
    story = msgspec.structs.replace(DATE_ALERT, group=(("story", "0123456789abcdef" * 2),))
    assert group_words(story, world.services.roster, world.services.codebook) == "story 01234567"


def test_a_reviewer_proposes_and_only_a_second_person_lets_it_out(world: World) -> None:
    reviewer, second = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    page = reviewer.get(DATE)
    assert "Propose the release" in page.text
    answer = reviewer.submit(page, f"{DATE}/release", note="looks right to me")
    assert "A second person must agree" in reviewer.follow(answer).text
    assert rows(world) == []
    assert "/release" not in reviewer.get(DATE).text
    refused = reviewer.submit(page, f"{DATE}/release")
    assert (refused.status_code, "a second person must agree" in refused.text) == (400, True)
    theirs = second.get(DATE)
    assert "you are the second person" in theirs.text
    assert "looks right to me" in theirs.text
    assert world.person("reviewer").pseudonym not in theirs.text
    release(second, DATE)
    assert len(rows(world)) == 2
    assert "wrong-polling-date" in second.get("/alerts?state=released").text


def test_of_a_proposal_that_the_alert_has_outgrown_the_page_says_so_and_promises_no_release(world: World) -> None:
    reviewer, second = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    release(reviewer, DATE, codes="N-PROC-DATE", note="looks right to me")
    world.clock.advance(timedelta(minutes=1))
    escalate(world)
    page = second.get(DATE)
    assert "you are the second person" not in page.text
    assert "The alert has changed since" in page.text
    assert "looks right to me" in page.text
    assert ("Released by a person (reviewer)" in page.text, "reviewer and reviewer" in page.text) == (True, False)
    assert ("Propose the release" in page.text, "Release to partners" in page.text) == (True, False)
    answer = second.submit(page, f"{DATE}/release")
    assert "A second person must agree" in second.follow(answer).text
    release(reviewer, DATE)
    history = decisions.history(world.services.engine, DATE_ALERT.id)
    assert [(each.state, each.codes) for each in history] == [
        ("replaced", ("N-PROC-DATE",)),
        ("done", ("N-PROC-DATE",)),
    ]


def test_a_reviewer_alone_lets_out_a_threat_and_a_second_look_is_asked_for(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    assert "a second look follows" in reviewer.get(THREAT).text
    release(reviewer, THREAT)
    assert "A second look is due" in reviewer.get(THREAT).text
    world.clock.advance(timedelta(hours=13))
    lead = world.signed_in("lead")
    assert "waits for a second look" in lead.get("/alerts").text
    page = lead.get(THREAT)
    assert lead.submit(page, f"{THREAT}/second-look").status_code == 303
    assert "waits for a second look" not in lead.get("/alerts").text


def test_declining_keeps_it_in_the_house(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    answer = reviewer.submit(reviewer.get(DATE), f"{DATE}/decline", note="it is the official notice")
    assert "Nobody is told" in reviewer.follow(answer).text
    assert rows(world) == []
    assert "Nothing of it waits for a decision" in reviewer.get(DATE).text


def test_why_to_decline_is_not_lost_when_it_is_refused(world: World) -> None:
    reviewer, lead, why = world.signed_in("reviewer"), world.signed_in("lead"), "it is the official notice"
    page = reviewer.get(DATE)
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    deliver(world)
    escalate(world)
    late = reviewer.submit(page, f"{DATE}/decline", note=why)
    assert (late.status_code, f">{why}</textarea>" in late.text) == (409, True)
    refused = reviewer.submit(late, f"{DATE}/decline", note=why)
    assert (refused.status_code, "only a lead may decline its update" in refused.text) == (400, True)
    assert f">{why}</textarea>" in refused.text


def test_an_alert_that_changed_meanwhile_is_not_released_unseen(world: World) -> None:
    lead = world.signed_in("lead")
    page = lead.get(DATE)
    escalate(world)
    conflict = lead.submit(page, f"{DATE}/release")
    assert conflict.status_code == 409
    assert "revision 2, you saw 1" in conflict.text
    assert "critical" in conflict.text
    assert rows(world) == []


def test_an_alert_that_names_more_people_than_the_page_showed_is_not_released_unseen(world: World) -> None:
    lead = world.signed_in("lead")
    page = lead.get(DATE)
    assert "Covers severity high, TLP:AMBER and nobody by name" in page.text
    joined = msgspec.structs.replace(DATE_ALERT, evidence=(*DATE_ALERT.evidence, "fedi.example:threat-1"))
    world.book.record(AlertChanges(alerts=(joined,)), partition=0, epoch=1)
    conflict = lead.submit(page, f"{DATE}/release", note="seen the gazette")
    assert (conflict.status_code, rows(world)) == (409, [])
    assert "whom it names" in conflict.text
    assert "Covers severity high, TLP:AMBER and Mara Tellan" in conflict.text
    assert ">seen the gazette</textarea>" in conflict.text
    assert lead.submit(conflict, f"{DATE}/release").status_code == 303


def test_an_unknown_code_is_refused(world: World) -> None:
    lead = world.signed_in("lead")
    answer = lead.submit(lead.get(DATE), f"{DATE}/release", codes="N-NONSENSE")
    assert (answer.status_code, "has no code" in answer.text) == (400, True)


def test_deliveries_stand_on_the_page_and_a_dead_one_can_be_sent_again(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    engine = world.services.engine
    first, second = outbox.lease(engine, outbox.due_routes(engine, clock=world.clock), limit=9, clock=world.clock)
    outbox.record(engine, first, Delivery(result="delivered"), clock=world.clock, random=lambda: 0.5)
    outbox.record(engine, second, Delivery(result="dead", detail="410 gone"), clock=world.clock, random=lambda: 0.5)
    page = lead.get(DATE)
    for said in ("voters-league/hook", "voters-league/folder", "delivered", "dead", "410 gone"):
        assert said in page.text
    assert f"{DATE}/requeue" not in world.signed_in("reviewer").get(DATE).text
    assert lead.submit(page, f"{DATE}/requeue").status_code == 303
    assert {row.state for row in rows(world)} == {"delivered", "retrying"}


def test_a_release_that_no_route_has_tried_is_stopped_on_its_page(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(minutes=5))
    page = lead.get(DATE)
    assert "Nobody was told yet" in page.text
    assert lead.submit(page, f"{DATE}/retract", note="a drill").status_code == 303
    assert deliver(world) == []
    assert [row.state for row in rows(world)] == ["cancelled", "cancelled"]
    assert f"{DATE}/retract" not in lead.get(DATE).text


def test_what_people_retracted_stands_among_the_retracted_until_it_is_let_out_again(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(minutes=5))
    assert lead.submit(lead.get(DATE), f"{DATE}/retract").status_code == 303
    assert DATE in lead.get("/alerts?state=retracted").text
    assert DATE not in lead.get("/alerts?state=released").text
    page = lead.get(DATE).text
    assert "retracted by a person" in page
    assert ("partners told" in page, "let out</span>" in page) == (False, True)
    world.clock.advance(timedelta(minutes=5))
    escalate(world)
    release(lead, DATE)
    assert DATE not in lead.get("/alerts?state=retracted").text
    assert DATE in lead.get("/alerts?state=released").text
    assert "retracted by a person" not in lead.get(DATE).text


def test_a_dead_delivery_of_a_retracted_alert_offers_no_way_to_send_it_again(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    engine = world.services.engine
    for leased in outbox.lease(engine, outbox.due_routes(engine, clock=world.clock), limit=9, clock=world.clock):
        outbox.record(engine, leased, Delivery(result="dead"), clock=world.clock, random=lambda: 0.5)
    page = lead.get(DATE)
    assert page.text.count("Send again") == 2
    world.clock.advance(timedelta(minutes=1))
    assert lead.submit(page, f"{DATE}/retract").status_code == 303
    assert "Send again" not in lead.get(DATE).text
    refused = lead.submit(page, f"{DATE}/requeue")
    assert (refused.status_code, "not sent any more" in refused.text) == (400, True)


def test_what_is_shown_of_an_update_is_what_leaves_over_a_route_whose_opening_died(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    engine = world.services.engine
    for leased in outbox.lease(engine, outbox.due_routes(engine, clock=world.clock), limit=9, clock=world.clock):
        result = "dead" if leased.message.channel == "hook" else "delivered"
        outbox.record(engine, leased, Delivery(result=result), clock=world.clock, random=lambda: 0.5)
    escalate(world)
    page = lead.get(DATE).text
    shown = re.findall(r'<p class="message-text" dir="auto">(.*?)</p>', page, re.DOTALL)
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    assert sorted(deliver(world)) == sorted(unescape(text) for text in shown)
    assert [row.kind for row in rows(world)][2:] == ["escalate", "escalate"]


def test_a_retraction_reaches_everybody_who_was_told(world: World) -> None:
    lead = world.signed_in("lead")
    assert f"{DATE}/retract" not in lead.get(DATE).text
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    assert len(deliver(world)) == 2
    assert f"{DATE}/retract" not in world.signed_in("reviewer").get(DATE).text
    page = lead.get(DATE)
    answer = lead.submit(page, f"{DATE}/retract", note="the commission confirmed the day")
    assert "is told that it no longer stands" in lead.follow(answer).text
    sent = deliver(world)
    again = lead.submit(page, f"{DATE}/retract", note="the commission confirmed the day")
    assert (again.status_code, "This alert is retracted already" in again.text) == (400, True)
    assert deliver(world) == []
    assert len(sent) == 2
    assert all("RETRACTED" in text and "the commission confirmed the day" in text for text in sent)


def test_what_the_machine_withdrew_is_retracted_after_a_person_confirms(world: World) -> None:
    lead = world.signed_in("lead")
    release(lead, DATE)
    world.clock.advance(timedelta(seconds=10))
    deliver(world)
    notice = Notice(alert=DATE_ALERT.id, kind="retract", key="retract", at=START, revision=2)
    withdrawn = msgspec.structs.replace(
        DATE_ALERT, revision=2, state="retracted", notices=(*DATE_ALERT.notices, notice)
    )
    world.book.record(AlertChanges(alerts=(withdrawn,), notices=(notice,)), partition=0, epoch=1)
    reviewer = world.signed_in("reviewer")
    page = reviewer.get(DATE)
    assert "What this alert rested on was withdrawn" in page.text
    assert f"{DATE}/release" not in page.text
    assert reviewer.submit(page, f"{DATE}/retract").status_code == 303
    assert len(deliver(world)) == 2


def test_a_shadow_alert_offers_nothing_to_decide(world: World) -> None:
    shadow = msgspec.structs.replace(DATE_ALERT, id="c" * 32, shadow=True)
    notice = msgspec.structs.replace(DATE_ALERT.notices[0], alert=shadow.id)
    world.book.record(AlertChanges(alerts=(shadow,), notices=(notice,)), partition=0, epoch=1)
    lead = world.signed_in("lead")
    html = lead.get(f"/alerts/{shadow.id}").text
    assert "delivers nothing" in html
    assert "/release" not in html
    assert shadow.id in lead.get("/alerts?state=shadow").text


def test_an_unknown_alert_is_not_found(world: World) -> None:
    assert world.signed_in("lead").get("/alerts/nothing").status_code == 404


def test_what_waits_is_paged_the_most_severe_first(world: World) -> None:
    low = [
        msgspec.structs.replace(
            DATE_ALERT, id=f"{number:032x}", severity="low", notices=(), rule_name=f"quiet-{number}"
        )
        for number in range(40)
    ]
    opened = tuple(Notice(alert=each.id, kind="open", key="open", at=START, revision=1) for each in low)
    world.clock.set(START - timedelta(days=1))
    world.book.record(AlertChanges(alerts=tuple(low), notices=opened), partition=0, epoch=1)
    world.clock.set(START)
    lead = world.signed_in("lead")
    first = lead.get("/alerts")
    links = re.findall(r'<a href="/alerts/([0-9a-z]{32})"', first.text)
    assert links[:2] == [THREAT_ALERT.id, DATE_ALERT.id]
    onward = re.search(r'href="(/alerts\?state=waiting&amp;after=[^"]*)">More alerts', first.text)
    assert onward is not None
    links += re.findall(r'<a href="/alerts/([0-9a-z]{32})"', lead.get(unescape(onward[1])).text)
    assert len(links) == len(set(links)) == 42


def test_long_lists_are_paged_by_key(world: World) -> None:
    many = [
        msgspec.structs.replace(
            DATE_ALERT, id=f"{number:032x}", detected_at=START + timedelta(seconds=number), notices=()
        )
        for number in range(45)
    ]
    world.book.record(AlertChanges(alerts=tuple(many)), partition=0, epoch=1)
    lead = world.signed_in("lead")
    first = lead.get("/alerts?state=all")
    onward = re.search(r'href="(/alerts\?state=all&amp;after=[^"]*)"', first.text)
    assert onward is not None
    second = lead.get(unescape(onward[1])).text
    links = [re.findall(r'href="/alerts/([0-9a-z]{32})"', html) for html in (first.text, second)]
    assert (len(links[0]), len(links[1])) == (40, 7)
    assert set(links[0]).isdisjoint(links[1])


def test_a_late_post_is_shown_with_what_it_would_have_changed(world: World) -> None:
    browser = world.signed_in("lead")
    assert "No late post would have changed an alert" in browser.get("/alerts?state=late").text
    late = Amendment(
        rule=DATE_ALERT.rule,
        rule_name="wrong-polling-date",
        group=(("lang", "es"),),
        anchor=START,
        value=7,
        post="net:late",
    )
    world.book.record(AlertChanges(amendments=(late,)), partition=0, epoch=1)
    page = browser.get("/alerts?state=late").text
    assert "wrong-polling-date" in page
    assert "lang es" in page
    assert 'href="/posts/net:late"' in page or 'href="/posts/net%3Alate"' in page
