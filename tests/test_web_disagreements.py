"""The page of disagreements: who may see it, what it says and keeps back, and how a lead decides."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest

from desk import adjudication, audit, people, queue, reviews
from desk.reviews import Verdict
from hustings.contracts import AlertChanges
from hustings.errors import Unavailable
from hustings.types import QueueEntry, Review
from tests.desk_world import POSTS, START, World, assessed, post_path, read_post

DATE = "fedi.example:date-2"
"""It does not wait in the queue."""
ARABIC = "fedi.example:arabic-1"


def disagree(world: World, key: str = DATE, *, codes: tuple[str, str] = ("N-PROC-DATE", "X-OFFICIAL")) -> None:
    """Two reviewers say different things of a post, and their grace is over."""
    read_post(world, key, "reviewer-one", codes[0], verdict="alert", note="the day is wrong")
    read_post(world, key, "reviewer-two", codes[1], verdict="dismiss", note="the office said so")
    world.clock.advance(timedelta(seconds=11))


def edit(world: World, text: str) -> None:
    """The source edits the post."""
    former = world.index.get([DATE])[DATE]
    edited = msgspec.structs.replace(former.post, text=text, revision=5)
    world.index.write([msgspec.structs.replace(former, post=edited)], log_id=world.log.id)


def kept(world: World, key: str = DATE) -> list[Review]:
    return reviews.of_subject(world.services.engine, "post", key)


def rows(html: str) -> list[str]:
    """The words of each row of the list."""
    return [
        " ".join(re.sub(r"<[^>]*>", " ", row).split())
        for row in re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)
    ]


def counted(html: str) -> str | None:
    found = re.search(r'href="/disagreements"[^>]*>Disagreements(?: <span class="count">([^<]*)</span>)?</a>', html)
    assert found is not None
    return found[1]


def test_a_reviewer_is_refused_as_on_other_pages_and_finds_no_way_there(world: World) -> None:
    disagree(world)
    for login in ("reviewer-one", "reviewer-two"):
        browser = world.signed_in("reviewer", login)
        answer = browser.get("/disagreements")
        assert (answer.status_code, "This page is not for the role reviewer." in answer.text) == (403, True)
        assert "/disagreements" not in browser.get("/queue").text


def test_nobody_but_a_lead_learns_what_others_said(world: World) -> None:
    disagree(world)
    first = world.signed_in("reviewer").get(post_path(DATE)).text
    second = world.signed_in("reviewer", "reviewer-two").get(post_path(DATE)).text
    third = world.signed_in("reviewer", "reviewer-three").get(post_path(DATE)).text
    assert ("the day is wrong" in first, "the office said so" in first) == (True, False)
    assert ("the day is wrong" in second, "the office said so" in second) == (False, True)
    assert ("the day is wrong" in third, "the office said so" in third) == (False, False)
    assert not any("Readers disagree" in page for page in (first, second, third))


def test_the_list_says_what_is_disputed_and_where_and_no_words_of_the_post(world: World) -> None:
    disagree(world)
    html = world.signed_in("lead").get("/disagreements").text
    assert rows(html) == [
        "Wrong date N-PROC-DATE : look at post 1 yes 1 · no 1 fedi.example en 10 Mar 2027, 11:38",
    ]
    assert "1 in all" in html
    assert not any(post.post.text[:20] in html for post in POSTS)
    assert not any(review.reviewer in html or review.note in html for review in kept(world))


def test_the_menu_counts_what_a_lead_may_decide(world: World) -> None:
    lead = world.signed_in("lead")
    assert counted(lead.get("/audit").text) is None
    disagree(world)
    disagree(world, ARABIC, codes=("G-UNFIT", "G-NONE"))
    assert counted(lead.get("/audit").text) == "2"


def test_the_menu_reads_the_reviews_anew_only_when_another_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    assert counted(lead.get("/audit").text) == "1"
    read = []
    several = reviews.read_by_several
    monkeypatch.setattr(reviews, "read_by_several", lambda *of, **when: read.append(1) or several(*of, **when))
    assert [counted(lead.get("/audit").text) for _ in range(3)] == ["1"] * 3
    assert read == []
    disagree(world, ARABIC, codes=("G-UNFIT", "G-NONE"))
    assert [counted(lead.get("/audit").text) for _ in range(3)] == ["2"] * 3
    assert read == [1]


def test_nothing_is_listed_before_the_grace_of_both_is_over_and_nothing_that_was_undone(world: World) -> None:
    lead = world.signed_in("lead")
    read_post(world, DATE, "reviewer-one", "N-PROC-DATE")
    read_post(world, DATE, "reviewer-two", "X-OFFICIAL")
    world.clock.advance(timedelta(seconds=9))
    assert "Nobody disagrees" in lead.get("/disagreements").text
    last = kept(world)[-1]
    reviews.undo(
        world.services.engine, review_id=last.id, reviewer=world.person("reviewer", "reviewer-two"), clock=world.clock
    )
    world.clock.advance(timedelta(minutes=1))
    assert "Nobody disagrees" in lead.get("/disagreements").text


def test_the_post_read_last_comes_first_with_all_that_is_disputed(world: World) -> None:
    disagree(world, ARABIC, codes=("G-UNFIT", "G-NONE"))
    disagree(world, codes=("N-PROC-DATE", "N-PROC-PLACE"))
    first, second = rows(world.signed_in("lead").get("/disagreements").text)
    assert first.startswith(
        "Wrong date N-PROC-DATE : look at post 1 yes 1 · no 1 Wrong place N-PROC-PLACE yes 1 · no 1"
    )
    assert "G-UNFIT : look at post 2 yes 1 · no 1" in second


def test_fifty_posts_are_shown_and_all_of_them_counted(world: World) -> None:
    posts = [assessed(f"many-{number}", "words") for number in range(51)]
    world.index.write(posts, log_id=world.log.id)
    for post in posts:
        disagree(world, post.key)
    html = world.signed_in("lead").get("/disagreements").text
    assert len(rows(html)) == 50
    assert "51 in all, the newest 50 are shown" in html
    assert counted(html) == "51"
    assert post_path(posts[0].key) not in html


def test_a_post_that_the_index_has_forgotten_is_not_listed_for_nobody_could_read_it(world: World) -> None:
    disagree(world)
    world.index.prune(before=START)
    html = world.signed_in("lead").get("/disagreements").text
    assert "Nobody disagrees" in html
    assert counted(html) is None


def test_on_the_post_both_readings_stand_side_by_side_without_names_or_times(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    html = lead.get(post_path(DATE)).text
    side_by_side = re.search(r'<div class="compare readings">(.*?)</div>\n<p', html, re.DOTALL)
    assert side_by_side is not None
    assert re.findall(r">(Reader \d)<", side_by_side[1]) == ["Reader 1", "Reader 2"]
    for said in ("alert", "Wrong date", "the day is wrong", "dismiss", "Official notice", "the office said so"):
        assert said in side_by_side[1]
    assert "<time" not in side_by_side[1]
    assert "Decisions so far" not in html
    assert not any(review.reviewer in html for review in kept(world))


def test_the_readers_stand_in_the_same_order_each_time_which_is_not_that_of_their_reading(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    pages = {re.sub("form_token.*", "", lead.get(post_path(DATE)).text) for _ in range(3)}
    assert len({re.findall("the day is wrong|the office said so", page)[0] for page in pages}) == 1
    first = min(kept(world), key=lambda review: review.id)
    assert re.findall("the day is wrong|the office said so", pages.pop())[0] == first.note


def test_a_lead_decides_by_the_ordinary_form_and_the_post_leaves_the_list_after_the_grace(world: World) -> None:
    disagree(world)
    before = kept(world)
    lead = world.signed_in("lead")
    page = lead.get(post_path(DATE))
    answer = lead.submit(page, "/queue/reverse", verdict="alert", code="N-PROC-DATE", note="the gazette says Sunday")
    listed = lead.follow(answer)
    assert listed.url.path == "/disagreements"
    assert "Decision recorded." in listed.text
    assert len(rows(listed.text)) == 1
    assert "It counts once its ten seconds are over" in lead.get(post_path(DATE)).text
    world.clock.advance(timedelta(seconds=11))
    assert "Nobody disagrees" in lead.get("/disagreements").text
    assert kept(world)[:2] == before
    assert (kept(world)[2].note, kept(world)[2].reviewer) == ("the gazette says Sunday", world.person("lead").pseudonym)
    assert audit.latest(world.services.engine)[0].action == "review-again"
    settled = adjudication.adjudicate(
        reviews.settled(world.services.engine, clock=world.clock),
        "N-PROC-DATE",
        leads=people.leads(world.services.engine),
        codebook=world.services.codebook,
    ).settled
    assert [(one.key, one.applies, one.how) for one in settled] == [(DATE, True, "arbitration")]
    assert "Decisions so far" in lead.get(post_path(DATE)).text


def test_a_decision_that_is_undone_leaves_the_disagreement(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    listed = lead.follow(lead.submit(lead.get(post_path(DATE)), "/queue/reverse", verdict="alert", code="N-PROC-DATE"))
    back = lead.follow(lead.submit(listed, "/queue/undo"))
    world.clock.advance(timedelta(seconds=11))
    assert "Readers disagree" in back.text
    assert len(rows(lead.get("/disagreements").text)) == 1


def test_a_decision_that_says_nothing_of_what_is_disputed_leaves_it(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    lead.submit(lead.get(post_path(DATE)), "/queue/reverse", verdict="log", code="G-NONE")
    world.clock.advance(timedelta(seconds=11))
    assert len(rows(lead.get("/disagreements").text)) == 1


def test_a_refused_decision_keeps_what_was_written_beside_the_readings(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    answer = lead.submit(lead.get(post_path(DATE)), "/queue/reverse", verdict="log", code="T-FALSE", note="kept words")
    assert answer.status_code == 400
    assert "T-FALSE needs its source" in answer.text
    assert ">kept words</textarea>" in answer.text
    assert "Readers disagree" in answer.text


def test_a_lead_who_is_one_of_the_readers_may_agree_or_leaves_it_to_another_lead(world: World) -> None:
    read_post(world, DATE, "lead-one", "N-PROC-DATE")
    read_post(world, DATE, "reviewer-one", "X-OFFICIAL")
    world.clock.advance(timedelta(seconds=11))
    lead, other = world.signed_in("lead"), world.signed_in("lead", "lead-two")
    page = lead.get(post_path(DATE))
    assert re.search(r'Reader \d <span class="badge">you</span>', page.text)
    assert "another lead has to decide" in page.text
    assert "another lead has to decide" not in other.get(post_path(DATE)).text
    lead.submit(page, "/queue/reverse", verdict="alert", code="N-PROC-DATE")
    world.clock.advance(timedelta(seconds=11))
    assert counted(lead.get("/disagreements").text) is None
    assert counted(other.get("/disagreements").text) == "1"


def test_a_post_that_was_edited_since_says_so(world: World) -> None:
    disagree(world)
    edit(world, "The vote stays on Sunday.")
    lead = world.signed_in("lead")
    assert "edited since" in rows(lead.get("/disagreements").text)[0]
    assert "was edited at its source after they had read it" in lead.get(post_path(DATE)).text


def test_a_decision_on_words_that_were_edited_meanwhile_is_compared_without_names_or_times(world: World) -> None:
    disagree(world)
    lead = world.signed_in("lead")
    page = lead.get(post_path(DATE))
    edit(world, "The vote stays on Sunday.")
    conflict = lead.submit(page, "/queue/reverse", verdict="alert", code="N-PROC-DATE")
    assert conflict.status_code == 409
    assert "was edited at its source" in conflict.text
    assert "<time" not in conflict.text
    assert not any(review.reviewer in conflict.text for review in kept(world))


def test_a_post_that_waits_in_the_queue_again_is_taken_before_it_is_decided(world: World) -> None:
    disagree(world)
    found = QueueEntry(key=DATE, rule="r-flagged", reason="N-PROC-DATE 0.88", priority=0.88, at=START)
    world.book.record(AlertChanges(queue=(found,)), partition=0, epoch=1)
    assert queue.is_waiting(world.services.engine, DATE)
    lead = world.signed_in("lead")
    page = lead.get(post_path(DATE))
    assert "Readers disagree" in page.text
    assert "/queue/reverse" not in page.text
    taken = lead.follow(lead.submit(page, "/queue/take"))
    assert "Readers disagree" in taken.text
    assert lead.submit(taken, "/queue/decide", verdict="log", code="X-OFFICIAL", then="queue").status_code == 303


def test_an_index_that_is_away_takes_no_page_with_it_that_does_not_need_it(world: World) -> None:
    disagree(world)

    class Away:
        def get(self, keys: list[str]) -> None:
            raise Unavailable("the index does not answer")

    away = world.over(index=Away()).signed_in("lead")
    assert away.get("/disagreements").status_code == 503
    assert away.get("/audit").status_code == 200


@pytest.mark.parametrize("verdict", ["log", "dismiss"])
def test_a_post_that_one_person_read_twice_is_no_disagreement(world: World, verdict: Verdict) -> None:
    read_post(world, DATE, "reviewer-one", "N-PROC-DATE")
    read_post(world, DATE, "reviewer-one", "X-OFFICIAL", verdict=verdict)
    world.clock.advance(timedelta(seconds=11))
    assert "Nobody disagrees" in world.signed_in("lead").get("/disagreements").text
