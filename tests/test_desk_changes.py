"""The cheap look whether anybody wrote to the desk's database, on which the courier relies."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from desk import outbox
from desk.database.changes import Changes
from desk.database.connect import open_database, reading, writing
from desk.deliver import LOOK_EVERY_S, Courier
from desk.memory import DeskMemory
from hustings.clock import VirtualClock
from tests.loops_world import START


def test_every_commit_is_seen_once_whoever_made_it(engine: Engine, desk_url: str) -> None:
    elsewhere = open_database(desk_url)
    with closing(Changes(engine)) as changes:
        assert changes.since_last_look(), "the first look"
        assert not changes.since_last_look()
        for writer, value in ((engine, b"1"), (elsewhere, b"2")):
            DeskMemory(writer).put("active", "x", value)
            assert changes.since_last_look()
            assert not changes.since_last_look()
    elsewhere.dispose()


def test_reading_is_no_change_and_on_sqlite_what_is_rolled_back_neither(engine: Engine) -> None:
    with closing(Changes(engine)) as changes:
        changes.since_last_look()
        with reading(engine) as connection:
            connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar()
        assert not changes.since_last_look()
        with pytest.raises(IntegrityError), writing(engine) as connection:
            connection.exec_driver_sql("INSERT INTO counters (partition, name, value) VALUES (0, 'x', 1), (0, 'x', 1)")
        if engine.dialect.name == "sqlite":
            assert not changes.since_last_look()


def test_courier_asks_for_due_rows_only_after_a_commit_or_a_while(engine: Engine) -> None:
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    clock = VirtualClock(START)
    with closing(Courier(engine, {}, clock=clock, random=lambda: 0.5)) as courier:
        looks = [_looks(courier, asked) for _ in range(3)]
        clock.advance(outbox.LEASE)
        looks.append(_looks(courier, asked))
        looks.append(_looks(courier, asked))
        DeskMemory(engine).put("active", "x", b"1")
        looks.append(_looks(courier, asked))
    assert looks == [1, 0, 0, 1, 0, 1]
    assert outbox.LEASE.total_seconds() > LOOK_EVERY_S


def _looks(courier: Courier, asked: list[str]) -> int:
    asked.clear()
    courier.deliver_once(patience_s=0)
    return sum("FROM outbox" in statement for statement in asked)
