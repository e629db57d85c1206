"""The analyze and watch loops over real stores: order of effects, crashes between any two, lost sinks, marks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from classifiers.pipeline import Pipeline
from desk import queue
from desk.book import DeskBook
from desk.dispatch import Dispatcher
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import Clock, SystemClock
from hustings.contracts import Index, Log, Outcome, Record, SourceContext
from hustings.errors import StoreError, Unavailable
from hustings.roster import Roster
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import DeadLetter, Hit, Mark, Post
from ingest.evidence import EvidenceFolder
from ingest.files import FilesSettings, FilesSource
from ingest.log_sqlite import SqliteLog
from ingest.polling import Collector, ConfiguredSource
from ingest.pseudonyms import Pseudonyms
from runtime.loops.frame import Pulse, run_loop
from runtime.loops.progress import APPEND_DELAY, Archive, Progress
from runtime.status import books_of
from runtime.stop import Stop
from tests.limited_log import LimitedLog
from tests.loops_world import ALL, CALM, QUIET, RULES, SUNDAY, LoopsWorld, Poisonous, Refusing, at, post


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def world(tmp_path: Path, desk_url: str, closing: ExitStack) -> LoopsWorld:
    return LoopsWorld(tmp_path, desk_url, closing)


# ── analyze ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_posts_become_assessments_hits_an_alert_and_queue_entries(world: LoopsWorld) -> None:
    world.append(*SUNDAY, *CALM)
    world.run_to_the_end()
    assert world.index.count(ALL) == 8
    assert len(world.hits()) == 8, "four posts meet two rules"
    (alert,) = world.alerts()
    assert (alert.rule_name, alert.opened_at, alert.value) == ("many-warn", at(2), 4.0)
    assert queue.depth(world.engine, clock=world.clock).waiting == 4
    assert books_of(world.log, world.index).balanced


def test_a_post_that_makes_a_step_raise_is_a_dead_letter_and_the_others_go_on(world: LoopsWorld) -> None:
    world.append(*CALM[:3], post("p", "poison here", minutes=1), *SUNDAY[:2], post("q", "more poison"), CALM[3])
    world.run_to_the_end()
    letters = [value for value in world.entries("dead-letters") if isinstance(value, DeadLetter)]
    assert [(x.stage, x.reason, x.detail, x.origin) for x in letters] == [
        ("analyze", "stage_failed", "ZeroDivisionError: a bug in this step", "posts/0/3"),
        ("analyze", "stage_failed", "ZeroDivisionError: a bug in this step", "posts/0/6"),
    ]
    assert wire.decode(letters[0].original, Post).text == "poison here"
    assert {a.key for a in world.index.search(ALL).assessments} == {p.key for p in (*CALM, *SUNDAY[:2])}
    books = books_of(world.log, world.index)
    assert (books.new, books.dead_letters, books.balanced) == (6, 2, True)


def test_a_dead_letter_that_the_log_refuses_is_cut_and_analyze_goes_on(
    tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    """A post that just fits is a third larger in its letter."""

    def limited(clock: Clock) -> Log:
        return LimitedLog(tmp_path / "log", clock=clock, limits={"posts": 6_000, "dead-letters": 6_000}).open()

    world = LoopsWorld(tmp_path, desk_url, closing, log=limited)
    large = post("p", "poison " * 750)
    world.append(CALM[0], large, CALM[1])
    world.run_to_the_end()
    (letter,) = world.entries("dead-letters")
    assert isinstance(letter, DeadLetter)
    assert (letter.stage, letter.reason, letter.origin) == ("analyze", "stage_failed", "posts/0/1")
    assert wire.encode(large).startswith(letter.original)
    assert "[cut to the first" in letter.detail
    assert world.index.positions("posts") == {0: 3}
    books = books_of(world.log, world.index)
    assert (books.new, books.dead_letters, books.balanced) == (2, 1, True)


def test_a_hit_that_the_log_refuses_is_a_dead_letter_and_costs_nobody_else(
    tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    def limited(clock: Clock) -> Log:
        return LimitedLog(tmp_path / "log", clock=clock, limits={"hits": 700}).open()

    world = LoopsWorld(tmp_path, desk_url, closing, log=limited)
    world.append(*SUNDAY[:2], post("x" * 500, "vote on sunday"), *SUNDAY[2:])
    world.run_to_the_end()
    letters = [value for value in world.entries("dead-letters") if isinstance(value, DeadLetter)]
    assert [(x.stage, x.reason) for x in letters] == [("analyze", "too_large")] * 2, "two rules, two hits"
    assert {wire.decode(x.original, Hit).key for x in letters} == {"net:" + "x" * 500}
    assert {hit.key for hit in world.hits()} == {one.key for one in SUNDAY}
    assert [alert.value for alert in world.alerts()] == [4.0]
    assert world.index.count(ALL) == 5
    assert books_of(world.log, world.index).balanced


def test_an_entry_that_is_no_post_is_a_dead_letter(world: LoopsWorld) -> None:
    world.log.append("posts", [Record("net:x", b"{"), Record("net:y", b'{"source":"net"}')])
    world.append(CALM[0])
    world.run_to_the_end()
    assert [x.reason for x in world.entries("dead-letters") if isinstance(x, DeadLetter)] == ["undecodable"] * 2
    books = books_of(world.log, world.index)
    assert (books.log, books.new, books.dead_letters, books.balanced) == (3, 1, 2, True)


def test_the_same_post_twice_is_counted_as_unchanged(world: LoopsWorld) -> None:
    world.append(CALM[0], CALM[1], CALM[0])
    world.run_to_the_end()
    books = books_of(world.log, world.index)
    assert (books.log, books.new, books.unchanged, books.balanced) == (3, 2, 1, True)


def test_other_content_of_the_same_revision_leaves_the_first_and_has_no_hits(world: LoopsWorld) -> None:
    world.append(CALM[0])
    world.append(post("calm-0", "vote on sunday"))
    world.run_to_the_end()
    assert world.hits() == []
    assert world.index.get(["net:calm-0"])["net:calm-0"].post.text == CALM[0].text
    assert books_of(world.log, world.index).conflicting == 1


class StopsHere(Exception):
    """Stands for a kill at this very place."""


class Stumbling:
    """A store whose one method raises the first time that it is called, before or after doing what it should."""

    def __init__(self, inner: Any, method: str, *, after: bool, error: type[Exception] = StopsHere) -> None:
        self._inner, self._method, self._after = inner, method, after
        self._error: type[Exception] | None = error

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name != self._method or self._error is None:
            return real

        def stumble(*args: Any, **kwargs: Any) -> Any:
            error, self._error = self._error, None
            if self._after:
                real(*args, **kwargs)
            raise error("stumbled") if error is not None else AssertionError

        return stumble


CHAPTERS = (
    [*SUNDAY, *CALM, post("p", "poison")],
    [
        post("calm-0", "now it says vote on sunday", minutes=0, revision=5),
        post(1, "nothing of the kind", minutes=1, revision=6),
        post("q", "poison"),
    ],
)
ANALYZE_STEPS = [("log", "append"), ("index", "write"), ("reader", "commit")]
WATCH_STEPS = [("index", "write_hits"), ("book", "record"), ("reader", "commit")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, _blank_desk: Path) -> dict[str, object]:
    """All that the stores say after both chapters when nothing crashes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with ExitStack() as closing:
        calm = LoopsWorld(folder, f"sqlite:///{shutil.copy(_blank_desk, folder / 'desk.db')}", closing)
        for chapter in CHAPTERS:
            calm.append(*chapter)
            calm.run_to_the_end()
        return calm.everything()


