"""Posts of a replay by time over several partitions and workers, and one order of their stories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Entry, Record
from hustings.errors import Reassigned, Unavailable
from hustings.testing.memory import DictMemory
from hustings.types import Assessment, Flag, Post
from ingest.log_sqlite import SqliteLog
from runtime.loops import reading
from runtime.loops.progress import Archive
from runtime.loops.reading import ByTime
from runtime.loops.story_order import StoryOrder
from tests.loops_world import at, post


class FirstComers:
    """Names a story after the first post with its first word, and keeps the order in which it was asked."""

    name, version = "stories", "test"

    def __init__(self, shared: dict[str, str]) -> None:
        self._founders = shared

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        named = []
        for one in assessments:
            story = self._founders.setdefault(one.tokens[0], one.key)
            named.append(Assessment(post=one.post, tokens=one.tokens, flags=one.flags, story=story))
        return named


class World:
    """Two partitions, and workers that each read some of them."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.log = SqliteLog(folder / "log", clock=SystemClock(), posts_partitions=2).open()
        closing.callback(self.log.close)
        self._closing = closing
        self.archives: dict[str, Archive] = {"c": Archive(done=False, last=None)}
        self.memory = DictMemory()
        self.founders: dict[str, str] = {}

    def worker(self, name: str, partitions: Sequence[int]) -> ByTime:
        reader = self.log.reader("posts", "analyze", partitions=partitions)
        self._closing.callback(reader.close)
        order = StoryOrder(
            worker=name, log_id=self.log.id, posts_partitions=2, memory=self.memory, stories=FirstComers(self.founders)
        )
        made = ByTime(reader, log=self.log, archives=lambda: self.archives, order=order)
        made.restart(dict.fromkeys(partitions, 0))
        return made

    def append(self, partition: int, *minutes: float, word: str = "x") -> None:
        posts = [post(f"p{partition}-{minute}", word, minutes=minute) for minute in minutes]
        self.log.append("posts", [Record(p.key, wire.encode(p)) for p in posts], partition=partition)

    def done(self, *, last: float) -> None:
        self.archives["c"] = Archive(done=True, last=at(last) + timedelta(seconds=1))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as closing:
        yield World(tmp_path, closing)


def next_batch(worker: ByTime, limit: int) -> list[Entry]:
    """Reading on may take several looks."""
    for _ in range(20):
        if batch := worker.take(limit=limit, timeout_s=0):
            return batch
    raise AssertionError("nothing came")


def names(entries: Sequence[Entry]) -> list[str]:
    return [wire.decode(entry.value, Post).native_id for entry in entries]


def assessed(entries: Sequence[Entry]) -> list[Assessment]:
    posts = [wire.decode(entry.value, Post) for entry in entries]
    flag = (Flag(code="N-PROC-DATE", score=0.9),)
    return [Assessment(post=p, tokens=tuple(p.text.split()), flags=flag if p.text != "calm" else ()) for p in posts]


def test_posts_of_all_partitions_of_a_worker_come_by_time(world: World) -> None:
    world.append(0, 1, 4, 5)
    world.append(1, 2, 3, 9)
    worker = world.worker("one", [0, 1])
    assert names(worker.take(limit=100, timeout_s=0)) == ["p0-1", "p1-2", "p1-3", "p0-4"], "of 5 there may be more"
    world.done(last=9)
    assert names(worker.take(limit=100, timeout_s=0)) == ["p0-5", "p1-9"]


def test_a_batch_is_cut_where_a_time_ends(world: World) -> None:
    world.append(0, 1, 2, 2.0, 3)
    world.append(1, 2, 4)
    world.done(last=4)
    worker = world.worker("one", [0, 1])
    assert names(next_batch(worker, 2)) == ["p0-1"]
    assert sorted(names(next_batch(worker, 2))) == ["p0-2", "p0-2.0", "p1-2"], "one time stays together"
    assert names(next_batch(worker, 2)) == ["p0-3", "p1-4"]


def test_an_empty_partition_comes_as_far_as_the_archives(world: World) -> None:
    world.append(0, 1, 4)
    worker = world.worker("one", [0, 1])
    assert names(worker.take(limit=100, timeout_s=0)) == []
    world.archives["c"] = Archive(done=False, last=at(4))
    assert names(worker.take(limit=100, timeout_s=0)) == ["p0-1"]


