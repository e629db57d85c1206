"""In which order hits are evaluated: live as they come, in a replay by the time when they became known, also over a
restart of watch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.types import Hit, Mark
from runtime.loops.arrivals import Passing, Read, Sorted
from runtime.loops.progress import Archive
from tests.loops_world import SUNDAY, LoopsWorld, at, post


def hit(key: str, minutes: float, *, edited: float | None = None) -> Hit:
    when = at(minutes)
    return Hit(
        rule="r", logic="l", key=key, t=when, g=when, revised_at=when, edited_at=None if edited is None else at(edited)
    )


def test_a_restart_of_watch_behind_the_last_time_finds_that_nothing_waits(world: LoopsWorld) -> None:
    """What a rebalance does: workers say the last time again, and watch begins anew between two of their marks."""
    world.append(*SUNDAY, post("last", "a fine day for a walk", minutes=5))
    world.archives["c"] = Archive(done=True, last=at(6))
    for _ in range(2):
        for p in (0, 1):
            analyzer = world.analyzer(reader=world.log.reader("posts", "analyze", partitions=[p]))
            while analyzer.step():
                pass
            analyzer.send_marks()
            analyzer.close()
            watcher = world.watcher()
            while watcher.step():
                pass
            watcher.close()
    assert world.index.positions("hits") == world.log.ends("hits")
    assert [alert.state for alert in world.alerts()] == ["resolved"]


def mark(partition: int, minutes: float) -> Mark:
    return Mark(partition=partition, offset=0, at=at(minutes))


def read(*values: Hit | Mark | None, begin: int = 0) -> list[Read]:
    return [Read(offset, value) for offset, value in enumerate(values, begin)]


def keys(values: list[Hit | Mark]) -> list[str]:
    return [value.key for value in values if isinstance(value, Hit)]


def test_live_nothing_waits_and_what_cannot_be_read_is_passed_over() -> None:
    one, two = hit("b", 5), hit("a", 1)
    assert Passing().take(read(one, None, two, begin=7)) == ([one, two], 10)


def test_hits_wait_until_every_partition_has_come_past_them() -> None:
    arrivals = Sorted(2)
    assert arrivals.take(read(hit("b", 5), mark(0, 9), hit("a", 1))).values == [mark(0, 9)]
    values, position = arrivals.take(read(mark(1, 4), begin=3))
    assert keys(values) == ["a"]
    assert position == 0, "the first one still waits, so a restart reads from there"
    values, position = arrivals.take(read(mark(1, 6), begin=4))
    assert (keys(values), position) == (["b"], 1), "and the marks, which nobody sends twice"
    assert arrivals.take(read(mark(1, 9), begin=5)).position == 6, "all have come to one time: nothing is needed again"


def test_a_hit_of_the_very_time_of_the_marks_waits_for_others_of_that_time() -> None:
    arrivals = Sorted(1)
    assert keys(arrivals.take(read(hit("b", 5), mark(0, 5))).values) == []
    assert keys(arrivals.take(read(hit("a", 5), mark(0, 5.1), begin=2)).values) == ["a", "b"]


def test_a_hit_behind_the_marks_waits_for_nothing() -> None:
    arrivals = Sorted(1)
    arrivals.take(read(mark(0, 9)))
    values, position = arrivals.take(read(hit("late", 3), begin=1))
    assert (keys(values), position) == (["late"], 2)


def test_a_late_edit_takes_its_turn_by_its_own_time() -> None:
    arrivals = Sorted(1)
    values = arrivals.take(read(hit("edited", 1, edited=7), hit("b", 3), mark(0, 9))).values
    assert keys(values) == ["b", "edited"]


def test_marks_go_behind_the_hits_that_they_let_pass() -> None:
    values = Sorted(1).take(read(hit("b", 5), mark(0, 9))).values
    assert [type(value) for value in values] == [Hit, Mark]


times = st.lists(st.integers(0, 30), min_size=1, max_size=25)


@given(times, times, st.randoms(use_true_random=False))
def test_any_interleaving_of_two_partitions_gives_one_order(
    first: list[int], second: list[int], rng: random.Random
) -> None:
    """Each posts partition sends its hits in the order of time, with a mark behind each; how the two are mixed in the
    hits log does not matter, nor where it is cut into reads."""
    streams: list[list[Hit | Mark]] = []
    for partition, minutes in enumerate((first, second)):
        stream: list[Hit | Mark] = []
        for number, minute in enumerate(sorted(minutes)):
            stream += [hit(f"{partition}-{number:02}", minute), mark(partition, minute)]
        streams.append([*stream, mark(partition, 99)])
    expected = sorted(
        (value for stream in streams for value in stream if isinstance(value, Hit)), key=lambda h: (h.known_at, h.key)
    )
    mixed: list[Hit | Mark] = []
    while any(streams):
        mixed.append(rng.choice([stream for stream in streams if stream]).pop(0))
    arrivals, begin = Sorted(2), 0
    found: list[Hit | Mark] = []
    positions: list[int] = []
    while begin < len(mixed):
        size = rng.randint(1, 5)
        values, position = arrivals.take(read(*mixed[begin : begin + size], begin=begin))
        found += values
        positions.append(position)
        begin += size
    assert [value for value in found if isinstance(value, Hit)] == expected
    assert positions == sorted(positions)
    assert positions[-1] == len(mixed)


# ── a restart ────────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_what_waits_and_the_marks_that_it_will_need_are_read_again_after_a_restart() -> None:
    arrivals = Sorted(2)
    assert arrivals.take(read(mark(0, 9), hit("a", 3))).position == 0
    assert arrivals.take(read(mark(1, 4), begin=2)).position == 0, "what comes until 9 needs the mark of partition 0"
    assert arrivals.take(read(mark(0, 10), begin=3)).position == 2
    assert arrivals.take(read(mark(1, 10), begin=4)).position == 5, "both are as far: nothing needs an older mark"
    assert arrivals.take(read(hit("b", 12), begin=5)).position == 5
