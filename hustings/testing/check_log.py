"""What every `Log` must do, as checks that anybody can run on an implementation of their own.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_log(check, tmp_path):
        check(lambda *, clock, posts_partitions=1: MyLog(tmp_path, clock, posts_partitions))

A check is a function of a factory. Each is given a factory of an empty log, and may call it several times: every call
opens the same log again, as another process would. The check closes what it opened.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hustings.clock import Clock, SystemClock, VirtualClock
from hustings.contracts import Entry, Log, LogReader, Record, Topic
from hustings.errors import BadInput
from hustings.testing.expecting import expect_store_error

__all__ = ["CHECKS", "LogCheck", "LogFactory"]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
VERY_LARGE = 16_000_000
"""Bytes beyond what a loop writes: a post's million characters are at most 6 MB, and a third more in a dead letter."""


class LogFactory(Protocol):
    """Opens the log of one test, making it at the first call."""

    def __call__(self, *, clock: Clock, posts_partitions: int = 1) -> Log: ...


LogCheck = Callable[[LogFactory], None]


# ── appending ────────────────────────────────────────────────────────────────────────────────────────────────────


def check_offsets_are_dense_and_in_the_order_given(make: LogFactory) -> None:
    """Offsets of a partition rise by one from 0, over batches and over closing; the answer has the order given."""
    with _opened(make, posts_partitions=3) as log:
        first = log.append("posts", _records(50))
    with _opened(make, posts_partitions=3) as log:
        second = log.append("posts", _records(50))
        ends = log.ends("posts")
    by_partition: dict[int, list[int]] = defaultdict(list)
    for partition, offset in [*first, *second]:
        by_partition[partition].append(offset)
    assert {partition: list(range(len(offsets))) for partition, offsets in by_partition.items()} == by_partition
    assert ends == {partition: len(by_partition[partition]) for partition in range(3)}


def check_a_key_stays_in_its_partition(make: LogFactory) -> None:
    """The key alone decides the partition, whoever appends and whenever; so records of one key keep their order. It is
    the one that `partition_of` names: windows are handed back by it."""
    with _opened(make, posts_partitions=4) as log:
        first = dict(zip(range(40), log.append("posts", _records(40)), strict=True))
    with _opened(make, posts_partitions=4) as log:
        for number in reversed(range(40)):
            [(partition, offset)] = log.append("posts", [_records(40)[number]])
            assert partition == first[number][0] == log.partition_of("posts", _records(40)[number].key)
            assert offset > first[number][1]
    assert len({partition for partition, _ in first.values()}) > 1, "40 keys all fell into one of four partitions"


def check_a_named_partition_overrides_the_key(make: LogFactory) -> None:
    """Progress marks go to each partition, whatever their key."""
    with _opened(make, posts_partitions=3) as log:
        for partition in range(3):
            assert log.append("posts", [Record("mark", b"1"), Record("mark", b"2")], partition=partition) == [
                (partition, 0),
                (partition, 1),
            ]
        with expect_store_error():
            log.append("posts", [Record("mark", b"3")], partition=3)
        assert log.ends("posts") == {0: 2, 1: 2, 2: 2}


def check_appending_nothing_does_nothing(make: LogFactory) -> None:
    with _opened(make) as log:
        assert log.append("posts", []) == []
        assert log.ends("posts") == {0: 0}


def check_topics_do_not_mix(make: LogFactory) -> None:
    with _opened(make) as log:
        log.append("posts", [Record("a", b"post")])
        log.append("dead-letters", [Record("a", b"dead"), Record("b", b"dead")])
        assert [entry.value for entry in _read_all(log, "posts")] == [b"post"]
        assert [entry.value for entry in _read_all(log, "hits")] == []
        assert log.partitions("dead-letters") == 1
        assert log.ends("dead-letters") == {0: 2}


def check_bytes_and_keys_come_back_as_they_were(make: LogFactory) -> None:
    """Any key that UTF-8 can carry, any bytes, empty and large."""
    records = [
        Record("بلوسكاي:١٢٣", b""),
        Record("k" * 512, bytes(range(256))),
        Record("投票:😀", "الانتخابات".encode() * 20_000),
        Record("", b"\x00\xff"),
    ]
    with _opened(make) as log:
        log.append("posts", records)
    with _opened(make) as log:
        assert [(entry.key, entry.value) for entry in _read_all(log)] == [tuple(record) for record in records]