@pytest.mark.parametrize("chapter", [0, 1], ids=["first posts", "their edits"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "method"), ANALYZE_STEPS, ids=lambda part: str(part))
def test_a_crash_of_analyze_between_any_two_steps_changes_nothing(
    world: LoopsWorld, undisturbed: dict[str, object], where: str, method: str, after: bool, chapter: int
) -> None:
    for number, posts in enumerate(CHAPTERS):
        world.append(*posts)
        if number == chapter:
            parts: dict[str, Any] = {
                "log": world.log,
                "index": world.index,
                "reader": world.log.reader("posts", "analyze"),
            }
            world.closing.callback(parts["reader"].close)
            dying = world.analyzer(**(parts | {where: Stumbling(parts[where], method, after=after)}))
            with pytest.raises(StopsHere):
                dying.step()
        world.run_to_the_end()
    assert world.everything() == undisturbed


@pytest.mark.parametrize("chapter", [0, 1], ids=["first posts", "their edits"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "method"), WATCH_STEPS, ids=lambda part: str(part))
def test_a_crash_of_watch_between_any_two_steps_changes_nothing(
    world: LoopsWorld, undisturbed: dict[str, object], where: str, method: str, after: bool, chapter: int
) -> None:
    for number, posts in enumerate(CHAPTERS):
        world.append(*posts)
        if number == chapter:
            analyzer = world.analyzer()
            analyzer.step()
            analyzer.close()
            parts: dict[str, Any] = {
                "index": world.index,
                "reader": world.log.reader("hits", "watch"),
                "book": DeskBook(world.engine, Dispatcher((), index=world.index, roster=Roster()), world.clock),
            }
            world.closing.callback(parts["reader"].close)
            dying = world.watcher(**(parts | {where: Stumbling(parts[where], method, after=after)}))
            with pytest.raises(StopsHere):
                dying.step()
        world.run_to_the_end()
    assert world.everything() == undisturbed


