"""Reviews: what is recorded, what is refused, and how a slip is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import Engine

from desk import audit, queue, reviews
from desk.database.connect import open_database, writing
from desk.people import DeskRole, Person
from desk.queue import Claim
from desk.refusals import Conflict, Refused
from desk.reviews import Judgement, TruthSource
from hustings.clock import VirtualClock
from hustings.codebook import Codebook, load_codebook
from hustings.types import Assessment, Post, QueueEntry, Review

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


class PostsInMemory:
    """`desk.posts.Posts` over a dictionary."""

    def __init__(self, *revisions: tuple[str, int]) -> None:
        self.by_key: dict[str, Assessment] = {}
        for key, revision in revisions:
            self.edit(key, revision)

    def edit(self, key: str, revision: int, *, deleted: bool = False) -> None:
        source, _, native_id = key.partition(":")
        text = "" if deleted else "text"
        post = Post(
            source=source,
            native_id=native_id,
            text=text,
            published_at=START,
            collected_at=START,
            revision=revision,
            deleted=deleted,
        )
        self.by_key[key] = Assessment(post=post)

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {key: self.by_key[key] for key in keys if key in self.by_key}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def engine(desk_url: str) -> Iterator[Engine]:
    engine = open_database(desk_url)
    entries = [QueueEntry(key=f"f:{n}", rule="flagged", reason="why", priority=n, at=START) for n in (1, 2)]
    with writing(engine) as connection:
        queue.enqueue(connection, entries, now=START)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return load_codebook((files("configs") / "codebook.toml").read_bytes())


@pytest.fixture
def posts() -> PostsInMemory:
    return PostsInMemory(("f:1", 0), ("f:2", 0))


def person(name: str, role: DeskRole = "reviewer") -> Person:
    return Person(id=name, login=name, pseudonym=f"p-{name}", role=role)


ANA, BEN = person("ana"), person("ben")


class Table:
    """A reviewer's table: the open desk, with defaults for what a test does not care about."""

    def __init__(self, engine: Engine, posts: PostsInMemory, codebook: Codebook, clock: VirtualClock) -> None:
        self.engine, self.posts, self.codebook, self.clock = engine, posts, codebook, clock

    def claim(self, who: Person = ANA) -> Claim:
        held = queue.claim(self.engine, reviewer=who, clock=self.clock)
        assert held is not None
        return held

    def decide(self, held: Claim, who: Person = ANA, **given: Any) -> Review:
        asked = {"revision": 0, "verdict": "log", "codes": ("N-PROC",), **given}
        return reviews.decide(
            self.engine,
            Judgement(**asked),
            key=held.key,
            token=held.token,
            reviewer=who,
            index=self.posts,
            codebook=self.codebook,
            clock=self.clock,
        )

    def decide_again(self, key: str, who: Person) -> Review:
        return reviews.reverse(
            self.engine,
            Judgement(revision=0, verdict="dismiss", codes=("X-SATIRE",)),
            subject="post",
            subject_id=key,
            reviewer=who,
            index=self.posts,
            codebook=self.codebook,
            clock=self.clock,
        )


@pytest.fixture
def table(engine: Engine, posts: PostsInMemory, codebook: Codebook, clock: VirtualClock) -> Table:
    return Table(engine, posts, codebook, clock)


def test_decision_is_recorded_and_takes_the_post_out_of_the_queue(table: Table, codebook: Codebook) -> None:
    held = table.claim()
    review = table.decide(held, verdict="alert", codes=("N-PROC-DATE", "N-PROC-DATE"), note="wrong day")
    assert (review.reviewer, review.subject, review.subject_id) == ("p-ana", "post", "f:2")
    assert (review.verdict, review.codes, review.note) == ("alert", ("N-PROC-DATE",), "wrong day")
    assert (review.codebook, review.at) == (codebook.version, START)
    assert reviews.of_subject(table.engine, "post", "f:2") == [review]
    assert table.claim(BEN).key == "f:1"
    assert audit.latest(table.engine, limit=1)[0].action == "review"


def test_what_the_machine_had_shown_is_kept_with_the_review(table: Table) -> None:
    review = table.decide(table.claim(), shown={"flag.N-PROC": 0.91, "blind": False})
    assert (
        reviews.of_subject(table.engine, "post", "f:2")[0].shown
        == review.shown
        == {
            "flag.N-PROC": 0.91,
            "blind": False,
        }
    )