def check_a_batch_is_appended_whole_or_not_at_all(make: LogFactory) -> None:
    """A key that no encoding can carry fails the whole batch and nobody else's, as bad input."""
    with _opened(make) as log:
        refusal = _refused(log, [Record("a", b"1"), Record("\ud800", b"2")])
        assert refusal is not None, "a lone surrogate was taken as a key"
        assert refusal.reason == "lone_surrogate"
        assert log.ends("posts") == {0: 0}
        assert log.append("posts", [Record("a", b"1")]) == [(0, 0)]


def check_a_record_beyond_the_limit_is_bad_input(make: LogFactory) -> None:
    """A log may have a limit. What is larger fails its batch as bad input, in each topic, and the log goes on; so the
    loops can make a dead letter of it. A log without one gives it back as it was."""
    with _opened(make) as log:
        topics: tuple[Topic, ...] = ("posts", "hits", "dead-letters")
        for topic in topics:
            batch = [Record("a", b"1"), Record("b", bytes(VERY_LARGE)), Record("c", b"3")]
            refusal = _refused(log, batch, topic=topic)
            if refusal is not None:
                assert refusal.reason == "too_large"
                assert log.ends(topic) == {0: 0}
                batch = [batch[0], batch[2]]
                log.append(topic, batch)
            assert [entry.value for entry in _read_all(log, topic)] == [record.value for record in batch]


def check_entries_carry_the_time_of_appending(make: LogFactory) -> None:
    """`appended_at` is the clock's time to the millisecond, and never falls within a partition."""
    clock = VirtualClock(START)
    with _opened(make, clock=clock) as log:
        log.append("posts", [Record("a", b"1")])
        clock.advance(timedelta(seconds=1, microseconds=2_500))
        log.append("posts", [Record("a", b"2")])
        clock.set(START - timedelta(hours=1))
        log.append("posts", [Record("a", b"3")])
        times = [entry.appended_at for entry in _read_all(log)]
    later = START + timedelta(seconds=1, milliseconds=2)
    assert times == [START, later, later]


def check_the_log_keeps_its_id(make: LogFactory) -> None:
    with _opened(make) as log:
        made = log.id
    with _opened(make) as log:
        assert made
        assert log.id == made


def check_many_writers_lose_and_double_nothing(make: LogFactory) -> None:
    """Eight threads append through two openings of the log while a reader polls: it sees every record once, without a
    gap in the offsets at any moment, and every writer's records in its own order."""
    writers, each = 8, 60
    with (
        _opened(make, posts_partitions=2) as log,
        _opened(make, posts_partitions=2) as other,
        closing(log.reader("posts", "meanwhile")) as reader,
    ):
        problems: list[BaseException] = []

        def work(writer: int) -> None:
            try:
                for number in range(each):
                    (log if writer % 2 else other).append("posts", [Record(f"writer {writer}", b"%d" % number)])
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(writer,)) for writer in range(writers)]
        for thread in threads:
            thread.start()
        entries: list[Entry] = []
        deadline = time.monotonic() + 60
        while len(entries) < writers * each and time.monotonic() < deadline and not problems:
            entries += reader.poll(limit=17, timeout_s=0.05)
        for thread in threads:
            thread.join()
    assert problems == []
    _assert_dense(entries)
    by_writer: dict[str, list[int]] = defaultdict(list)
    for entry in entries:
        by_writer[entry.key].append(int(entry.value))
    assert by_writer == {f"writer {writer}": list(range(each)) for writer in range(writers)}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def check_a_reader_sees_everything_once_in_order(make: LogFactory) -> None:
    """Whatever the limit, also over several partitions."""
    with _opened(make, posts_partitions=3) as log:
        placed = log.append("posts", _records(100))
        entries: list[Entry] = []
        with closing(log.reader("posts", "one")) as reader:
            while found := reader.poll(limit=7, timeout_s=0):
                assert len(found) <= 7
                entries += found
    _assert_dense(entries)
    assert sorted((entry.partition, entry.offset) for entry in entries) == sorted(placed)


def check_poll_returns_empty_when_nothing_comes(make: LogFactory) -> None:
    with _opened(make) as log, closing(log.reader("posts", "one")) as reader:
        assert reader.poll(limit=10, timeout_s=0) == []
        began = time.monotonic()
        assert reader.poll(limit=10, timeout_s=0.05) == []
        assert 0.04 <= time.monotonic() - began < 5


def check_poll_wakes_up_for_the_first_entry(make: LogFactory) -> None:
    """It waits for the first entry and returns with it, long before the timeout."""
    with _opened(make) as log, closing(log.reader("posts", "one")) as reader:
        later = threading.Timer(0.1, lambda: log.append("posts", [Record("a", b"1")]))
        began = time.monotonic()
        later.start()
        found = reader.poll(limit=10, timeout_s=30)
        waited = time.monotonic() - began
        later.join()
    assert [entry.value for entry in found] == [b"1"]
    assert waited < 10