def test_a_crash_within_a_batch_that_spans_days_loses_no_alert_of_its_first_days(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:2])
    world.run_to_the_end()
    days = 5 * 24 * 60
    world.append(SUNDAY[2], post("later", "vote on sunday they say", minutes=days))
    world.clock.set(at(days + 1))
    analyzer = world.analyzer()
    analyzer.step()
    analyzer.close()
    book = DeskBook(world.engine, Dispatcher((), index=world.index, roster=Roster()), world.clock)
    dying = world.watcher(book=Stumbling(book, "record", after=False))
    with pytest.raises(StopsHere):
        dying.step()
    dying.close()
    world.run_to_the_end()
    assert [(alert.state, alert.opening_anchor) for alert in world.alerts()] == [("resolved", at(2))]


def patiently(step: Callable[[], int]) -> int:
    """Step until there is nothing left, as `run_loop` does; how often a store was unavailable."""
    waits = 0
    while True:
        try:
            if not step():
                return waits
        except Unavailable:
            waits += 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "method"), ANALYZE_STEPS, ids=lambda part: str(part))
def test_analyze_passes_nothing_over_when_a_store_was_unavailable(
    world: LoopsWorld, undisturbed: dict[str, object], where: str, method: str, after: bool
) -> None:
    reader = world.log.reader("posts", "analyze")
    world.closing.callback(reader.close)
    parts: dict[str, Any] = {"log": world.log, "index": world.index, "reader": reader}
    waiting = world.analyzer(**(parts | {where: Stumbling(parts[where], method, after=after, error=Unavailable)}))
    watcher = world.watcher()
    waits = 0
    for posts in CHAPTERS:
        world.append(*posts)
        waits += patiently(waiting.step)
        waiting.send_marks()
        patiently(watcher.step)
    assert waits == 1
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "method"), WATCH_STEPS, ids=lambda part: str(part))
def test_watch_passes_nothing_over_when_a_store_was_unavailable(
    world: LoopsWorld, undisturbed: dict[str, object], where: str, method: str, after: bool
) -> None:
    reader = world.log.reader("hits", "watch")
    world.closing.callback(reader.close)
    parts: dict[str, Any] = {
        "index": world.index,
        "reader": reader,
        "book": DeskBook(world.engine, Dispatcher((), index=world.index, roster=Roster()), world.clock),
    }
    analyzer = world.analyzer()
    waiting = world.watcher(**(parts | {where: Stumbling(parts[where], method, after=after, error=Unavailable)}))
    waits = 0
    for posts in CHAPTERS:
        world.append(*posts)
        patiently(analyzer.step)
        analyzer.send_marks()
        waits += patiently(waiting.step)
    assert waits == 1
    assert world.everything() == undisturbed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_collect_passes_nothing_of_an_archive_over_when_the_log_was_unavailable(
    world: LoopsWorld, tmp_path: Path, after: bool
) -> None:
    sources = []
    for name, posts in (("one", SUNDAY), ("two", CALM)):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(wire.encode(p) + b"\n" for p in posts))
        context = SourceContext(egress=LoopbackEgress(), memory=DictMemory(), clock=SystemClock())
        sources.append(ConfiguredSource(FilesSource(name, FilesSettings(path=path), context), "as-collected"))
    collector = Collector(
        sources,
        log=Stumbling(world.log, "append", after=after, error=Unavailable),
        memory=DeskMemory(world.engine),
        evidence=EvidenceFolder(tmp_path / "evidence", code_version="test"),
        pseudonyms=Pseudonyms(b"k" * 32),
        roster=Roster(),
        clock=SystemClock(),
        code_version="test",
    )
    collector.open()
    waits = 0
    while not collector.done:
        try:
            collector.step()
        except Unavailable:
            waits += 1
    collector.close()
    world.run_to_the_end()
    assert waits == 1
    assert {a.key for a in world.index.search(ALL).assessments} == {p.key for p in (*SUNDAY, *CALM)}
    assert books_of(world.log, world.index).balanced