def test_unknown_code_is_refused_with_the_nearest_one(table: Table) -> None:
    held = table.claim()
    with pytest.raises(Refused, match=r"no code 'N-PROC-DAET'; did you mean 'N-PROC-DATE'"):
        table.decide(held, codes=("N-PROC-DAET",))
    assert reviews.of_subject(table.engine, "post", held.key) == []
    assert table.claim() == held


def test_codes_that_only_people_may_give_are_taken_from_people(table: Table) -> None:
    assert table.decide(table.claim(), codes=("H-TOP", "D3", "T-OPEN")).codes == ("H-TOP", "D3", "T-OPEN")


def test_truth_status_without_its_source_is_refused(table: Table) -> None:
    held = table.claim()
    with pytest.raises(Refused, match="T-FALSE needs its source"):
        table.decide(held, codes=("T-FALSE",))
    source = TruthSource(url="https://election.example/dates", kind="election body", checked_on=date(2026, 10, 1))
    assert table.decide(held, codes=("T-FALSE",), truth=source).shown == {
        "truth.url": "https://election.example/dates",
        "truth.kind": "election body",
        "truth.checked_on": "2026-10-01",
    }


def test_post_edited_while_it_was_read_is_a_conflict(table: Table) -> None:
    held = table.claim()
    table.posts.edit(held.key, 7)
    with pytest.raises(Conflict, match="was edited"):
        table.decide(held, revision=0)
    assert table.decide(held, revision=7).subject_revision == 7


def test_post_deleted_while_it_was_read_is_a_conflict(table: Table) -> None:
    held = table.claim()
    table.posts.edit(held.key, 7, deleted=True)
    with pytest.raises(Conflict, match="was deleted"):
        table.decide(held)


def test_decision_under_a_lost_lease_is_a_conflict(table: Table) -> None:
    lost = table.claim()
    table.clock.advance(timedelta(minutes=10))
    with pytest.raises(Conflict, match="ten minutes"):
        table.decide(lost)
    table.claim(BEN)
    with pytest.raises(Conflict, match="handed to somebody else"):
        table.decide(lost)
    assert reviews.of_subject(table.engine, "post", lost.key) == []


def test_second_decision_under_one_lease_is_a_conflict(table: Table) -> None:
    held = table.claim()
    table.decide(held)
    with pytest.raises(Conflict, match="was decided meanwhile"):
        table.decide(held)


def test_decision_is_found_by_its_lease_while_it_stands(table: Table) -> None:
    held = table.claim()
    asked = {"key": held.key, "token": held.token}
    assert reviews.under_lease(table.engine, **asked, reviewer=ANA) is None
    review = table.decide(held)
    assert reviews.under_lease(table.engine, **asked, reviewer=ANA) == review
    assert reviews.under_lease(table.engine, **asked, reviewer=BEN) is None
    assert reviews.under_lease(table.engine, key=held.key, token=held.token + 1, reviewer=ANA) is None
    reviews.undo(table.engine, review_id=review.id, reviewer=ANA, clock=table.clock)
    assert reviews.under_lease(table.engine, **asked, reviewer=ANA) is None


@pytest.mark.parametrize("role", ["viewer", "engineer", "admin"])
def test_who_may_not_review_is_refused(role: DeskRole, table: Table) -> None:
    held = table.claim()
    with pytest.raises(Refused, match=f"a {role} may not review"):
        table.decide(held, person("x", role))


def test_slip_is_undone_within_ten_seconds_and_the_post_is_back_in_hand(table: Table) -> None:
    review = table.decide(table.claim())
    table.clock.advance(timedelta(seconds=10))
    assert reviews.undo(table.engine, review_id=review.id, reviewer=ANA, clock=table.clock) == review
    assert reviews.of_subject(table.engine, "post", "f:2") == []
    again = table.decide(table.claim(), verdict="dismiss")
    assert (again.subject_id, again.verdict) == ("f:2", "dismiss")
    assert [row.action for row in audit.latest(table.engine)] == ["review", "review-undone", "review"]


