"""The SQLite log: the checks that every log must pass, several processes, and what it says when something is wrong."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hustings.clock import Clock, SystemClock, VirtualClock
from hustings.contracts import Record, Topic
from hustings.errors import BadInput, HustingsError, StoreError, Unavailable
from hustings.testing.check_log import (
    CHECKS,
    LogCheck,
    check_a_key_stays_in_its_partition,
    check_a_record_beyond_the_limit_is_bad_input,
)
from ingest.log_sqlite import SqliteLog
from ingest.log_sqlite.reader import SqliteLogReader
from ingest.log_sqlite.register import Register
from ingest.log_sqlite.segments import Segment, SegmentFolder
from tests.limited_log import LimitedLog

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


@contextmanager
def opened(path: Path, *, clock: Clock | None = None, **options: int) -> Iterator[SqliteLog]:
    log = SqliteLog(path, clock=clock or SystemClock(), **options).open()
    try:
        yield log
    finally:
        log.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sqlite_log_keeps_the_contract(check: LogCheck, tmp_path: Path) -> None:
    check(
        lambda *, clock, posts_partitions=1: SqliteLog(
            tmp_path / "log", clock=clock, posts_partitions=posts_partitions
        ).open()
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_sqlite_log_of_tiny_segments_keeps_the_contract(check: LogCheck, tmp_path: Path) -> None:
    def make(*, clock: Clock, posts_partitions: int = 1) -> SqliteLog:
        return SqliteLog(tmp_path / "log", clock=clock, posts_partitions=posts_partitions, segment_entries=3).open()

    check(make)


def test_a_log_with_a_limit_keeps_the_contract(tmp_path: Path) -> None:
    def make(*, clock: Clock, posts_partitions: int = 1) -> LimitedLog:
        return limited(LimitedLog, tmp_path, clock, posts_partitions)

    check_a_record_beyond_the_limit_is_bad_input(make)


def limited(kind: type[LimitedLog], folder: Path, clock: Clock, posts_partitions: int) -> LimitedLog:
    limits: dict[Topic, int] = {"posts": 1_000_000, "hits": 1_000_000, "dead-letters": 1_000_000}
    return kind(folder / "log", clock=clock, limits=limits, posts_partitions=posts_partitions).open()


# ── the checks notice ────────────────────────────────────────────────────────────────────────────────────────────


class AppendsTheRest(LimitedLog):
    """Breaks "all or none": what comes before the record that it refuses stays."""

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        return [place for record in records for place in super(AppendsTheRest, self).append(topic, [record])]


class SaysStoreError(LimitedLog):
    """Refuses as if it were broken: a loop would stop."""

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        try:
            return super().append(topic, records, partition=partition)
        except BadInput as problem:
            raise StoreError(str(problem)) from problem


class NamesAnotherPartition(LimitedLog):
    """Puts a record elsewhere than `partition_of` says."""

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        places = [(self.partition_of(topic, record.key) + 1) % self.partitions(topic) for record in records]
        return [
            super(NamesAnotherPartition, self).append(topic, [record], partition=place)[0]
            for record, place in zip(records, places, strict=True)
        ]


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (check_a_record_beyond_the_limit_is_bad_input, AppendsTheRest),
        (check_a_record_beyond_the_limit_is_bad_input, SaysStoreError),
        (check_a_key_stays_in_its_partition, NamesAnotherPartition),
    ],
)
def test_a_log_that_breaks_the_contract_is_noticed(check: LogCheck, kind: type[LimitedLog], tmp_path: Path) -> None:
    def make(*, clock: Clock, posts_partitions: int = 1) -> LimitedLog:
        return limited(kind, tmp_path, clock, posts_partitions)

    with pytest.raises((AssertionError, StoreError)):
        check(make)


# ── segments ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_segment_ends_with_the_day(tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 10, 1, 23, 59, 59, 999_000, tzinfo=UTC))
    with opened(tmp_path / "log", clock=clock) as log:
        log.append("posts", [Record("a", b"1")])
        clock.advance(timedelta(milliseconds=1))
        log.append("posts", [Record("a", b"2")])
    assert sorted(path.name for path in (tmp_path / "log").glob("posts-*.db")) == [
        "posts-00000001.db",
        "posts-00000002.db",
    ]


def test_a_half_made_segment_is_made_again(tmp_path: Path) -> None:
    with opened(tmp_path / "log", segment_entries=2) as log:
        log.append("posts", [Record("a", b"1"), Record("b", b"2")])
        (tmp_path / "log" / "posts-00000002.new").write_bytes(b"half a segment")
        assert log.append("posts", [Record("c", b"3")]) == [(0, 2)]


class ChangesWhileAsked(SegmentFolder):
    """A folder in which another writer fills and closes a segment at the worst moment: after a reader found nothing
    more in it, and before the reader looks whether it is closed."""

    def __init__(self, log: SqliteLog, folder: Path) -> None:
        super().__init__(folder, "posts", partitions=1, log_id=log.id)
        self._log = log
        self._left = 3

    def has_successor(self, segment: Segment) -> bool:
        if self._left:
            self._left -= 1
            for _ in range(2):  # the first fills the segment, the second begins the next one
                self._log.append("posts", [Record("a", b"1"), Record("b", b"2")])
        return super().has_successor(segment)


def test_a_reader_that_is_overtaken_at_the_end_of_a_segment_skips_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "log", segment_entries=2) as log:
        register = Register(tmp_path / "log" / "log.db")
        register.open()
        reader = SqliteLogReader(
            "posts",
            "one",
            [0],
            segments=ChangesWhileAsked(log, tmp_path / "log"),
            register=register,
            clock=SystemClock(),
        )
        reader.start()
        offsets = [entry.offset for _ in range(6) for entry in reader.poll(limit=100, timeout_s=0)]
        reader.close()
        register.close()
    assert offsets == list(range(12))


def test_dropped_segments_are_gone_from_the_disk(tmp_path: Path) -> None:
    clock = VirtualClock(START)
    with opened(tmp_path / "log", clock=clock) as log:
        log.append("posts", [Record("a", b"a marker that must not survive")])
        clock.advance(timedelta(days=1))
        log.drop_before("posts", clock.now())
    assert all(b"must not survive" not in path.read_bytes() for path in (tmp_path / "log").iterdir())


# ── several processes ────────────────────────────────────────────────────────────────────────────────────────────


def append_many(path: Path, writer: int, count: int) -> None:
    with opened(path, posts_partitions=2, segment_entries=40) as log:
        for number in range(count):
            log.append("posts", [Record(f"writer {writer}", b"%d" % number)])


def test_processes_that_start_at_once_make_one_log_and_lose_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=append_many, args=(tmp_path / "log", writer, 100)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    by_writer: dict[str, list[int]] = defaultdict(list)
    with opened(tmp_path / "log", posts_partitions=2, segment_entries=40) as log:
        reader = log.reader("posts", "check")
        while entries := reader.poll(limit=50, timeout_s=0):
            for entry in entries:
                by_writer[entry.key].append(int(entry.value))
        reader.close()
    assert by_writer == {f"writer {writer}": list(range(100)) for writer in range(3)}


CRASHING_WRITER = """
import sys
from pathlib import Path
from hustings.clock import SystemClock
from hustings.contracts import Record
from ingest.log_sqlite import SqliteLog