def test_hits_are_durable_before_the_index_is_written(world: LoopsWorld) -> None:
    world.append(*SUNDAY)
    dying = world.analyzer(index=Stumbling(world.index, "write", after=False))
    with pytest.raises(StopsHere):
        dying.step()
    assert {hit.key for hit in world.hits()} == {p.key for p in SUNDAY}
    assert world.index.count(ALL) == 0


def test_an_index_that_was_lost_alone_is_filled_again(world: LoopsWorld) -> None:
    for chapter in CHAPTERS:
        world.append(*chapter)
        world.run_to_the_end()
    before = world.everything()
    world.lose_index()
    world.run_to_the_end()
    assert world.everything() == before
    world.append(post("later", "a later post", minutes=9))
    world.run_to_the_end()
    assert world.index.count(ALL) == 9
    assert books_of(world.log, world.index).balanced


def test_an_index_that_was_lost_tells_nothing_again_of_alerts_that_are_over(world: LoopsWorld) -> None:
    world.append(*SUNDAY)
    world.run_to_the_end()
    world.clock.set(at(5 * 60))
    world.run_to_the_end()
    assert [alert.state for alert in world.alerts()] == ["resolved"]
    before = world.everything()
    world.lose_index()
    world.run_to_the_end()
    assert world.everything() == before


def test_while_a_lost_index_is_filled_no_hit_is_sent_again(world: LoopsWorld) -> None:
    for chapter in CHAPTERS:
        world.append(*chapter)
        world.run_to_the_end()
    sent = world.hits()
    world.lose_index()
    world.append(post(2, "nothing of the kind either", minutes=2, revision=7))
    world.run_to_the_end()
    assert [(hit.key, hit.withdrawn) for hit in world.hits()[len(sent) :]] == [("net:2", True)] * 2


