"""The collect loop on the real log: what is handed over, in which order, and what a failure or a crash leaves."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import pytest

from desk.database.connect import open_database
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import SystemClock, VirtualClock
from hustings.contracts import Collected, Log, Memory, SourceContext, SourceItem, Topic
from hustings.errors import BadInput, EgressDenied, Unavailable
from hustings.roster import Person, Roster
from hustings.source_health import SourceHealth
from hustings.testing.loopback_egress import LoopbackEgress
from hustings.testing.memory import DictMemory
from hustings.types import Assessment, Post
from index.sqlite import SqliteIndex
from ingest.dead_letters import Brake, dead_letter, read_dead_letters
from ingest.evidence import EvidenceFolder
from ingest.files import FilesSettings, FilesSource
from ingest.log_sqlite import SqliteLog
from ingest.polling import Collector, ConfiguredSource
from ingest.pseudonyms import Pseudonyms
from tests.limited_log import LimitedLog

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ROSTER = Roster(people=(Person(id="carla", name="Carla", handles=("forum:carla_m",)),))


def item(n: int, **given: Any) -> SourceItem:
    author = given.pop("author_handle", "eve")
    post = Post(
        source="forum",
        native_id=str(n),
        text=f"post {n}",
        published_at=NOW - timedelta(hours=1),
        collected_at=NOW - timedelta(minutes=30),
    )
    return SourceItem(raw=b"raw %d" % n, post=msgspec.structs.replace(post, **given), author_handle=author)


def letters(count: int, start: int = 0) -> tuple[Any, ...]:
    return tuple(
        dead_letter("forum", "not_json", "bad", origin=f"row {n}", original=b"{", at=NOW)
        for n in range(start, start + count)
    )


class Scripted:
    """A source that answers with what the test wrote down, one entry a call; then with nothing."""

    def __init__(self, name: str, *answers: Collected | Exception | Callable[[], Collected]) -> None:
        self.name = name
        self.answers = list(answers)
        self.asked: list[bytes] = []

    def open(self) -> None: ...

    def close(self) -> None: ...

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        self.asked.append(cursor)
        answer = self.answers.pop(0) if self.answers else Collected(cursor=cursor, again_after=timedelta(hours=1))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Collected) else answer()


class Bench:
    """A collector with its surroundings."""

    def __init__(self, folder: Path, *sources: Any, clock_kind: Any = "live", log: Any = None) -> None:
        self.clock = VirtualClock(NOW)
        self.log = SqliteLog(folder / "log", clock=self.clock)
        self.log.open()
        self.memory = DictMemory()
        self.evidence = EvidenceFolder(folder / "evidence", code_version="hustings 1")
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.collector = Collector(
            [ConfiguredSource(source, clock_kind) for source in sources],
            log=log(self.log) if log else self.log,
            memory=self.memory,
            evidence=self.evidence,
            pseudonyms=Pseudonyms(b"k" * 32),
            roster=ROSTER,
            clock=self.clock,
            code_version="hustings 1",
            notify=lambda event, **fields: self.events.append((event, fields)),
            jitter=lambda: 0.5,
        )
        self.collector.open()

    def posts(self) -> list[Post]:
        return posts_of(self.log)

    def health(self, name: str = "forum") -> SourceHealth:
        raw = self.memory.get("source_health", name)
        assert raw is not None
        return msgspec.json.decode(raw, type=SourceHealth)

    def close(self) -> None:
        self.collector.close()
        self.log.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*sources: Any, **given: Any) -> Bench:
        made.append(Bench(tmp_path, *sources, **given))
        return made[-1]

    yield make
    for one in made:
        one.close()


def posts_of(log: Log) -> list[Post]:
    reader = log.reader("posts", "test")
    try:
        reader.seek(log.starts("posts"))
        found: list[Post] = []
        while entries := reader.poll(limit=1_000, timeout_s=0):
            found += [wire.decode(entry.value, Post) for entry in entries]
        return found
    finally:
        reader.close()


# ── what is handed over ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_post_is_stamped_named_sealed_and_its_cursor_is_kept(bench: Callable[..., Bench]) -> None:
    running = bench(
        Scripted("forum", Collected(items=(item(1), item(2, author_handle="carla_m", mentions=("eve",))), cursor=b"c1"))
    )
    running.collector.step()
    first, second = running.posts()
    assert (first.collector, first.collected_at) == ("forum", NOW)
    assert len(first.author) == 24
    assert (second.author, second.mentions) == ("carla", (first.author,))
    record, raw = running.evidence.read(first.evidence)
    assert (raw, record.keys, record.at) == (b"raw 1", ("forum:1",), NOW)
    assert running.memory.get("cursors", "forum") == b"c1"
    assert running.health().items == 2
    assert running.health().lag_s == 3600


@pytest.mark.parametrize(
    ("clock", "wanted"),
    [("live", NOW), ("as-collected", NOW - timedelta(minutes=30)), ("as-posted", NOW - timedelta(hours=1))],
)
def test_what_the_clock_of_a_source_means(bench: Callable[..., Bench], clock: str, wanted: datetime) -> None:
    running = bench(Scripted("forum", Collected(items=(item(1),), cursor=b"c")), clock_kind=clock)
    running.collector.step()
    assert running.posts()[0].collected_at == wanted


def test_the_next_call_goes_on_at_the_saved_cursor_also_in_another_process(bench: Callable[..., Bench]) -> None:
    first = Scripted("forum", Collected(items=(item(1),), cursor=b"c1"), Collected(items=(item(2),), cursor=b"c2"))
    running = bench(first)
    running.collector.step()
    running.collector.step()
    assert first.asked == [b"", b"c1"]
    second = Scripted("forum")
    again = Collector(
        [ConfiguredSource(second, "live")],
        log=running.log,
        memory=running.memory,
        evidence=running.evidence,
        pseudonyms=Pseudonyms(b"k" * 32),
        roster=ROSTER,
        clock=running.clock,
        code_version="hustings 1",
    )
    again.open()
    again.step()
    again.close()
    assert second.asked == [b"c2"]


def test_a_post_beyond_its_limits_is_a_dead_letter_with_the_raw_bytes(bench: Callable[..., Bench]) -> None:
    running = bench(
        Scripted(
            "forum",
            Collected(
                items=(item(1, text="\ud800"), item(2, reach=-1), item(3, native_id="x" * 600), item(4)), cursor=b"c"
            ),
        )
    )
    running.collector.step()
    assert [post.native_id for post in running.posts()] == ["4"]
    found = read_dead_letters(running.log)
    assert [letter.reason for letter in found] == ["lone_surrogate", "out_of_range", "out_of_range"]
    assert [letter.original for letter in found] == [b"raw 1", b"raw 2", b"raw 3"]
    assert found[0].code_version == "hustings 1"


def test_times_are_kept_in_utc_and_one_without_a_zone_is_refused(bench: Callable[..., Bench]) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    naive = NOW.replace(tzinfo=None)
    running = bench(
        Scripted("forum", Collected(items=(item(1, published_at=elsewhere), item(2, published_at=naive)), cursor=b"c"))
    )
    running.collector.step()
    assert [post.published_at.isoformat() for post in running.posts()] == ["2027-03-01T12:00:00+00:00"]
    assert [letter.reason for letter in read_dead_letters(running.log)] == ["out_of_range"]


def test_archives_are_done_when_all_are_read(bench: Callable[..., Bench]) -> None:
    short = Scripted("a", Collected(items=(item(1),), cursor=b"x", done=True))
    long = Scripted("b", Collected(items=(item(2),), cursor=b"x"), Collected(cursor=b"y", done=True))
    running = bench(short, long, clock_kind="as-collected")
    assert not running.collector.done
    for _ in range(4):
        running.collector.step()
    assert running.collector.done
    assert running.collector.step() > 0  # and the loop around it may rest
    assert (len(short.asked), len(long.asked)) == (1, 2)
    assert running.health("a").done


def test_silences_between_posts_are_remembered_longest_first(bench: Callable[..., Bench]) -> None:
    hours = [0, 1, 2, 6, 7, 7.5]
    times = [NOW + timedelta(hours=hour) for hour in hours]
    items = tuple(item(n, collected_at=when) for n, when in enumerate(times))
    running = bench(
        Scripted("forum", Collected(items=items[:3], cursor=b"1"), Collected(items=items[3:], cursor=b"2", done=True)),
        clock_kind="as-collected",
    )
    running.collector.step()
    running.collector.step()
    quiets = running.health().quiets
    assert (quiets[0].start, quiets[0].end) == (times[2], times[3])
    assert [quiet.length for quiet in quiets] == [timedelta(hours=h) for h in (4, 1, 1, 1, 0.5)]


def test_what_was_capped_is_summed(bench: Callable[..., Bench]) -> None:
    running = bench(Scripted("forum", *(Collected(cursor=b"%d" % n, caps_hit={"entries": 2}) for n in range(3))))
    for _ in range(3):
        running.collector.step()
    assert running.health().caps_hit == {"entries": 6}


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_source_that_fails_is_asked_less_and_less_until_it_answers(bench: Callable[..., Bench]) -> None:
    source = Scripted("forum", *(Unavailable("down") for _ in range(10)), Collected(items=(item(1),), cursor=b"c"))
    running = bench(source)
    pauses = []
    for _ in range(10):
        pauses.append(running.collector.step())
        running.clock.advance(timedelta(seconds=pauses[-1]))
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert running.health().last_error == "down"
    assert running.health().gap_since == NOW
    running.collector.step()
    assert (running.health().last_error, running.health().gap_since, running.health().failures) == ("", None, 0)
    assert running.health().last_success == running.clock.now()


def test_a_pause_that_the_server_asks_for_is_kept(bench: Callable[..., Bench]) -> None:
    running = bench(Scripted("forum", Unavailable("429", retry_after_s=240)))
    assert running.collector.step() == 240


@pytest.mark.parametrize("error", [EgressDenied("no"), BadInput("too_deep", "no"), ZeroDivisionError("a bug")])
def test_one_failing_source_does_not_stop_the_others(bench: Callable[..., Bench], error: Exception) -> None:
    running = bench(Scripted("bad", error), Scripted("forum", Collected(items=(item(1),), cursor=b"c")))
    for _ in range(3):
        running.collector.step()
    assert len(running.posts()) == 1
    assert "no" in running.health("bad").last_error or "a bug" in running.health("bad").last_error
    assert running.health("bad").caps_hit == ({"too_deep": 1} if isinstance(error, BadInput) else {})


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [item(1)],
        Collected(items=(msgspec.structs.replace(item(1), raw="text"),)),
        Collected(items=(item(1),), again_after=5.0),  # type: ignore[arg-type] # what people write
        Collected(dead=None),  # type: ignore[arg-type]
    ],
)
def test_a_source_that_breaks_the_contract_does_not_stop_the_others(bench: Callable[..., Bench], answer: Any) -> None:
    running = bench(Scripted("bad", lambda: answer), Scripted("forum", Collected(items=(item(2),), cursor=b"c")))
    for _ in range(3):
        running.collector.step()
    assert "2" in [post.native_id for post in running.posts()]
    assert "what it brought cannot be used" in running.health("bad").last_error


@pytest.mark.parametrize("clock", ["live", "as-collected"])
@pytest.mark.parametrize(
    "given",
    [
        {"dead": None},
        {"cursor": "text"},
        {"again_after": 5.0},
        {"caps_hit": None},
    ],
)
def test_posts_beside_what_breaks_the_contract_are_not_written_again_at_each_try(
    bench: Callable[..., Bench], given: dict[str, Any], clock: str
) -> None:
    broken = msgspec.structs.replace(Collected(items=(item(1),), cursor=b"1"), **given)
    running = bench(Scripted("forum", *[broken] * 3, Collected(items=(item(1),), cursor=b"2")), clock_kind=clock)
    for tries in range(1, 4):
        running.collector.step()
        assert (running.posts(), running.health().failures) == ([], tries)
        running.clock.advance(timedelta(minutes=1))
    assert "what it brought cannot be used" in running.health().last_error
    running.collector.step()
    assert [post.native_id for post in running.posts()] == ["1"]
    assert read_dead_letters(running.log) == []


@pytest.mark.parametrize("clock", ["live", "as-collected"])
@pytest.mark.parametrize(
    ("broken", "original"),
    [
        ("line 3", b"'line 3'"),
        (msgspec.structs.replace(*letters(1), original="text"), None),
        (msgspec.structs.replace(*letters(1), detail="half a \ud800 character"), b"{"),
        (msgspec.structs.replace(*letters(1), detail="x" * 1_000_001), b"{"),
        (msgspec.structs.replace(*letters(1), at=None), b"{"),
    ],
)
def test_a_dead_letter_that_cannot_be_used_is_told_in_another_and_holds_up_no_batch(
    bench: Callable[..., Bench], broken: Any, original: bytes | None, clock: str
) -> None:
    brought = Collected(items=(item(1),), dead=(broken, *letters(1, 7)), cursor=b"c", done=clock != "live")
    running = bench(Scripted("forum", brought), clock_kind=clock)
    running.collector.step()
    assert [post.native_id for post in running.posts()] == ["1"]
    told, sound = read_dead_letters(running.log)
    assert told.reason == "stage_failed"
    assert "the source's dead letter cannot be used" in told.detail
    assert original is None or told.original == original
    assert sound == msgspec.structs.replace(*letters(1, 7), code_version="hustings 1")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"author_handle": None}, "stage_failed"),
        ({"mentions": None}, "stage_failed"),
        ({"published_at": datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))}, "out_of_range"),
        ({"published_at": datetime(1, 1, 1, tzinfo=UTC)}, "out_of_range"),
    ],
)
def test_a_post_with_fields_that_cannot_be_is_a_dead_letter_and_the_others_are_written(
    bench: Callable[..., Bench], given: dict[str, Any], reason: str
) -> None:
    running = bench(Scripted("forum", Collected(items=(item(1), item(2, **given), item(3)), cursor=b"c")))
    running.collector.step()
    assert [post.native_id for post in running.posts()] == ["1", "3"]
    assert [(letter.reason, letter.original) for letter in read_dead_letters(running.log)] == [(reason, b"raw 2")]


def test_a_slow_source_does_not_hold_up_the_others(bench: Callable[..., Bench]) -> None:
    release = threading.Event()

    def slowly() -> Collected:
        release.wait(10)
        return Collected(items=(item(9),), cursor=b"s")

    running = bench(
        Scripted("slow", slowly),
        Scripted("forum", *(Collected(items=(item(n),), cursor=b"%d" % n) for n in range(3))),
    )
    begun = time.monotonic()
    while len(running.posts()) < 3:
        running.collector.step()
        assert time.monotonic() - begun < 5
    release.set()
    while len(running.posts()) < 4:
        running.collector.step()


class FailingLog:
    """The real log, whose disk is full for the first appends."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self.failures = 2

    def append(self, topic: Any, records: Any, *, partition: int | None = None) -> Any:
        if self.failures:
            self.failures -= 1
            raise Unavailable("no space left on the disk")
        return self._log.append(topic, records, partition=partition)