def check_a_position_is_kept_only_by_commit(make: LogFactory) -> None:
    """Polling moves the reader, not what is committed; closing commits nothing; a commit outlives the log's closing."""
    with _opened(make) as log:
        log.append("posts", _records(10))
        with closing(log.reader("posts", "one")) as reader:
            assert reader.committed() == {0: 0}
            reader.poll(limit=6, timeout_s=0)
            reader.commit({0: 4})
    with _opened(make) as log, closing(log.reader("posts", "one")) as reader:
        assert reader.committed() == {0: 4}
        assert [entry.offset for entry in reader.poll(limit=100, timeout_s=0)] == [4, 5, 6, 7, 8, 9]


def check_a_commit_never_goes_backwards(make: LogFactory) -> None:
    """Not even through another reader of the same name; the same position again is fine, and all or none is kept."""
    with _opened(make, posts_partitions=2) as log:
        for partition in range(2):
            log.append("posts", _records(10), partition=partition)
        with closing(log.reader("posts", "one")) as reader, closing(log.reader("posts", "one")) as twin:
            for one in (reader, twin):
                one.poll(limit=100, timeout_s=0)
            reader.commit({0: 5, 1: 5})
            reader.commit({0: 5})
            with expect_store_error():
                twin.commit({1: 6, 0: 4})
            assert reader.committed() == {0: 5, 1: 5}


def check_a_commit_beyond_the_end_is_refused(make: LogFactory) -> None:
    with _opened(make) as log:
        log.append("posts", _records(3))
        with closing(log.reader("posts", "one")) as reader:
            with expect_store_error():
                reader.commit({0: 4})
            reader.commit({0: 3})


def check_seek_goes_back_but_never_beyond_the_commit(make: LogFactory) -> None:
    """A sink that holds less than was committed gets it again; one that holds more still reads from the commit."""
    with _opened(make) as log:
        log.append("posts", _records(10))
        with closing(log.reader("posts", "one")) as reader:
            reader.poll(limit=100, timeout_s=0)
            reader.commit({0: 5})
            reader.seek({0: 2})
            assert [entry.offset for entry in reader.poll(limit=2, timeout_s=0)] == [2, 3]
            reader.seek({0: 8})
            assert [entry.offset for entry in reader.poll(limit=2, timeout_s=0)] == [5, 6]
            assert reader.committed() == {0: 5}


def check_readers_of_other_names_and_topics_are_independent(make: LogFactory) -> None:
    with _opened(make) as log:
        log.append("posts", _records(4))
        log.append("hits", _records(4))
        with closing(log.reader("posts", "one")) as one:
            one.poll(limit=100, timeout_s=0)
            one.commit({0: 4})
            for other in (log.reader("posts", "two"), log.reader("hits", "one")):
                with closing(other):
                    assert other.committed() == {0: 0}
                    assert len(other.poll(limit=100, timeout_s=0)) == 4


def check_a_reader_of_some_partitions_sees_only_those(make: LogFactory) -> None:
    with _opened(make, posts_partitions=3) as log:
        for partition in range(3):
            log.append("posts", _records(5), partition=partition)
        with closing(log.reader("posts", "one", partitions=[2, 0])) as reader:
            assert sorted(reader.partitions()) == [0, 2]
            assert {entry.partition for entry in _poll_all(reader)} == {0, 2}
            assert reader.committed() == {0: 0, 2: 0}
            with expect_store_error():
                reader.commit({1: 1})
        with expect_store_error():
            log.reader("posts", "two", partitions=[3])


def check_no_partition_starves_another(make: LogFactory) -> None:
    """With more entries in one partition than anybody polls, the other's still arrive."""
    with _opened(make, posts_partitions=2) as log:
        log.append("posts", _records(200), partition=0)
        log.append("posts", _records(5), partition=1)
        with closing(log.reader("posts", "one")) as reader:
            first = [entry for _ in range(4) for entry in reader.poll(limit=20, timeout_s=0)]
    assert {entry.partition for entry in first} == {0, 1}


# ── retention ────────────────────────────────────────────────────────────────────────────────────────────────────


def check_dropping_keeps_everything_younger(make: LogFactory) -> None:
    """Nothing appended at or after the time is lost, what was dropped is counted, and offsets go on as before."""
    clock = VirtualClock(START)
    with _opened(make, clock=clock, posts_partitions=2) as log:
        for _ in range(4):
            log.append("posts", _records(10))
            clock.advance(timedelta(days=1))
        ends = log.ends("posts")
        assert log.starts("posts") == {0: 0, 1: 0}
        when = START + timedelta(days=2)
        dropped = log.drop_before("posts", when)
        starts = log.starts("posts")
        assert dropped == sum(starts.values()) > 0
        assert log.ends("posts") == ends
        entries = _read_all(log)
        assert len(entries) == sum(ends.values()) - dropped
        assert sum(entry.appended_at >= when for entry in entries) == 20
        assert log.drop_before("posts", when) == 0