@pytest.mark.parametrize("is_lost", [False, True], ids=["index kept", "index lost"])
def test_a_rule_that_was_edited_knows_the_posts_of_before(world: LoopsWorld, is_lost: bool) -> None:
    world.append(*SUNDAY)
    world.run_to_the_end()
    world.rules = world.rules_of(RULES.replace("gte = 3", "gte = 5"))
    if is_lost:
        world.lose_index()
    world.append(post("later", "vote on sunday they say", minutes=5))
    world.clock.set(at(6))
    world.run_to_the_end()
    new, former = world.alerts()
    assert (new.state, new.value, new.opening_anchor) == ("open", 5.0, at(5))
    assert former.reason["code"] == "rule_changed"


def test_a_rule_that_was_edited_knows_them_also_when_the_index_is_lost_later(world: LoopsWorld) -> None:
    world.append(*SUNDAY)
    world.run_to_the_end()
    world.rules = world.rules_of(RULES.replace("gte = 3", "gte = 4"))
    world.append(*CALM)
    world.clock.set(at(4))
    world.run_to_the_end()
    before = world.everything()
    assert {(alert.state, alert.value) for alert in world.alerts()} == {("open", 4.0), ("resolved", 4.0)}
    world.lose_index()
    world.run_to_the_end()
    assert world.everything() == before
    world.append(post("later", "vote on sunday they say", minutes=5))
    world.clock.set(at(6))
    world.run_to_the_end()
    assert {(alert.state, alert.value) for alert in world.alerts()} == {("open", 5.0), ("resolved", 4.0)}


def test_a_loss_is_remembered_when_the_filling_is_interrupted(world: LoopsWorld) -> None:
    world.append(*SUNDAY)
    world.run_to_the_end()
    world.rules = world.rules_of(RULES.replace("gte = 3", "gte = 4"))
    world.run_to_the_end()
    before = world.everything()
    world.lose_index()
    with pytest.raises(StopsHere):
        world.watcher(index=Stumbling(world.index, "write_hits", after=True))
    world.run_to_the_end()
    assert world.everything() == before


def test_a_hit_of_an_edited_rule_that_the_index_never_takes_is_a_dead_letter(world: LoopsWorld) -> None:
    world.append(*SUNDAY)
    world.run_to_the_end()
    world.rules = world.rules_of(RULES.replace("gte = 3", "gte = 4"))
    world.index = cast("Index", Refusing(world.index, "net:1"))
    world.run_to_the_end()
    (letter,) = world.entries("dead-letters")
    assert isinstance(letter, DeadLetter)
    assert (letter.stage, letter.reason, letter.detail) == ("watch", "refused", "too odd")
    edited = world.rules.rules[0]
    assert [hit.key for hit in world.index.hits(edited.id, edited.logic)] == ["net:0", "net:2", "net:3"]


def test_an_index_of_another_log_is_refused(world: LoopsWorld, tmp_path: Path) -> None:
    world.append(*CALM)
    world.run_to_the_end()
    other = SqliteLog(tmp_path / "other-log", clock=world.clock).open()
    world.closing.callback(other.close)
    told = f"the index was filled from log '{world.log.id}', but this log is '{other.id}'"
    with pytest.raises(StoreError, match=told):
        world.analyzer(log=other, reader=other.reader("posts", "analyze"))


# ── revisions ────────────────────────────────────────────────────────────────────────────────────────────────────


def withdrawn(world: LoopsWorld) -> list[tuple[str, int]]:
    return [(hit.key, hit.revision) for hit in world.hits() if hit.withdrawn and hit.rule.endswith("01")]


def test_an_edit_that_no_longer_matches_withdraws_its_hit_and_retracts_the_alert(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:3])
    world.run_to_the_end()
    assert [alert.state for alert in world.alerts()] == ["open"]
    world.append(post(1, "we were wrong", minutes=1, revision=4))
    world.run_to_the_end()
    assert withdrawn(world) == [("net:1", 4)]
    (alert,) = world.alerts()
    assert (alert.state, alert.reason["code"]) == ("retracted", "withdrawn")
    books = books_of(world.log, world.index)
    assert (books.new, books.revised, books.balanced) == (3, 1, True)


