"""A deployment that was moved is the same deployment: nothing is lost, nothing is read twice, the books agree."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from classifiers.pipeline import Pipeline
from desk import audit, book
from desk.database.connect import open_database, writing
from desk.memory import DeskMemory
from hustings.clock import VirtualClock
from hustings.contracts import Log, Record
from hustings.errors import StoreError
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime.moving import move_desk, move_index, move_log
from runtime.verify_index import verify_index
from tests.loops_world import ALL, CALM, SUNDAY, LoopsWorld, Poisonous, at, post


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    (tmp_path / "old").mkdir()
    with ExitStack() as opened:
        world = LoopsWorld(tmp_path / "old", desk_url, opened, posts=2, hits=2)
        world.append(*SUNDAY, *CALM, post(1, "an edit", minutes=30, revision=5))
        world.log.append("posts", [Record("broken", b"{")])
        world.run_to_the_end()
        yield world


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with closing(new_log(tmp_path, "new-log")) as opened:
        yield opened


def new_log(folder: Path, name: str, *, posts: int = 2) -> Log:
    return SqliteLog(folder / name, clock=VirtualClock(at(0)), posts_partitions=posts, hits_partitions=2).open()


def no_advance(what: str, total: int) -> Callable[[int], None]:
    return lambda entries: None


def test_a_moved_log_holds_the_same_entries_in_the_same_partitions(world: LoopsWorld, log: Log) -> None:
    moved = move_log(world.log, log)
    for topic in ("posts", "hits", "dead-letters"):
        assert log.ends(topic) == world.log.ends(topic)  # type: ignore[arg-type]
    assert moved.copied == moved.held
    for partition in (0, 1):
        readers = [one.reader("posts", "compare", partitions=[partition]) for one in (world.log, log)]
        there, here = ([(e.key, e.value) for e in reader.poll(limit=100, timeout_s=0)] for reader in readers)
        assert there == here
        for reader in readers:
            reader.close()


def test_a_move_that_is_begun_again_copies_what_came_meanwhile(world: LoopsWorld, log: Log) -> None:
    first = move_log(world.log, log).copied["posts"]
    world.append(post(77, "came meanwhile"))
    again = move_log(world.log, log)
    assert (first, again.copied["posts"]) == (10, 1)
    assert again.held["posts"] == 11


def test_the_loops_go_on_where_they_were(world: LoopsWorld, log: Log) -> None:
    move_log(world.log, log)
    reader = log.reader("posts", "analyze")
    assert reader.committed() == log.ends("posts")
    reader.close()


def test_a_log_is_not_moved_into_one_that_holds_something_else(world: LoopsWorld, log: Log) -> None:
    log.append("posts", [Record("other", b"{}")], partition=0)
    with pytest.raises(StoreError, match="holds other entries"):
        move_log(world.log, log)


def test_a_log_is_not_moved_into_other_partitions(world: LoopsWorld, tmp_path: Path) -> None:
    with closing(new_log(tmp_path, "three", posts=3)) as other, pytest.raises(StoreError, match="the same numbers"):
        move_log(world.log, other)


def test_a_moved_index_says_the_same_of_every_post_and_its_books_agree(
    world: LoopsWorld, log: Log, tmp_path: Path
) -> None:
    move_log(world.log, log)
    with closing(SqliteIndex(tmp_path / "new-index").open()) as index:
        moved = move_index(log, world.index, index, Pipeline([Poisonous()]).assess, starts=no_advance)
        assert index.search(ALL, limit=100) == world.index.search(ALL, limit=100)
        assert (index.books(), index.log_id()) == (world.index.books(), log.id)
        assert moved.assessed_again == 1, "the revision that the edit has overwritten"
        assert verify_index(log, index).sound
        with pytest.raises(StoreError, match="is not empty"):
            move_index(log, world.index, index, Pipeline([Poisonous()]).assess, starts=no_advance)


@pytest.fixture
def other_url(_blank_desk: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(_blank_desk, tmp_path / 'other.db')}"


def test_a_moved_desk_has_every_row_and_an_unbroken_chain(world: LoopsWorld, other_url: str) -> None:
    with writing(world.engine) as connection:
        audit.append(connection, at=at(0), actor="operator", action="prune", subject="retention", detail={"n": 1})
    DeskMemory(world.engine).put("cursors", "radio", b"17")
    target = open_database(other_url)
    try:
        moved = move_desk(world.engine, target)
        assert moved.rows["audit"] == audit.verify(world.engine) == audit.verify(target) > 0
        assert DeskMemory(target).get("cursors", "radio") == b"17"
        with pytest.raises(StoreError, match="is not empty"):
            move_desk(world.engine, target)
    finally:
        target.dispose()


def test_alerts_keep_their_ids(world: LoopsWorld, other_url: str) -> None:
    target = open_database(other_url)
    try:
        move_desk(world.engine, target)
        assert book.latest_alerts(target) == book.latest_alerts(world.engine)
        assert book.latest_alerts(target).alerts
    finally:
        target.dispose()