path, first, acknowledge_early = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "early"
log = SqliteLog(path, clock=SystemClock(), posts_partitions=2, segment_entries=50).open()
number = first
while True:
    batch = [Record(f"key {n}", b"%d" % n) for n in range(number, number + 5)]
    answer = "".join(f"{n}\\n" for n in range(number, number + 5)).encode()
    if acknowledge_early:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    log.append("posts", batch)
    if not acknowledge_early:
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
    number += 5
"""


def kill_while_appending(path: Path, *, kills: int, when: str) -> tuple[list[int], list[int]]:
    """What the killed writers had acknowledged, and what the log holds."""
    acknowledged: list[int] = []
    for kill in range(kills):
        first = 1_000_000 * kill
        command = [sys.executable, "-c", CRASHING_WRITER, str(path), str(first), when]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            wanted = 20 + 37 * kill % 90  # another moment each time: in the middle of a segment or at its end
            seen = [int(writer.stdout.readline()) for _ in range(wanted)]
            writer.kill()
            rest = writer.stdout.read().splitlines(keepends=True)
            acknowledged += seen + [int(line) for line in rest if line.endswith(b"\n")]
    with opened(path, posts_partitions=2, segment_entries=50) as log:
        reader = log.reader("posts", "check")
        held: list[int] = []
        offsets: dict[int, list[int]] = defaultdict(list)
        while entries := reader.poll(limit=1000, timeout_s=0):
            for entry in entries:
                held.append(int(entry.value))
                offsets[entry.partition].append(entry.offset)
        reader.close()
    for found in offsets.values():
        assert found == list(range(len(found)))
    return acknowledged, held


def test_what_was_acknowledged_survives_kill_9_and_nothing_doubles(tmp_path: Path) -> None:
    acknowledged, held = kill_while_appending(tmp_path / "log", kills=8, when="late")
    assert len(acknowledged) >= 8 * 20
    assert set(acknowledged) <= set(held)
    assert len(held) == len(set(held))


def test_the_crash_test_notices_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    """The negative control: a writer that acknowledges first must be seen to lose something. On a busy machine a kill
    seldom falls between the two, so it is tried again and again."""
    lost: set[int] = set()
    for attempt in range(25):
        acknowledged, held = kill_while_appending(tmp_path / f"log {attempt}", kills=4, when="early")
        lost |= set(acknowledged) - set(held)
        if lost:
            break
    assert lost


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_log_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its parent folder is missing"):
        SqliteLog(tmp_path / "missing" / "log", clock=SystemClock()).open()


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"is not a log, it holds 'letter.txt'"):
        SqliteLog(tmp_path, clock=SystemClock()).open()
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_not_a_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("mine")
    with pytest.raises(StoreError, match="must be a folder"):
        SqliteLog(tmp_path / "log", clock=SystemClock()).open()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    other = sqlite3.connect(tmp_path / "log" / "log.db")
    other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    with pytest.raises(StoreError, match="not one that Hustings made"):
        SqliteLog(tmp_path / "log", clock=SystemClock()).open()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "log.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="is not a SQLite database"):
        SqliteLog(tmp_path / "log", clock=SystemClock()).open()


def test_a_log_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "log"):
        pass
    register = sqlite3.connect(tmp_path / "log" / "log.db")
    register.execute("PRAGMA user_version = 99")
    register.close()
    with pytest.raises(StoreError, match="of a newer Hustings: its tables have version 99, this program knows 1"):
        SqliteLog(tmp_path / "log", clock=SystemClock()).open()


def test_a_log_keeps_its_number_of_partitions(tmp_path: Path) -> None:
    with opened(tmp_path / "log", posts_partitions=2):
        pass
    with pytest.raises(StoreError, match="a log keeps the number that it was made with"):
        SqliteLog(tmp_path / "log", clock=SystemClock(), posts_partitions=3).open()


def test_segments_without_their_register_are_not_taken_over(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.append("posts", [Record("a", b"1")])
    (tmp_path / "log" / "log.db").unlink()
    with pytest.raises(StoreError, match=r"log.db is missing but posts-00000001.db holds entries"):
        SqliteLog(tmp_path / "log", clock=SystemClock()).open()


def test_a_making_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    with opened(tmp_path / "log"):
        pass
    (tmp_path / "log" / "log.db").unlink()
    with opened(tmp_path / "log") as log:
        assert log.append("posts", [Record("a", b"1")]) == [(0, 0)]


def test_segments_of_another_log_are_noticed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with opened(tmp_path / name) as log:
            log.append("posts", [Record("a", b"1")])
    shutil.copy(tmp_path / "one" / "posts-00000001.db", tmp_path / "two" / "posts-00000001.db")
    with opened(tmp_path / "two") as log, pytest.raises(StoreError, match="files of two logs were mixed"):
        log.append("posts", [Record("a", b"2")])


def test_a_log_that_was_taken_away_while_open_acknowledges_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.append("posts", [Record("a", b"1")])
        (tmp_path / "log").rename(tmp_path / "elsewhere")
        with pytest.raises(StoreError, match="No such file"):
            log.append("posts", [Record("a", b"2")])


def test_a_closed_log_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        reader = log.reader("posts", "one")
        reader.close()
    with pytest.raises(StoreError, match="is not open"):
        log.append("posts", [Record("a", b"1")])
    with pytest.raises(StoreError, match="is closed"):
        reader.poll(limit=1, timeout_s=0)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so it steps down to `nobody` meanwhile; anybody else stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_refused() -> None:
    with tempfile.TemporaryDirectory() as temporary:  # not below tmp_path, which nobody else may enter
        folder = Path(temporary)
        folder.chmod(0o755)
        with opened(folder / "log"):
            pass
        (folder / "log").chmod(0o555)
        try:
            with without_privileges(), pytest.raises(StoreError, match="is read-only"):
                SqliteLog(folder / "log", clock=SystemClock()).open()
        finally:
            (folder / "log").chmod(0o755)


def with_little_room(action: Callable[[], object]) -> HustingsError | None:
    """What `action` raises when no file may grow beyond 100 kB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        action()
    except HustingsError as problem:
        return problem
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return None


def test_a_full_disk_stops_the_log_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with opened(tmp_path / "log") as log:
        log.append("posts", [Record("a", b"1")])
        problem = with_little_room(lambda: log.append("posts", [Record("b", b"x" * 500_000)]))
        assert isinstance(problem, Unavailable)
        assert log.append("posts", [Record("c", b"2")]) == [(0, 1)]


def test_waiting_threads_hear_of_a_failure_too(tmp_path: Path) -> None:
    """Group commit: whoever shares a transaction that fails gets the error, not silence."""
    problems: list[HustingsError] = []

    def work(log: SqliteLog) -> None:
        try:
            log.append("posts", [Record("a", b"1")])
        except HustingsError as problem:
            problems.append(problem)

    with opened(tmp_path / "log") as log:
        (tmp_path / "log").rename(tmp_path / "elsewhere")
        threads = [threading.Thread(target=work, args=(log,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(problems) == 6