def test_an_edit_withdraws_even_when_watch_has_not_seen_the_former_hit_yet(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:3])
    analyzer = world.analyzer()
    analyzer.step()
    world.append(post(1, "we were wrong", minutes=1, revision=4))
    analyzer.step()
    assert withdrawn(world) == [("net:1", 4)]


def test_a_post_and_its_edit_in_one_batch_withdraw_too(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:3], post(1, "we were wrong", minutes=1, revision=4))
    world.run_to_the_end()
    assert withdrawn(world) == [("net:1", 4)]
    assert [alert.state for alert in world.alerts()] == ["retracted"]


def test_a_deletion_erases_the_text_and_withdraws(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:3])
    world.run_to_the_end()
    gone = msgspec.structs.replace(post(2, "", minutes=2, revision=9), deleted=True)
    world.append(gone)
    world.run_to_the_end()
    assert withdrawn(world) == [("net:2", 9)]
    assert world.index.get(["net:2"])["net:2"].post.text == ""


def test_an_edit_keeps_the_first_collection_as_its_ingest_time(world: LoopsWorld) -> None:
    world.append(SUNDAY[0], post(0, "vote on sunday, really", minutes=0, revision=30))
    world.run_to_the_end()
    (stored,) = world.index.search(ALL).assessments
    assert stored.ingested_at == SUNDAY[0].collected_at
    assert stored.post.collected_at == at(30)


def test_an_older_revision_that_comes_later_changes_nothing(world: LoopsWorld) -> None:
    world.append(post(1, "vote on sunday", revision=5), post(1, "old words", revision=3))
    world.run_to_the_end()
    assert world.index.get(["net:1"])["net:1"].post.revision == 5
    assert [hit.withdrawn for hit in world.hits()] == [False, False]
    assert books_of(world.log, world.index).unchanged == 1


# ── progress marks ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_live_stream_read_to_its_end_has_come_up_to_now_less_the_append_delay() -> None:
    progress = Progress(settle_after=timedelta(0))
    assert progress.live(0, now=at(60), read_to_end=True) == at(60) - APPEND_DELAY


def test_a_live_stream_with_posts_unread_has_come_up_to_its_last_post() -> None:
    progress = Progress(settle_after=timedelta(0))
    assert progress.live(0, now=at(60), read_to_end=False) is None
    progress.saw(0, [post(1, "x", minutes=10), post(2, "x", minutes=8)])
    assert progress.live(0, now=at(60), read_to_end=False) == at(10) + timedelta(seconds=1) - APPEND_DELAY


def test_a_stamp_from_the_future_does_not_run_ahead_of_the_clock() -> None:
    progress = Progress(settle_after=timedelta(0))
    progress.saw(0, [post(1, "x", minutes=500)])
    assert progress.live(0, now=at(60), read_to_end=False) == at(60) - APPEND_DELAY


HALF_WAY = {"fast": Archive(done=False, last=at(50)), "slow": Archive(done=False, last=at(20))}


def test_a_replay_with_posts_unread_has_come_up_to_its_last_post() -> None:
    progress = Progress(settle_after=timedelta(0))
    assert progress.replay(0, archives=HALF_WAY, read_to_end=False) is None, "nothing is known of what is unread"
    progress.saw(0, [post(1, "x", minutes=30, collector="fast"), post(2, "x", minutes=20, collector="slow")])
    assert progress.replay(0, archives=HALF_WAY, read_to_end=False) == at(30) + timedelta(seconds=1)