def test_the_cursor_is_not_saved_before_the_log_has_the_posts(bench: Callable[..., Bench]) -> None:
    batch = Collected(items=(item(1),), cursor=b"c")
    running = bench(Scripted("forum", batch, batch, batch), log=FailingLog)
    for _ in range(2):
        with pytest.raises(Unavailable):
            running.collector.step()
        assert running.memory.get("cursors", "forum") is None
    running.collector.step()
    assert running.memory.get("cursors", "forum") == b"c"
    assert len(running.posts()) == 1


def test_nothing_is_acknowledged_while_evidence_cannot_be_sealed(bench: Callable[..., Bench], tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("not a folder")
    running = bench(Scripted("forum", Collected(items=(item(1),), cursor=b"c")))
    with pytest.raises(Unavailable, match="sealed"):
        running.collector.step()
    assert running.posts() == []
    assert running.memory.get("cursors", "forum") is None


# ── what the log refuses ─────────────────────────────────────────────────────────────────────────────────────────

SMALL: dict[Topic, int] = {"posts": 2_000, "dead-letters": 2_000}
LARGE = "x" * 3_000


@pytest.mark.parametrize("clock", ["live", "as-collected"])
def test_a_post_that_the_log_refuses_is_a_dead_letter_and_the_others_are_written(
    bench: Callable[..., Bench], tmp_path: Path, clock: str
) -> None:
    large_raw = msgspec.structs.replace(item(4, text=LARGE), raw=LARGE.encode())
    source = Scripted("forum", Collected(items=(item(1), item(2, text=LARGE), item(3), large_raw), cursor=b"c"))
    with closing(LimitedLog(tmp_path / "log", clock=VirtualClock(NOW), limits=SMALL).open()) as log:
        running = bench(source, clock_kind=clock, log=lambda _: log)
        running.collector.step()
        running.clock.advance(timedelta(hours=1))
        running.collector.step()
    assert [post.native_id for post in running.posts()] == ["1", "3"]
    assert source.asked == [b"", b"c"]
    assert (running.health().items, running.health().dead) == (2, 2)
    whole, cut = read_dead_letters(running.log)
    assert (whole.reason, whole.origin, whole.original) == ("too_large", "forum: forum:2", b"raw 2")
    assert whole.detail.startswith("3,")
    assert (cut.reason, cut.origin) == ("too_large", "forum: forum:4")
    assert 0 < len(cut.original) < 2_000
    assert large_raw.raw.startswith(cut.original)
    assert f"[cut to the first {len(cut.original):,} of 3,000 bytes" in cut.detail
    for letter, raw in ((whole, b"raw 2"), (cut, large_raw.raw)):
        (evidence,) = re.findall(r"whole in evidence (\S+)", letter.detail)
        assert running.evidence.read(evidence)[1] == raw


def test_in_merged_archives_each_source_answers_for_its_own_refused_posts(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    def at(n: int, **given: Any) -> SourceItem:
        return item(n, collected_at=NOW + timedelta(minutes=n), **given)

    one = Scripted("one", Collected(items=(at(1), at(4, text=LARGE), at(5)), cursor=b"1", done=True))
    two = Scripted("two", Collected(items=(at(2, text=LARGE), at(3, text=LARGE)), cursor=b"2", done=True))
    with closing(LimitedLog(tmp_path / "log", clock=VirtualClock(NOW), limits=SMALL).open()) as log:
        running = bench(one, two, clock_kind="as-collected", log=lambda _: log)
        for _ in range(4):
            running.collector.step()
    assert running.collector.done
    assert [post.native_id for post in running.posts()] == ["1", "5"]
    assert sorted(letter.origin for letter in read_dead_letters(running.log)) == [
        "one: forum:4",
        "two: forum:2",
        "two: forum:3",
    ]
    assert [(running.health(name).items, running.health(name).dead) for name in ("one", "two")] == [(2, 1), (0, 2)]


class NoRoomForLetters(LimitedLog):
    """Its disk is full at the first dead letter."""

    failures = 1

    def append(self, topic: Topic, records: Any, *, partition: int | None = None) -> list[tuple[int, int]]:
        if topic == "dead-letters" and self.failures:
            self.failures -= 1
            raise Unavailable("no space left on the disk")
        return super().append(topic, records, partition=partition)


@pytest.mark.parametrize("clock", ["live", "as-collected"])
def test_the_cursor_is_not_saved_before_the_log_has_the_letter_of_a_refused_post(
    bench: Callable[..., Bench], tmp_path: Path, clock: str
) -> None:
    batch = Collected(items=(item(1), item(2, text=LARGE)), cursor=b"c")
    with closing(NoRoomForLetters(tmp_path / "log", clock=VirtualClock(NOW), limits=SMALL).open()) as log:
        running = bench(Scripted("forum", batch, batch), clock_kind=clock, log=lambda _: log)
        with pytest.raises(Unavailable):
            running.collector.step()
        assert running.memory.get("cursors", "forum") is None
        running.collector.step()
    assert running.memory.get("cursors", "forum") == b"c"
    assert {post.native_id for post in running.posts()} == {"1"}
    assert [letter.origin for letter in read_dead_letters(running.log)] == ["forum: forum:2"]


# ── the brake ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answers", "pulled"),
    [
        ([Collected(dead=letters(19), cursor=b"1"), Collected(items=(item(1),), cursor=b"2")], False),
        ([Collected(dead=letters(10), cursor=b"1"), Collected(dead=letters(10, 10), cursor=b"2")], True),
        ([Collected(items=tuple(item(n) for n in range(199)), dead=letters(2), cursor=b"1")], False),
        ([Collected(items=tuple(item(n) for n in range(97)), dead=letters(2), cursor=b"1")], False),
        ([Collected(items=tuple(item(n) for n in range(98)), dead=letters(2), cursor=b"1")], True),
    ],
)
def test_twenty_in_a_row_or_over_one_per_cent_of_a_hundred_pull_the_brake(
    bench: Callable[..., Bench], answers: Sequence[Collected], pulled: bool
) -> None:
    running = bench(Scripted("forum", *answers))
    for _ in answers:
        running.collector.step()
    assert (running.memory.get(Brake.TABLE, "forum") is not None) == pulled
    assert bool(running.health().brake) == pulled
    assert any(event == "brake_pulled" for event, _ in running.events) == pulled


def test_a_stopped_source_waits_for_a_person_and_then_goes_on_where_it_was(bench: Callable[..., Bench]) -> None:
    source = Scripted("forum", Collected(dead=letters(30), cursor=b"c1"), Collected(items=(item(1),), cursor=b"c2"))
    running = bench(source)
    running.collector.step()
    for _ in range(5):
        running.clock.advance(timedelta(minutes=1))
        running.collector.step()
    assert source.asked == [b""]
    assert "30 messages in a row" in running.health().brake
    assert len(read_dead_letters(running.log)) == 30
    Brake(running.memory, "forum").lift()
    running.clock.advance(timedelta(minutes=1))
    running.collector.step()
    assert source.asked == [b"", b"c1"]
    assert running.health().brake == ""
    assert len(running.posts()) == 1


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────

ROWS, BAD_ROWS, BATCH = 40, 3, 7
LARGE_ROW = wire.encode(item(ROWS, text=LARGE).post)
POINTS = ("before seal", "after seal", "before append", "after append", "before cursor", "after cursor", "after health")


class Dies:
    """Hands every call on, and kills its own process at the `count`-th time that it comes to `point`."""

    def __init__(self, inner: Any, point: str, count: int) -> None:
        self._inner = inner
        self._point = point
        self._left = count

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in ("seal", "append", "put"):
            return method

        def call(*given: Any, **named: Any) -> Any:
            table = {"cursors": "cursor", "source_health": "health"}.get(given[0]) if name == "put" else name
            self._die_at(f"before {table}")
            result = method(*given, **named)
            self._die_at(f"after {table}")
            return result

        return call

    def _die_at(self, place: str) -> None:
        if place == self._point:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def collect_everything(folder: Path, point: str, count: int) -> None:
    """What a collect process does, with real stores; ends by itself or by its own hand."""
    clock = SystemClock()
    log = LimitedLog(folder / "log", clock=clock, limits={"posts": len(LARGE)}).open()
    engine = open_database(f"sqlite:///{folder / 'desk.db'}")
    memory: Memory = Dies(DeskMemory(engine), point, count)
    context = SourceContext(LoopbackEgress(), memory, clock)
    source = FilesSource("archive", FilesSettings(path=folder / "posts.jsonl"), context)
    collector = Collector(
        [ConfiguredSource(source, "as-collected")],
        log=Dies(log, point, count),
        memory=memory,
        evidence=Dies(EvidenceFolder(folder / "evidence", code_version="1"), point, count),
        pseudonyms=Pseudonyms(b"k" * 32),
        roster=ROSTER,
        clock=clock,
        code_version="1",
        batch=BATCH,
    )
    collector.open()
    while not collector.done:
        collector.step()
    collector.close()
    engine.dispose()
    log.close()


def write_archive(path: Path) -> None:
    lines = [wire.encode(msgspec.structs.replace(item(n).post, author=f"user{n % 5}")) for n in range(ROWS)]
    for n in range(BAD_ROWS):
        lines.insert(10 * n + 5, b"bad row %d" % n)
    lines.insert(22, LARGE_ROW)
    path.write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_between_any_two_steps_loses_nothing_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    write_archive(tmp_path / "posts.jsonl")
    kills = 0
    for count in (1, 2, 4, 1_000):
        child = get_context("fork").Process(target=collect_everything, args=(tmp_path, point, count))
        child.start()
        child.join(60)
        assert child.exitcode is not None, "the child hangs"
        kills += child.exitcode == -signal.SIGKILL
    assert child.exitcode == 0
    assert kills >= 2
    log = SqliteLog(tmp_path / "log", clock=SystemClock())
    log.open()
    evidence = EvidenceFolder(tmp_path / "evidence", code_version="1")
    index = SqliteIndex(tmp_path / "index")
    index.open()
    try:
        posts = posts_of(log)
        assert {post.native_id for post in posts} == {str(n) for n in range(ROWS)}
        for post in posts:
            assert evidence.read(post.evidence)[0].collector == "archive"
        assert list(evidence.verify()) == []
        repeated = Counter(post.key for post in posts)
        assert sum(repeated.values()) - len(repeated) <= kills * BATCH
        index.write(
            [Assessment(post=post) for post in posts],
            log_id=log.id,
            origins=[(0, n) for n in range(len(posts))],
            positions={0: len(posts)},
        )
        books = index.books()
        assert (books["new"], books["revised"], books["conflicting"]) == (ROWS, 0, 0)
        assert sorted(letter.original for letter in read_dead_letters(log)) == [
            *(b"bad row %d" % n for n in range(BAD_ROWS)),
            LARGE_ROW,
        ]
    finally:
        index.close()
        log.close()