def test_undo_comes_too_late_after_ten_seconds(table: Table) -> None:
    review = table.decide(table.claim())
    table.clock.advance(timedelta(seconds=10, milliseconds=1))
    with pytest.raises(Refused, match="ten seconds are over"):
        reviews.undo(table.engine, review_id=review.id, reviewer=ANA, clock=table.clock)


def test_only_ones_own_decision_is_undone_and_only_once(table: Table) -> None:
    review = table.decide(table.claim())
    with pytest.raises(Refused, match="not a decision of yours"):
        reviews.undo(table.engine, review_id=review.id, reviewer=BEN, clock=table.clock)
    reviews.undo(table.engine, review_id=review.id, reviewer=ANA, clock=table.clock)
    with pytest.raises(Conflict, match="undone already"):
        reviews.undo(table.engine, review_id=review.id, reviewer=ANA, clock=table.clock)


def test_review_counts_for_training_only_after_its_grace(table: Table) -> None:
    review = table.decide(table.claim())
    assert reviews.settled(table.engine, clock=table.clock) == []
    table.clock.advance(timedelta(seconds=10))
    assert reviews.settled(table.engine, clock=table.clock) == [review]


def test_further_decision_that_is_undone_leaves_the_post_out_of_the_queue(table: Table) -> None:
    first = table.decide(table.claim())
    table.clock.advance(timedelta(hours=1))
    second = table.decide_again(first.subject_id, BEN)
    reviews.undo(table.engine, review_id=second.id, reviewer=BEN, clock=table.clock)
    assert reviews.of_subject(table.engine, "post", first.subject_id) == [first]
    assert not queue.is_waiting(table.engine, first.subject_id)


def test_only_posts_that_more_than_one_person_read_are_read_by_several(table: Table) -> None:
    alone, first = table.decide(table.claim()), table.decide(table.claim(BEN), BEN)
    table.decide_again(alone.subject_id, ANA)
    table.clock.advance(timedelta(hours=1))
    second = table.decide_again(first.subject_id, ANA)
    assert reviews.read_by_several(table.engine, clock=table.clock) == []  # the grace of the second is not over
    table.clock.advance(timedelta(seconds=10))
    assert reviews.read_by_several(table.engine, clock=table.clock) == [first, second]


def test_a_second_reading_that_was_undone_leaves_one_reader(table: Table) -> None:
    first = table.decide(table.claim())
    second = table.decide_again(first.subject_id, BEN)
    reviews.undo(table.engine, review_id=second.id, reviewer=BEN, clock=table.clock)
    table.clock.advance(timedelta(hours=1))
    assert reviews.read_by_several(table.engine, clock=table.clock) == []


def test_later_change_of_mind_is_a_new_review_and_the_former_stays(table: Table) -> None:
    first = table.decide(table.claim())
    table.clock.advance(timedelta(hours=1))
    second = table.decide_again("f:2", BEN)
    assert reviews.of_subject(table.engine, "post", "f:2") == [first, second]


def test_post_that_waits_in_the_queue_is_decided_by_whoever_takes_it_and_nobody_else(table: Table) -> None:
    with pytest.raises(Conflict, match="waits for a reader"):
        table.decide_again("f:2", BEN)
    first = table.decide(table.claim())
    found = QueueEntry(key="f:2", rule="later", reason="why", priority=0.5, at=START)
    with writing(table.engine) as connection:
        queue.enqueue(connection, [found], now=table.clock.now())
    with pytest.raises(Conflict, match="waits for a reader"):
        table.decide_again("f:2", BEN)
    assert reviews.of_subject(table.engine, "post", "f:2") == [first]


def test_saying_the_same_again_adds_nothing_until_somebody_else_has_spoken(table: Table) -> None:
    first = table.decide(table.claim())
    table.clock.advance(timedelta(minutes=1))
    second = table.decide_again("f:2", BEN)
    table.clock.advance(timedelta(minutes=1))
    assert table.decide_again("f:2", BEN) == second
    third = table.decide_again("f:2", ANA)
    table.clock.advance(timedelta(minutes=1))
    last = table.decide_again("f:2", BEN)
    assert reviews.of_subject(table.engine, "post", "f:2") == [first, second, third, last]
    assert len([row for row in audit.latest(table.engine) if row.action == "review-again"]) == 3
