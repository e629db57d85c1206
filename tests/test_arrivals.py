"""Hits of a replay wait for the marks of every posts partition, also over a restart of watch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hustings.types import Hit, Mark
from runtime.loops.arrivals import Read, Sorted
from runtime.loops.progress import Archive
from tests.loops_world import SUNDAY, LoopsWorld, at, post


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as closing:
        made = LoopsWorld(tmp_path, desk_url, closing, posts=2)
        made.arrivals = lambda: Sorted(2)
        made.archives = {"c": Archive(done=False, last=at(6))}
        yield made


def test_a_restart_of_watch_between_the_last_marks_of_two_workers_settles_everything(world: LoopsWorld) -> None:
    world.append(*SUNDAY, post("last", "a fine day for a walk", minutes=5))
    analyzers = [world.analyzer(reader=world.log.reader("posts", "analyze", partitions=[p])) for p in (0, 1)]
    for analyzer in analyzers:
        while analyzer.step():
            pass
    world.archives["c"] = Archive(done=True, last=at(6))
    for analyzer in analyzers:
        analyzer.send_marks()
        watcher = world.watcher()  # one that was killed came back
        while watcher.step():
            pass
        watcher.close()
    assert [alert.state for alert in world.alerts()] == ["resolved"]


def mark(partition: int, minutes: float) -> Mark:
    return Mark(partition=partition, offset=1, at=at(minutes))


def hit(minutes: float) -> Hit:
    return Hit(rule="r", logic="l", key=f"k{minutes}", t=at(minutes), g=at(minutes), revised_at=at(minutes))


def test_a_hit_is_released_when_every_partition_has_come_past_it() -> None:
    arrivals = Sorted(2)
    assert arrivals.take([Read(0, hit(5)), Read(1, hit(3)), Read(2, mark(0, 9))]).values == [mark(0, 9)]
    assert arrivals.take([Read(3, mark(1, 4))]).values == [hit(3), mark(1, 4)]
    assert arrivals.take([Read(4, mark(1, 6))]).values == [hit(5), mark(1, 6)]


def test_what_waits_and_the_marks_that_it_will_need_are_read_again_after_a_restart() -> None:
    arrivals = Sorted(2)
    assert arrivals.take([Read(0, mark(0, 9)), Read(1, hit(3))]).position == 0
    assert arrivals.take([Read(2, mark(1, 4))]).position == 0, "what comes until 9 needs the mark of partition 0"
    assert arrivals.take([Read(3, mark(0, 10))]).position == 2
    assert arrivals.take([Read(4, mark(1, 10))]).position == 5, "both are as far: nothing needs an older mark"
    assert arrivals.take([Read(5, hit(12))]).position == 5
