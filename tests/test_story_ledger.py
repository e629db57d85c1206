"""Several analyze workers that share one ledger of stories agree on every story, whatever happens to them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event

from classifiers.shared_stories import SharedStories
from classifiers.stories import Stories
from desk.database.connect import open_database, writing
from desk.database.tables import tellings
from desk.story_ledger import DeskStoryLedger
from hustings.contracts import StoryLedger, StoryTurn, Telling
from hustings.errors import StoreError
from hustings.testing.check_classifier import check_classifier
from hustings.testing.check_story_ledger import CHECKS
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post

START = datetime(2026, 10, 1, tzinfo=UTC)
CLAIM = "Voting has been moved to Tuesday because of the ferry strike, do not go on Sunday, tell your neighbours"
OTHER = "The election is cancelled in the islands, the boats with the ballots never arrived there last night"

properties = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_desk_ledger_keeps_the_contract(check: Callable[[Callable[[], StoryLedger]], None], desk_url: str) -> None:
    with ExitStack() as closing:

        def make() -> StoryLedger:
            engine = open_database(desk_url)
            closing.callback(engine.dispose)
            return DeskStoryLedger(engine)

        check(make)


def test_stories_under_a_ledger_keep_the_contract_of_a_classifier(engine: Engine) -> None:
    check_classifier(lambda: SharedStories(DeskStoryLedger(engine)))


# ── the property ─────────────────────────────────────────────────────────────────────────────────────────────────

WORDS = CLAIM.split()


def _text(family: int, changed: int) -> str:
    """One of a family of near-copies: families share half of their words, members differ in two places."""
    words = [f"{word}{family}" if place % 4 == 0 else word for place, word in enumerate(WORDS * 2)]
    for place in (changed, changed + 7):
        words[place % len(words)] = f"x{changed}"
    return " ".join(words)


def post(
    key: int, text: str, *, revision: int = 0, after: timedelta = timedelta(0), code: str = "N-PROC-DATE"
) -> Assessment:
    made = Post(
        source="s",
        native_id=str(key),
        text=text,
        revision=revision,
        published_at=START + after,
        collected_at=START + after,
    )
    flags = (Flag(code=code, score=0.9),) if code else ()
    return Assessment(post=made, tokens=analyse(text).tokens, flags=flags)


posts = st.builds(
    lambda key, revision, family, changed, code: post(
        key, _text(family, changed), revision=revision, after=timedelta(minutes=key + revision), code=code
    ),
    st.integers(0, 40),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 8),
    st.sampled_from(["N-PROC-DATE"] * 5 + ["X-COUNTER", ""]),
)
batches = st.lists(posts, min_size=1, max_size=6)
happenings = st.sampled_from(["goes well"] * 4 + ["crashes before the commit", "crashes behind it", "is started anew"])
steps = st.lists(st.tuples(st.integers(0, 3), batches, happenings), min_size=1, max_size=25)


class Crash(Exception):
    """What a kill -9 is to a test."""


class CrashingLedger:
    """A ledger on which the next turn is cut off, before or behind its commit."""

    def __init__(self, ledger: StoryLedger) -> None:
        self._ledger = ledger
        self.happens = ""

    def since(self, place: int, *, limit: int) -> list[Telling]:
        return self._ledger.since(place, limit=limit)

    @contextmanager
    def turn(self) -> Iterator[StoryTurn]:
        happens, self.happens = self.happens, ""
        with self._ledger.turn() as turn:
            yield turn
            if happens == "crashes before the commit":
                raise Crash
        if happens == "crashes behind it":
            raise Crash


def _same_content(one: Assessment, known: dict[tuple[str, int], Assessment]) -> Assessment:
    """The same key and revision is the same post."""
    return known.setdefault((one.key, one.post.revision), one)


def _memory_of(shared: SharedStories) -> object:
    memory = shared._memory
    wordings = {wording: (bool(one.number), one.story, one.posts) for wording, one in memory._wordings.items()}
    return list(memory._known.items()), wordings


def _run(engine: Engine, schedule: Sequence[tuple[int, list[Assessment], str]]) -> None:
    with writing(engine) as connection:
        connection.execute(delete(tellings))
    ledger = DeskStoryLedger(engine)
    doors = [CrashingLedger(ledger) for _ in range(4)]
    workers = [SharedStories(door) for door in doors]
    content: dict[tuple[str, int], Assessment] = {}
    answers: dict[tuple[str, int], set[str]] = defaultdict(set)
    for number, batch, happens in schedule:
        batch = [_same_content(one, content) for one in batch]
        if happens == "is started anew":
            workers[number] = SharedStories.following(doors[number])
        doors[number].happens = happens
        with suppress(Crash):
            workers[number].classify(batch)
        doors[number].happens = ""
        for one in workers[number].classify(batch):  # the redo; also of what went well
            answers[one.key, one.post.revision].add(one.story)
    rows = ledger.since(0, limit=10_000)
    told = {(row.key, row.revision): row.story for row in rows}
    flagged = {name: stories for name, stories in answers.items() if content[name].flags}
    assert flagged == {name: {story} for name, story in told.items()}
    assert all(answers[name] == {""} for name in answers.keys() - flagged.keys())
    alone = Stories()
    in_order = [content[row.key, row.revision] for row in rows]
    assert [alone.classify([one])[0].story for one in in_order] == [row.story for row in rows]
    workers.append(SharedStories.following(ledger))
    everything = list(content.values())
    assert all(worker.classify(everything) == workers[0].classify(everything) for worker in workers)
    assert all(_memory_of(worker) == _memory_of(workers[0]) for worker in workers)


@properties
@given(steps)
def test_any_interleaving_of_four_workers_gives_what_one_gives_in_the_order_of_the_ledger(
    engine: Engine, schedule: list[tuple[int, list[Assessment], str]]
) -> None:
    _run(engine, schedule)


@properties
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), happenings), min_size=20, max_size=60))
def test_a_small_memory_is_the_same_everywhere_while_the_ledger_drops_what_nobody_remembers(
    engine: Engine, schedule: list[tuple[int, int, str]]
) -> None:
    with writing(engine) as connection:
        connection.execute(delete(tellings))
    ledger = DeskStoryLedger(engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("classifiers.stories.MEMORY_SIZE", 10)
        patch.setattr("classifiers.shared_stories.DROP_EVERY", 4)
        workers = [SharedStories(ledger) for _ in range(4)]
        for key, (number, text, happens) in enumerate(schedule):
            if happens == "is started anew":
                workers[number] = SharedStories.following(ledger)
            workers[number].classify([post(key, _text(text % 4, text % 9))])
        asleep = SharedStories(ledger)  # read nothing so far, and the beginning is gone
        for worker in [*workers, asleep]:
            worker._read(ledger)
        assert all(_memory_of(worker) == _memory_of(asleep) for worker in workers)
    assert len(ledger.since(0, limit=1000)) < 10 + 4 + 4


def test_four_threads_over_the_same_posts_agree(engine: Engine) -> None:
    everything = [post(key, _text(key % 5, key % 9), after=timedelta(seconds=key)) for key in range(200)]
    start = threading.Barrier(4)

    def work(number: int) -> dict[str, str]:
        worker = SharedStories.following(DeskStoryLedger(engine))
        mine = everything[number * 50 :] + everything[: number * 50]  # each begins elsewhere
        start.wait()
        found: dict[str, str] = {}
        for place in range(0, len(mine), 10):
            found |= {one.key: one.story for one in worker.classify(mine[place : place + 10])}
        return found

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(work, range(4)))
    assert all(answer == answers[0] for answer in answers)
    rows = DeskStoryLedger(engine).since(0, limit=1000)
    assert {row.key: row.story for row in rows} == answers[0]
    assert len(rows) == 200


# ── single stories ───────────────────────────────────────────────────────────────────────────────────────────────


def _asked(engine: Engine) -> list[str]:
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    return statements


def test_a_batch_that_is_known_costs_one_look_and_one_without_flags_none(engine: Engine) -> None:
    worker = SharedStories.following(DeskStoryLedger(engine))
    worker.classify([post(1, CLAIM)])
    asked = _asked(engine)
    worker.classify([post(1, CLAIM), post(2, OTHER, code="")])
    assert [statement for statement in asked if not statement.startswith("BEGIN")] == [asked[-1]]
    assert "FROM tellings" in asked[-1]
    asked.clear()
    worker.classify([post(2, OTHER, code="")])
    assert asked == []


def test_an_older_revision_that_comes_late_gets_a_story_and_keeps_it(engine: Engine) -> None:
    one, other = (SharedStories.following(DeskStoryLedger(engine)) for _ in range(2))
    new, old = post(1, OTHER, revision=5), post(1, CLAIM, revision=0)
    one.classify([new])
    (late,) = other.classify([old])
    one.classify([post(2, CLAIM + " now", revision=0)])
    assert one.classify([old]) == other.classify([old]) == [late]
    assert one.classify([new]) == other.classify([new])


def test_a_known_revision_that_comes_behind_a_newer_one_in_one_batch_is_told_once(engine: Engine) -> None:
    worker = SharedStories.following(DeskStoryLedger(engine))
    old, new = post(0, CLAIM), post(0, CLAIM, revision=1)
    (first,) = worker.classify([old])
    assert [one.story for one in worker.classify([old, new, old])] == [first.story] * 3


def test_an_empty_ledger_begins_with_the_stories_that_the_index_holds_and_a_full_one_does_not_look(
    engine: Engine,
) -> None:
    stored = Stories().classify([post(1, CLAIM), post(2, OTHER)])

    def unread() -> Iterator[Assessment]:
        raise AssertionError("looked into the index")
        yield

    first = SharedStories.following(DeskStoryLedger(engine), seed=stored)
    second = SharedStories.following(DeskStoryLedger(engine), seed=unread())
    copy = post(3, CLAIM + " now")
    assert second.classify([copy])[0].story == stored[0].story
    assert first.classify([*stored, copy]) == [*stored, *second.classify([copy])]


def test_stories_of_the_index_that_fill_several_pages_are_sown_in_order(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.shared_stories.PAGE", 2)
    stored = Stories().classify(
        [post(key, f"{key} {CLAIM}", code="" if key == 3 else "N-PROC-DATE") for key in range(6)]
    )
    ledger = DeskStoryLedger(engine)
    sown = SharedStories.following(ledger, seed=iter(stored))
    told = [(row.place, row.key) for row in ledger.since(0, limit=10)]
    assert told == [(1, "s:0"), (2, "s:1"), (3, "s:2"), (4, "s:4"), (5, "s:5")]
    assert _memory_of(sown) == _memory_of(SharedStories.following(ledger))


def test_a_ledger_that_was_restored_from_a_backup_is_read_again(engine: Engine) -> None:
    ledger = DeskStoryLedger(engine)
    worker = SharedStories.following(ledger)
    worker.classify([post(1, CLAIM), post(2, OTHER)])
    with writing(engine) as connection:
        connection.execute(delete(tellings).where(tellings.c.place > 1))
    with pytest.raises(StoreError, match="restored from a backup"):
        worker.classify([post(3, OTHER)])
    assert worker.classify([post(3, OTHER)]) == SharedStories.following(ledger).classify([post(3, OTHER)])
    assert [row.key for row in ledger.since(0, limit=10)] == ["s:1", "s:3"]


def test_a_sketch_of_another_maker_is_passed_over(engine: Engine) -> None:
    ledger = DeskStoryLedger(engine)
    row = Telling(key="s:1", revision=0, story="old", wording=b"w" * 16, sketch=b"from the future", at=START)
    with ledger.turn() as turn:
        turn.append([row], after=0)
    assert SharedStories.following(ledger).classify([post(2, CLAIM)])[0].story != "old"
