"""The queue and one post: claim, read, decide, skip, undo, conflicts; what is kept back until it should be seen."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape

import httpx
import msgspec
import pytest

from desk import reviews
from desk.web.bands import band
from desk.web.posts import veil_on_page
from hustings.contracts import AlertChanges
from hustings.types import Flag, QueueEntry, Review, Withheld
from tests.desk_world import (
    LIKE_A_DATE,
    LIKE_ARABIC,
    POSTS,
    QUEUE,
    START,
    Browser,
    World,
    assessed,
    flag,
    hidden_fields,
    post_path,
)

THREAT, DATE, ARABIC, PLAIN = (
    post_path(f"fedi.example:{name}") for name in ("threat-1", "date-1", "arabic-1", "plain-1")
)


BY_CHANCE = assessed("by-chance", "We know the road.", flags=(flag("G-THR-KILL", 0.91, "We know the road.", "We"),))


def by_chance(rule: str = "r-random") -> QueueEntry:
    return QueueEntry(key=BY_CHANCE.key, rule=rule, reason="by chance", priority=0.0, probability=0.02, at=START)


def take_next(browser: Browser) -> httpx.Response:
    return browser.follow(browser.submit(browser.get("/queue"), "/queue/next"))


def take(browser: Browser, path: str) -> httpx.Response:
    return browser.follow(browser.submit(browser.get(path), "/queue/take"))


def decided(world: World, native_id: str) -> list[Review]:
    return reviews.of_subject(world.services.engine, "post", f"fedi.example:{native_id}")


def edit(world: World, native_id: str, text: str) -> None:
    """The source edits a post: a revision with another text."""
    former = next(post for post in POSTS if post.post.native_id == native_id)
    post = msgspec.structs.replace(former.post, text=text, revision=5)
    world.index.write([msgspec.structs.replace(former, post=post, flags=(), targets=())], log_id=world.log.id)


def test_the_queue_shows_reasons_by_band_and_no_words(world: World) -> None:
    html = world.signed_in("reviewer").get("/queue").text
    assert re.findall(r"(high|medium|low) priority", html) == ["high", "medium", "medium", "low", "low"]
    assert "N-PROC-DATE 0.88" in html
    assert not any(post.post.text[:20] in html for post in POSTS)


def test_the_queue_says_how_long_a_post_has_stood_in_it_whenever_it_was_published(world: World) -> None:
    world.clock.advance(timedelta(minutes=20))
    old = QueueEntry(
        key="fedi.example:date-2",
        rule="r-flagged",
        reason="of an archive",
        priority=1.0,
        at=START - timedelta(days=300),
    )
    world.book.record(AlertChanges(alerts=(), notices=(), queue=(old,)), partition=0, epoch=1)
    world.clock.advance(timedelta(minutes=12))
    html = world.signed_in("reviewer").get("/queue").text
    assert re.findall(r'<td class="nowrap">([^<]*)</td>', html) == ["12 min", *["32 min"] * 5]


def test_a_row_of_the_queue_is_named_by_its_reason_which_leads_to_the_post(world: World) -> None:
    html = world.signed_in("reviewer").get("/queue").text
    assert f'<th scope="row"><a href="{DATE}">N-PROC-DATE 0.88<' in html


@pytest.mark.parametrize(
    ("priority", "name"), [(1.0, "high"), (0.9, "high"), (0.89, "medium"), (0.7, "medium"), (0.69, "low"), (0.0, "low")]
)
def test_a_priority_is_shown_as_a_band(priority: float, name: str) -> None:
    assert band(priority) == name


def test_next_claims_the_most_urgent_post_and_nobody_else_gets_it(world: World) -> None:
    first, second = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    assert take_next(first).url.path == THREAT.replace("%3A", ":")
    assert take_next(second).url.path == DATE.replace("%3A", ":")
    assert "Continue with your post" in first.get("/queue").text
    page = second.get(THREAT)
    assert "/queue/decide" not in page.text
    conflict = second.submit(page, "/queue/take")
    assert (conflict.status_code, "Somebody else is reading this post" in conflict.text) == (409, True)


def test_looking_at_a_post_takes_no_lease(world: World) -> None:
    world.signed_in("reviewer").get(THREAT)
    assert take_next(world.signed_in("reviewer", "reviewer-two")).url.path == THREAT.replace("%3A", ":")


def test_a_post_page_says_everything_that_a_score_must_travel_with(world: World) -> None:
    html = world.signed_in("reviewer").get(DATE).text
    assert "everything-flagged" in html
    assert "A person reads whatever the machine flagged." in html
    assert "Every matching post is shown." in html
    for said in ("N-PROC-DATE", "0.88", "0.70", "abuse-en@3", "u-k3x9w2", "9f" * 32, "image: a poster with a date"):
        assert said in html
    assert "xn--vte-velmara-rnj.example" in html
    assert "written with other letters" in html
    assert html.count("the vote in the north is moved to MONDAY</mark>") == 3  # this one and two of its story
    assert "tracker.example" not in html


def test_a_known_fact_check_stands_beside_the_post_in_its_publishers_words(world: World) -> None:
    page = world.signed_in("reviewer").get(DATE)
    assert "Already checked by others" in page.text
    assert "<q>Wrong date</q>" in page.text
    assert "Velmara Fact Desk" in page.text
    assert "No, the north votes on Sunday like everybody else" in page.text
    assert "<code>https://facts.example/2027/03/09/" in page.text
    assert page.text.index("Voting in the northern districts") < page.text.index("تأجّل التصويت في الشمال")
    assert "removed-since" not in page.text
    assert "Already checked by others" not in world.signed_in("reviewer").get(THREAT).text


def test_how_much_a_post_is_worth_checking_is_said_and_that_it_is_no_verdict(world: World) -> None:
    page = world.signed_in("reviewer").get(DATE).text
    assert "Worth checking" in page
    assert "0.93" in page
    assert "not whether it is true" in page


def test_a_flag_shows_the_example_that_the_post_is_most_like_and_says_what_it_is(world: World) -> None:
    html = world.signed_in("reviewer").get(DATE).text
    assert f'resembles: <q dir="auto" lang="en">{escape(LIKE_A_DATE)}</q>' in html
    assert "sentences that we made up to train classifiers; nobody posted them" in html
    assert "does not say that it is false" in html


def test_an_example_of_abuse_is_folded_away_and_set_from_the_right_in_its_language(world: World) -> None:
    html = world.signed_in("reviewer").get(ARABIC).text
    folded = re.search(r"<details><summary>Show the example.*?</details>", html, re.DOTALL)
    assert folded is not None
    assert f'<q dir="rtl" lang="ar">{LIKE_ARABIC}</q>' in folded[0]
    assert LIKE_ARABIC not in html.replace(folded[0], "")


def test_flags_without_an_example_say_nothing_of_one(world: World) -> None:
    assert "What it resembles" not in world.signed_in("reviewer").get(THREAT).text


def test_of_the_random_slice_no_example_is_shown_before_the_decision(world: World) -> None:
    assert "What it resembles" not in world.signed_in("reviewer").get(PLAIN).text


def test_severe_words_are_covered_until_asked_for(world: World) -> None:
    html = world.signed_in("reviewer").get(THREAT).text
    veil = re.search(r'<details class="veil">.*?</details>', html, re.DOTALL)
    assert veil is not None
    assert "Show the words" in veil[0]
    assert "we know the road she drives home" in veil[0]
    assert "we know the road she drives home" not in html.replace(veil[0], "")
    assert 'class="veil"' not in world.signed_in("reviewer").get(DATE).text.split("Same story")[0]


def test_each_reason_to_cover_words_is_said_once(world: World) -> None:
    flags = tuple(flag(code, 0.9, "words", "words") for code in ("G-THR", "A-THREAT", "G-THR"))
    assert veil_on_page(assessed("both-1", "words", flags=flags), world.services.codebook) == "Gendered threat, Threat"


def test_a_named_person_stands_by_name_in_the_list_of_underlined_words(world: World) -> None:
    assert '<span class="badge">person Mara Tellan</span>' in world.signed_in("reviewer").get(THREAT).text


def test_a_group_of_codes_says_when_the_machine_flagged_the_group_itself(world: World) -> None:
    words = "words against women"
    post = assessed("head-1", words, flags=(flag("G", 0.9, words, words),))
    world.index.write([post], log_id=world.log.id)
    entry = QueueEntry(key=post.key, rule="r-flagged", reason="G 0.9", priority=1.0, at=START)
    world.book.record(AlertChanges(alerts=(), notices=(), queue=(entry,)), partition=0, epoch=1)
    summaries = re.findall(
        r"<summary><span>([^<]*)</span> <span class=\"badge accent\">flagged<",
        take_next(world.signed_in("reviewer")).text,
    )
    assert summaries == ["Gendered abuse"]


def test_a_code_that_was_mistyped_stands_in_its_field_again(world: World) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(
        take(browser, DATE), "/queue/decide", verdict="log", code="C-FABRIC", typed_code="n-proc-dat"
    )
    assert answer.status_code == 400
    assert re.search(r'name="typed_code"[^>]* value="N-PROC-DAT">', answer.text)
    assert re.findall(r'name="code" value="([^"]*)" checked', answer.text) == ["C-FABRIC"]
    assert "?." not in answer.text


def test_what_perhaps_tells_the_same_in_other_words_is_named_and_left_to_the_reader(world: World) -> None:
    html = world.signed_in("reviewer").get(DATE).text.split("Perhaps the same, in other words")[1]
    assert "Whether they tell the same story is for you to judge" in html
    assert f'href="{ARABIC}"' in html
    assert "Perhaps the same" not in world.signed_in("reviewer").get(THREAT).text


def test_a_right_to_left_post_carries_its_language_and_direction(world: World) -> None:
    html = world.signed_in("reviewer").get(ARABIC).text
    assert '<p class="words" dir="rtl" lang="ar"><mark class="target">مارا تيلان</mark>' in html
    assert '<mark class="flag">مكانها البيت</mark>' in html


def test_the_random_slice_is_read_without_the_opinion_of_the_machine(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take(browser, PLAIN)
    assert "Drawn by chance: 2.0% of the matching posts are shown." in page.text
    assert "Kept back until you have decided" in page.text
    assert "0.04" not in page.text
    assert "abuse-en" not in page.text
    browser.submit(page, "/queue/decide", verdict="dismiss", code="X-NOTELEX", then="queue")
    assert "Kept back" not in browser.get(PLAIN).text
    assert decided(world, "plain-1")[0].shown == {"blind": True}


def test_a_flag_that_was_withheld_is_told_with_who_gave_it_and_who_took_it_back(world: World) -> None:
    former = Flag(code="G-THR-KILL", score=0.71, threshold=0.6, classifier="abuse-en@3")
    post = msgspec.structs.replace(BY_CHANCE, flags=(), withheld=(Withheld(flag=former, by="meaning-en@2"),))
    world.index.write([post], log_id=world.log.id)
    world.book.record(AlertChanges(queue=(by_chance(),)), partition=0, epoch=1)
    reader = world.signed_in("reviewer")
    page = take(reader, post_path(post.key))
    assert "Withheld" not in page.text, "of the random slice nothing is told"
    reader.submit(page, "/queue/decide", verdict="log", then="queue")
    told = reader.get(post_path(post.key)).text
    assert "No code reached its threshold." not in told
    withheld = told.split("Withheld: ")[1].split("</p>")[0]
    assert world.services.codebook.title("G-THR-KILL") in withheld
    assert (
        "0.71 (threshold 0.60) by <code>abuse-en@3</code>. <code>meaning-en@2</code> reads the post as protected speech"
        in withheld
    )


def test_of_the_random_slice_not_even_the_check_worthiness_is_shown(world: World) -> None:
    assert "Worth checking" not in world.signed_in("reviewer").get(PLAIN).text


def test_a_decision_is_recorded_with_codes_note_and_what_was_shown(world: World) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(
        take(browser, DATE),
        "/queue/decide",
        verdict="alert",
        code=["N-PROC-DATE", "C-FABRIC"],
        typed_code=" n-imperson ",
        note="The day is the 14th.\r\nSee the gazette.",
        then="next",
    )
    assert answer.status_code == 303
    review = decided(world, "date-1")[0]
    assert review.verdict == "alert"
    assert review.codes == ("N-PROC-DATE", "C-FABRIC", "N-IMPERSON")
    assert review.note == "The day is the 14th.\nSee the gazette."
    assert review.reviewer == world.person("reviewer").pseudonym
    examples = {"example.N-PROC-DATE": LIKE_A_DATE}
    assert review.shown == {"blind": False, "flag.N-PROC-DATE": 0.88, **examples, "model.abuse-en": "3"}
    assert review.codebook == world.services.codebook.version


def test_after_a_decision_the_next_post_comes_with_ten_seconds_to_undo(world: World) -> None:
    browser = world.signed_in("reviewer")
    first = take_next(browser)
    answer = browser.submit(first, "/queue/decide", verdict="urgent", code="G-THR-KILL", then="next")
    page = browser.follow(answer)
    assert page.url.path == DATE.replace("%3A", ":")
    assert "Decision recorded." in page.text
    again = browser.follow(browser.submit(page, "/queue/undo"))
    assert again.url.path == THREAT.replace("%3A", ":")
    assert "/queue/decide" in again.text
    assert decided(world, "threat-1") == []


def test_what_was_undone_offers_no_undo_of_the_decision_before_it(world: World) -> None:
    browser = world.signed_in("reviewer")
    for path in (THREAT, DATE):
        answer = browser.submit(take(browser, path), "/queue/decide", verdict="log", then="queue")
        world.clock.advance(timedelta(seconds=1))
    back = browser.follow(browser.submit(browser.follow(answer), "/queue/undo"))
    assert "/queue/undo" not in back.text
    assert [len(decided(world, post)) for post in ("threat-1", "date-1")] == [1, 0]


def test_a_decision_that_is_sent_twice_counts_once_and_can_be_undone(world: World) -> None:
    browser = world.signed_in("reviewer")
    page, sent = take(browser, DATE), {"verdict": "log", "code": "N-PROC-DATE", "note": "a note", "then": "queue"}
    first = browser.submit(page, "/queue/decide", **sent)
    again = browser.submit(page, "/queue/decide", **sent)
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert "Undo" in browser.follow(again).text
    assert len(decided(world, "date-1")) == 1
    other = browser.submit(page, "/queue/decide", **{**sent, "verdict": "alert"})
    assert (other.status_code, len(decided(world, "date-1"))) == (409, 1)


def test_a_change_of_mind_that_is_sent_twice_counts_once(world: World) -> None:
    browser = world.signed_in("reviewer")
    browser.submit(take(browser, DATE), "/queue/decide", verdict="log", then="queue")
    world.clock.advance(timedelta(minutes=1))
    page = browser.get(DATE)
    for _ in range(2):
        assert browser.submit(page, "/queue/reverse", verdict="alert", code="N-PROC-DATE").status_code == 303
        world.clock.advance(timedelta(seconds=5))
    assert [review.verdict for review in decided(world, "date-1")] == ["log", "alert"]


def test_after_ten_seconds_the_offer_is_gone_and_so_is_the_undo(world: World) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(take_next(browser), "/queue/decide", verdict="log", then="queue")
    page = browser.follow(answer)
    world.clock.advance(timedelta(seconds=11))
    assert "/queue/undo" not in browser.follow(answer).text
    late = browser.submit(page, "/queue/undo")
    assert (late.status_code, "Ten seconds are over" in late.text) == (400, True)
    assert len(decided(world, "threat-1")) == 1


def test_the_undo_of_somebody_else_is_refused(world: World) -> None:
    browser, other = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    answer = browser.submit(take_next(browser), "/queue/decide", verdict="log", then="queue")
    assert "/queue/undo" not in other.get("/queue").text
    stolen = hidden_fields(browser.follow(answer).text, "/queue/undo")["review"]
    own = hidden_fields(other.get("/queue").text, "/queue/next")
    refused = other.post("/queue/undo", {**own, "review": stolen})
    assert (refused.status_code, "not a decision of yours" in refused.text) == (400, True)


def test_skip_needs_no_reason_and_never_shows_the_post_again(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = browser.follow(browser.submit(take_next(browser), "/queue/skip"))
    assert page.url.path == DATE.replace("%3A", ":")
    other = world.signed_in("reviewer", "reviewer-two")
    assert take_next(other).url.path == THREAT.replace("%3A", ":")


def test_when_nothing_is_left_the_queue_says_so(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take_next(browser)
    for _ in QUEUE:
        page = browser.follow(browser.submit(page, "/queue/skip"))
    assert page.url.path == "/queue"
    assert "empty=yes" in str(page.url)


def test_a_lease_can_be_renewed_and_runs_out(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take_next(browser)
    assert "yours for 10 min" in page.text
    world.clock.advance(timedelta(minutes=9))
    assert "yours for 1 min" in browser.get(THREAT).text
    assert "yours for 10 min" in browser.follow(browser.submit(page, "/queue/renew")).text
    world.clock.advance(timedelta(minutes=11))
    late = browser.submit(page, "/queue/renew")
    assert (late.status_code, "You do not hold this post any more" in late.text) == (409, True)


def test_a_late_decision_is_a_conflict_that_loses_nothing(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take_next(browser)
    world.clock.advance(timedelta(minutes=11))
    sent = {"verdict": "urgent", "code": ["G-THR-KILL", "G-PRIV-DOX"], "note": 'a "long" <thought>'}
    conflict = browser.submit(page, "/queue/decide", **sent, then="next")  # type: ignore[arg-type]
    assert conflict.status_code == 409
    assert "Nothing was recorded" in conflict.text
    assert "a &#34;long&#34; &lt;thought&gt;" in conflict.text
    assert decided(world, "threat-1") == []
    code_fields = re.findall(r'name="code" value="([^"]*)"', conflict.text)
    again = browser.submit(conflict, "/queue/take", code=code_fields, note=sent["note"])
    assert again.status_code == 200
    assert re.search(r'value="urgent"[^>]* checked', again.text)
    assert re.findall(r'name="code" value="([^"]*)" checked', again.text) == ["G-THR-KILL", "G-PRIV-DOX"]
    assert ">a &#34;long&#34; &lt;thought&gt;</textarea>" in again.text
    assert browser.submit(again, "/queue/decide", verdict="urgent", then="queue").status_code == 303


def test_an_edited_post_is_compared_before_it_is_decided(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take(browser, DATE)
    edit(world, "date-1", "The vote in the north stays on Sunday.")
    conflict = browser.submit(page, "/queue/decide", verdict="alert", code="N-PROC-DATE", then="next")
    assert conflict.status_code == 409
    assert "was edited at its source" in conflict.text
    assert "The vote in the north stays on Sunday." in conflict.text
    assert decided(world, "date-1") == []


def test_of_two_who_hold_one_post_after_another_the_first_is_too_late(world: World) -> None:
    first, second = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    page = take_next(first)
    world.clock.advance(timedelta(minutes=11))
    first = world.signed_in("reviewer")
    theirs = take_next(second)
    assert second.submit(theirs, "/queue/decide", verdict="log", then="queue").status_code == 303
    late = first.submit(first.get(THREAT), "/sign-out")
    assert late.status_code == 303
    first = world.signed_in("reviewer")
    token = re.search(r'name="form_token" value="([^"]*)"', first.get("/queue").text)
    assert token is not None
    stale = dict(re.findall(r'<input type="hidden" name="(key|token|revision)" value="([^"]*)">', page.text))
    answer = first.post("/queue/decide", {**stale, "form_token": token[1], "verdict": "dismiss"})
    assert answer.status_code == 409
    assert [review.verdict for review in decided(world, "threat-1")] == ["log"]


def test_a_conflict_does_not_tell_a_reviewer_how_somebody_else_decided(world: World) -> None:
    first, second = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    first.submit(take(first, DATE), "/queue/decide", verdict="urgent", code="N-IMPERSON", then="queue")
    token = re.search(r'name="form_token" value="([^"]*)"', second.get("/queue").text)
    assert token is not None
    sent = {"form_token": token[1], "key": "fedi.example:date-1", "token": "0", "revision": "0", "verdict": "log"}
    conflict = second.post("/queue/decide", sent)
    assert conflict.status_code == 409
    assert "Somebody has decided it." in conflict.text
    assert "urgent" not in conflict.text
    assert "N-IMPERSON" not in conflict.text


def test_a_conflict_over_the_random_slice_does_not_tell_what_the_machine_thinks(world: World) -> None:
    world.index.write([BY_CHANCE], log_id=world.log.id)
    world.book.record(AlertChanges(queue=(by_chance(),)), partition=0, epoch=1)
    reader = world.signed_in("reviewer")
    page = take(reader, post_path(BY_CHANCE.key))
    title = world.services.codebook.title("G-THR-KILL")
    world.clock.advance(timedelta(minutes=11))
    conflict = reader.submit(page, "/queue/decide", verdict="log", then="next")
    assert (conflict.status_code, "may be distressing" in conflict.text) == (409, True)
    assert f"({title})" not in conflict.text


def test_a_post_of_the_random_slice_that_came_in_again_after_a_decision_is_not_read_blind(world: World) -> None:
    world.index.write([BY_CHANCE], log_id=world.log.id)
    for rule, login in (("r-random", "reviewer-one"), ("r-flagged", "reviewer-two")):
        world.book.record(AlertChanges(queue=(by_chance(rule),)), partition=0, epoch=1)
        reader = world.signed_in("reviewer", login)
        answer = reader.submit(take(reader, post_path(BY_CHANCE.key)), "/queue/decide", verdict="log", then="queue")
        assert answer.status_code == 303
        world.clock.advance(timedelta(minutes=1))
    assert [review.shown["blind"] for review in decided(world, "by-chance")] == [True, False]


def test_a_form_from_before_ones_own_undo_says_so_and_not_that_the_post_is_lost(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take(browser, DATE)
    answer = browser.submit(page, "/queue/decide", verdict="log", then="queue")
    browser.submit(browser.follow(answer), "/queue/undo")
    again = browser.submit(page, "/queue/decide", verdict="alert", then="queue")
    assert again.status_code == 409
    assert "took your decision back, since you opened this form" in again.text
    assert "You do not hold this post any more" not in again.text
    mine = browser.submit(again, "/queue/take")
    assert browser.submit(mine, "/queue/decide", verdict="alert", then="queue").status_code == 303


def test_a_check_of_a_day_that_has_begun_nowhere_is_no_source(world: World) -> None:
    browser = world.signed_in("reviewer")
    page = take(browser, DATE)
    sent = {"verdict": "alert", "code": "T-FALSE", "truth_url": "https://gazette.example/14", "then": "queue"}
    sent |= {"truth_kind": "election body"}
    late = browser.submit(page, "/queue/decide", **sent, truth_date="2027-03-12")
    assert (late.status_code, "lies in the future: 2027-03-12" in late.text) == (400, True)
    assert browser.submit(page, "/queue/decide", **sent, truth_date="2027-03-11").status_code == 303


def test_the_lease_of_somebody_else_cannot_be_used(world: World) -> None:
    holder, other = world.signed_in("reviewer"), world.signed_in("reviewer", "reviewer-two")
    held = dict(re.findall(r'name="(key|token|revision)" value="([^"]*)"', take_next(holder).text))
    token = re.search(r'name="form_token" value="([^"]*)"', other.get("/queue").text)
    assert token is not None
    answer = other.post("/queue/decide", {**held, "form_token": token[1], "verdict": "dismiss"})
    assert answer.status_code == 409
    assert decided(world, "threat-1") == []


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "Choose what should happen with the post"),
        ({"verdict": "delete"}, "Choose what should happen with the post"),
        ({"verdict": "log", "typed_code": "N-PROC-DAT"}, "has no code &#39;N-PROC-DAT&#39;"),
        ({"verdict": "log", "code": "T-FALSE"}, "T-FALSE needs its source"),
        (
            {"verdict": "log", "code": "T-FALSE", "truth_url": "gazette", "truth_date": "2027-03-09"},
            "needs the address",
        ),
        ({"verdict": "log", "truth_url": "https://g.example", "truth_date": "yesterday"}, "needs the address"),
    ],
)
def test_a_refused_decision_says_why_and_keeps_what_was_written(world: World, sent: dict[str, str], says: str) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(take(browser, DATE), "/queue/decide", **sent, note="kept words", then="next")
    assert answer.status_code == 400
    assert says in answer.text
    assert ">kept words</textarea>" in answer.text
    assert decided(world, "date-1") == []


def test_a_truth_status_is_recorded_with_its_source(world: World) -> None:
    browser = world.signed_in("reviewer")
    answer = browser.submit(
        take(browser, DATE),
        "/queue/decide",
        verdict="alert",
        code=["T-FALSE"],
        truth_url="https://gazette.example/14",
        truth_kind="election body",
        truth_date="2027-03-09",
        then="queue",
    )
    assert answer.status_code == 303
    shown = decided(world, "date-1")[0].shown
    assert (shown["truth.url"], shown["truth.kind"]) == ("https://gazette.example/14", "election body")


def test_a_change_of_mind_is_a_further_decision(world: World) -> None:
    browser = world.signed_in("reviewer")
    browser.submit(take(browser, DATE), "/queue/decide", verdict="log", then="queue")
    world.clock.advance(timedelta(minutes=1))
    page = browser.get(DATE)
    answer = browser.submit(page, "/queue/reverse", verdict="alert", code="N-PROC-DATE")
    assert "Decision recorded." in browser.follow(answer).text
    assert [review.verdict for review in decided(world, "date-1")] == ["log", "alert"]


def test_a_reviewer_does_not_see_how_others_decided_and_a_lead_sees_pseudonyms(world: World) -> None:
    reviewer = world.signed_in("reviewer")
    sent = {"verdict": "watch", "note": "my private reasoning", "then": "queue"}
    reviewer.submit(take(reviewer, DATE), "/queue/decide", **sent)
    assert "my private reasoning" in reviewer.get(DATE).text
    other = world.signed_in("reviewer", "reviewer-two").get(DATE).text
    assert "my private reasoning" not in other
    assert world.person("reviewer").pseudonym not in other
    lead = world.signed_in("lead").get(DATE).text
    assert "my private reasoning" in lead
    assert world.person("reviewer").pseudonym in lead
    assert "reviewer-one" not in lead


def test_a_post_that_is_not_known_is_not_found(world: World) -> None:
    answer = world.signed_in("reviewer").get("/posts/fedi.example%3Anothing")
    assert answer.status_code == 404
    assert "not in the index" in answer.text