def check_dropping_all_leaves_an_empty_log_that_goes_on(make: LogFactory) -> None:
    clock = VirtualClock(START)
    with _opened(make, clock=clock) as log:
        log.append("posts", _records(10))
        clock.advance(timedelta(days=3))
        assert log.drop_before("posts", clock.now()) == 10
        assert log.starts("posts") == log.ends("posts") == {0: 10}
        assert log.append("posts", [Record("a", b"1")]) == [(0, 10)]
    with _opened(make, clock=clock) as log:
        assert [entry.offset for entry in _read_all(log)] == [10]


def check_a_reader_behind_the_start_goes_on_at_the_oldest(make: LogFactory) -> None:
    """Both one that is reading while segments are dropped, and one that comes back later."""
    clock = VirtualClock(START)
    with _opened(make, clock=clock) as log:
        log.append("posts", _records(10))
        with closing(log.reader("posts", "one")) as reader:
            reader.poll(limit=3, timeout_s=0)
            reader.commit({0: 3})
            clock.advance(timedelta(days=3))
            log.append("posts", _records(10))
            log.drop_before("posts", clock.now())
            offsets = [entry.offset for entry in _poll_all(reader)]
        assert offsets[-10:] == list(range(10, 20))
        assert offsets == sorted({offset for offset in offsets if offset >= 3}), "what was read before came again"
        with closing(log.reader("posts", "one")) as again:
            assert again.committed() == {0: 3}
            assert [entry.offset for entry in _poll_all(again)] == list(range(10, 20))


CHECKS: tuple[LogCheck, ...] = (
    check_offsets_are_dense_and_in_the_order_given,
    check_a_key_stays_in_its_partition,
    check_a_named_partition_overrides_the_key,
    check_appending_nothing_does_nothing,
    check_topics_do_not_mix,
    check_bytes_and_keys_come_back_as_they_were,
    check_a_batch_is_appended_whole_or_not_at_all,
    check_a_record_beyond_the_limit_is_bad_input,
    check_entries_carry_the_time_of_appending,
    check_the_log_keeps_its_id,
    check_many_writers_lose_and_double_nothing,
    check_a_reader_sees_everything_once_in_order,
    check_poll_returns_empty_when_nothing_comes,
    check_poll_wakes_up_for_the_first_entry,
    check_a_position_is_kept_only_by_commit,
    check_a_commit_never_goes_backwards,
    check_a_commit_beyond_the_end_is_refused,
    check_seek_goes_back_but_never_beyond_the_commit,
    check_readers_of_other_names_and_topics_are_independent,
    check_a_reader_of_some_partitions_sees_only_those,
    check_no_partition_starves_another,
    check_dropping_keeps_everything_younger,
    check_dropping_all_leaves_an_empty_log_that_goes_on,
    check_a_reader_behind_the_start_goes_on_at_the_oldest,
)


# ── what the checks share ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _opened(make: LogFactory, *, clock: Clock | None = None, posts_partitions: int = 1) -> Iterator[Log]:
    log = make(clock=SystemClock() if clock is None else clock, posts_partitions=posts_partitions)
    try:
        yield log
    finally:
        log.close()


def _records(count: int) -> list[Record]:
    return [Record(f"source:{number}", b"value %d" % number) for number in range(count)]


def _refused(log: Log, records: Sequence[Record], *, topic: Topic = "posts") -> BadInput | None:
    """Why the log does not take these; None when it took them."""
    try:
        log.append(topic, records)
    except BadInput as refusal:
        return refusal
    return None


def _read_all(log: Log, topic: Topic = "posts") -> list[Entry]:
    """Everything that a new reader finds."""
    with closing(log.reader(topic, "read all")) as reader:
        return _poll_all(reader)


def _poll_all(reader: LogReader) -> list[Entry]:
    entries: list[Entry] = []
    while found := reader.poll(limit=100, timeout_s=0):
        entries += found
    return entries


def _assert_dense(entries: Sequence[Entry]) -> None:
    """Within each partition, in the order read: 0, 1, 2, …"""
    offsets: Mapping[int, list[int]] = defaultdict(list)
    for entry in entries:
        offsets[entry.partition].append(entry.offset)
    for partition, found in offsets.items():
        assert found == list(range(len(found))), f"partition {partition}: {found}"