def test_a_replay_read_to_its_end_has_come_as_far_as_the_archives_even_without_a_post() -> None:
    progress = Progress(settle_after=timedelta(0))
    assert progress.replay(0, archives=HALF_WAY, read_to_end=True) == at(50)
    assert progress.replay(0, archives={"new": Archive(done=False, last=None)}, read_to_end=True) is None
    progress.saw(0, [post(1, "x", minutes=70)])
    told = progress.replay(0, archives=HALF_WAY, read_to_end=True)
    assert told == at(70) + timedelta(seconds=1), "the log is ahead of what the archives have told of themselves"


def test_a_finished_replay_is_settled_after_its_last_post_for_every_worker() -> None:
    progress = Progress(settle_after=timedelta(hours=1))
    assert progress.settled({"empty": Archive(done=True, last=None)}, None) is None
    archives = {"a": Archive(done=True, last=at(50)), "b": Archive(done=True, last=at(40))}
    assert progress.settled(archives, None) == at(50) + timedelta(hours=1)
    assert progress.settled(archives, at(90)) == at(90) + timedelta(hours=1)


def test_every_mark_reaches_every_partition_of_hits(tmp_path: Path, desk_url: str, closing: ExitStack) -> None:
    world = LoopsWorld(tmp_path, desk_url, closing, posts=2, hits=3)
    world.append(*SUNDAY, *CALM)
    analyzer = world.analyzer()
    analyzer.step()
    for partition in range(3):
        marks = [value for value in world.entries("hits", partition) if isinstance(value, Mark)]
        assert [mark.partition for mark in marks] == [0, 1]
        assert {mark.at for mark in marks} == {world.clock.now() - APPEND_DELAY}
    world.run_to_the_end()
    assert len(world.alerts()) == 1, "the window lives in one partition and finds its horizon there"


def test_marks_go_out_when_nothing_comes(world: LoopsWorld) -> None:
    world.analyzer().step()
    assert [(mark.offset, mark.at) for mark in world.marks()] == [(0, world.clock.now() - APPEND_DELAY)]


def test_the_last_mark_of_a_replay_settles_everything_and_is_sent_once(world: LoopsWorld) -> None:
    world.archives = {"c": Archive(done=False, last=at(3))}
    world.append(*SUNDAY)
    analyzer, watcher = world.analyzer(), world.watcher()
    while analyzer.step():
        pass
    world.archives["c"] = Archive(done=True, last=at(3) + timedelta(seconds=1))
    for _ in range(3):
        analyzer.send_marks()
    while watcher.step():
        pass
    assert [mark.at for mark in world.marks()].count(at(3) + timedelta(seconds=1, hours=4)) == 1
    assert [alert.state for alert in world.alerts()] == ["resolved"]