def test_what_is_no_post_stays_where_it_stands(world: World) -> None:
    world.append(0, 1)
    world.log.append("posts", [Record("junk", b"{")], partition=0)
    world.append(0, 2)
    world.append(1, 3)
    world.done(last=3)
    entries = world.worker("one", [0, 1]).take(limit=100, timeout_s=0)
    assert sorted((entry.partition, entry.offset) for entry in entries[:3]) == [(0, 0), (0, 1), (0, 2)]
    assert entries[3].partition == 1


def test_a_story_is_called_after_the_first_post_whichever_worker_is_faster(world: World) -> None:
    world.append(0, 5)
    world.append(1, 2, 7)
    world.done(last=7)
    fast, slow = world.worker("fast", [0]), world.worker("slow", [1])
    first = fast.take(limit=100, timeout_s=0)
    second = slow.take(limit=100, timeout_s=0)
    # The fast worker says first what it has; it has to wait for the other, which is not told yet.
    fast._order.come([0], at(100), assessed(first))  # as `told` does before it waits
    assert fast._order.stories(assessed(first)) is None
    assert [one.story for one in slow.told(assessed(second))] == ["net:p1-2", "net:p1-2"]
    assert [one.story for one in fast.told(assessed(first))] == ["net:p1-2"]


def test_a_post_that_came_twice_has_the_place_of_its_first_time(world: World) -> None:
    world.append(0, 1, 6)
    again = msgspec.structs.replace(post("p0-1", "x", minutes=1), collected_at=at(8))
    world.append(1, 4)
    world.log.append("posts", [Record(again.key, wire.encode(again))], partition=0)
    world.done(last=8)
    worker = world.worker("one", [0, 1])
    told = worker.told(assessed(worker.take(limit=100, timeout_s=0)))
    assert {one.story for one in told} == {"net:p0-1"}


def test_a_worker_stops_where_another_one_waits(world: World) -> None:
    world.append(0, *range(1, 9))
    world.append(1, *range(1, 20))
    ahead, behind = world.worker("ahead", [0]), world.worker("behind", [1])
    world.done(last=20)
    ahead._order.come([0], at(8.5), [])
    batch = behind.take(limit=100, timeout_s=0)
    assert names(batch)[-1] == "p1-8", "so both go on side by side from there"


def test_posts_of_no_interest_wait_for_nobody(world: World) -> None:
    world.append(0, 1, 2, word="calm")
    world.done(last=2)
    worker = world.worker("one", [0])
    assert len(worker.told(assessed(worker.take(limit=100, timeout_s=0)))) == 2


def test_who_waits_in_vain_says_for_what(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "WAIT_AT_MOST_S", 0.05)
    world.append(0, 1)
    world.done(last=1)
    worker = world.worker("one", [0])
    entries = worker.take(limit=100, timeout_s=0)
    with pytest.raises(Unavailable, match="partition 1, of which no worker has said anything yet; is a worker"):
        worker.told(assessed(entries))
    world.worker("two", [1])._order.come([1], at(0), [])
    with pytest.raises(Unavailable, match="partition 1, which has come to 2027-03-10T12:00:00"):
        worker.told(assessed(entries))


def test_a_change_of_partitions_ends_the_wait(world: World) -> None:
    class Moving:
        """A reader whose partitions move while it waits."""

        def __init__(self, reader: object) -> None:
            self._reader, self.moves = reader, False

        def poll(self, *, limit: int, timeout_s: float) -> list[Entry]:
            if self.moves:
                raise Reassigned("others came")
            return self._reader.poll(limit=limit, timeout_s=timeout_s)  # type: ignore[attr-defined, no-any-return]

        def seek(self, positions: Mapping[int, int]) -> None:
            self._reader.seek(positions)  # type: ignore[attr-defined]

    world.append(0, 1)
    world.done(last=1)
    worker = world.worker("one", [0])
    worker._reader = moving = Moving(worker._reader)  # type: ignore[assignment]
    entries = worker.take(limit=100, timeout_s=0)
    moving.moves = True
    with pytest.raises(Reassigned):
        worker.told(assessed(entries))