def test_of_two_workers_neither_settles_a_replay_before_both_are_done(
    tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    world = LoopsWorld(tmp_path, desk_url, closing, posts=2)
    end = at(60) + timedelta(hours=4)
    world.archives = {"c": Archive(done=True, last=at(60))}
    world.append(*SUNDAY, *CALM)
    first, second = (
        world.analyzer(reader=world.log.reader("posts", "analyze", partitions=[p]), batch=2) for p in (0, 1)
    )
    while first.step():
        pass
    assert max(mark.at for mark in world.marks()) == at(60), "it is read, but the other one is not"
    while second.step():
        pass
    for _ in range(3):
        first.send_marks()
        second.send_marks()
    settled = [mark.partition for mark in world.marks() if mark.at == end]
    assert sorted(settled) == [0, 1], "each says it of its own partition, once"


def test_a_partition_that_moved_has_marks_from_its_new_worker_also_without_a_post(
    tmp_path: Path, desk_url: str, closing: ExitStack
) -> None:
    world = LoopsWorld(tmp_path, desk_url, closing, posts=2)
    world.analyzer(reader=world.log.reader("posts", "analyze", partitions=[0, 1])).step()
    world.clock.advance(timedelta(minutes=1))
    world.analyzer(reader=world.log.reader("posts", "analyze", partitions=[1])).step()
    assert [mark.at for mark in world.marks() if mark.partition == 1] == [at(0) - APPEND_DELAY, at(1) - APPEND_DELAY]


# ── watch ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restart_of_watch_rebuilds_the_windows(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:2])
    world.run_to_the_end()
    assert world.alerts() == ()
    world.append(SUNDAY[2])
    world.run_to_the_end()
    (alert,) = world.alerts()
    assert (alert.value, alert.opened_at) == (3.0, at(2))
    world.append(SUNDAY[3])
    world.run_to_the_end()
    (same,) = world.alerts()
    assert (same.id, same.value) == (alert.id, 4.0)


def test_an_entry_that_is_no_hit_is_a_dead_letter_of_watch(world: LoopsWorld) -> None:
    world.log.append("hits", [Record("x", b"junk")])
    world.append(*SUNDAY[:3])
    world.run_to_the_end()
    letters = [value for value in world.entries("dead-letters") if isinstance(value, DeadLetter)]
    told = [(x.stage, x.reason, x.origin, x.original) for x in letters]
    assert told == [("watch", "undecodable", "hits/0/0", b"junk")]
    assert len(world.alerts()) == 1


def test_a_worker_that_slept_is_fenced_off(world: LoopsWorld) -> None:
    world.append(*SUNDAY[:3])
    analyzer = world.analyzer()
    analyzer.step()
    sleeper = world.watcher()
    world.run_to_the_end()
    world.append(SUNDAY[3])
    world.run_to_the_end()
    (alert,) = world.alerts()
    assert alert.value == 4.0
    while sleeper.step():
        pass
    assert world.alerts() == (alert,), "its epoch is lower: what it finds changes nothing"


# ── the frame ────────────────────────────────────────────────────────────────────────────────────────────────────


def pulse_of(world: LoopsWorld) -> Pulse:
    return Pulse("analyze", memory=DeskMemory(world.engine), clock=world.clock)


def test_a_loop_beats_and_ends_when_asked(world: LoopsWorld) -> None:
    stop = Stop()
    handled = iter([3, 4])

    def step() -> int:
        found = next(handled, 0)
        if not found:
            stop.ask()
        return found

    run_loop(step, pulse=pulse_of(world), stop=stop, events=QUIET, parent=None)
    beat: Mapping[str, object] = msgspec.json.decode(DeskMemory(world.engine).entries("heartbeats")["analyze"])
    assert (beat["loop"], beat["at"]) == ("analyze", "2027-03-10T12:00:00Z")


def test_a_dependency_that_is_down_is_waited_for(world: LoopsWorld) -> None:
    stop, tries = Stop(), []

    def step() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("the disk is full")
        stop.ask()
        return 0

    run_loop(step, pulse=pulse_of(world), stop=stop, events=QUIET, parent=None)
    assert len(tries) == 3
    beat = msgspec.json.decode(DeskMemory(world.engine).entries("heartbeats")["analyze"])
    assert beat["waiting_for"] == "the disk is full"


def test_any_other_error_ends_the_loop(world: LoopsWorld) -> None:
    def step() -> int:
        raise StoreError("the log is another one")

    with pytest.raises(StoreError):
        run_loop(step, pulse=pulse_of(world), stop=Stop(), events=QUIET, parent=None)


def test_a_loop_ends_with_its_parent(world: LoopsWorld) -> None:
    def step() -> int:
        raise AssertionError("must not be reached")

    run_loop(step, pulse=pulse_of(world), stop=Stop(), events=QUIET, parent=1_000_000_000)


def test_writing_the_index_twice_is_unchanged(world: LoopsWorld) -> None:
    assessment = Pipeline([Poisonous()]).assess([CALM[0]], {})
    first = world.index.write(assessment, log_id=world.log.id)
    second = world.index.write(assessment, log_id=world.log.id)
    assert (first, second) == ([Outcome.NEW], [Outcome.UNCHANGED])
