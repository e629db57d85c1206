"""Sessions: how long they live, and that the database holds nothing that opens one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from desk import people, sessions
from desk.database.connect import reading
from desk.database.tables import sessions as rows
from desk.people import Person
from hustings.clock import VirtualClock
from tests.desk_world import start_session

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def ana(engine: Engine, clock: VirtualClock) -> Person:
    return people.create(engine, login="ana", password="four unlike words", role="reviewer", by="test", clock=clock)


def test_started_session_is_found_by_its_secret_alone(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    secret, started = start_session(engine, ana, clock=clock)
    assert sessions.find(engine, secret, clock=clock) == started
    assert sessions.find(engine, started.id, clock=clock) is None
    assert sessions.find(engine, "", clock=clock) is None
    assert sessions.find(engine, "\udcff", clock=clock) is None


def test_secret_and_csrf_token_are_not_in_the_database(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    secret, started = start_session(engine, ana, clock=clock)
    with reading(engine) as connection:
        stored = repr(connection.execute(select(rows)).all())
    assert secret not in stored
    assert started.csrf not in stored
    assert len(secret) >= 43


def test_session_ends_after_thirty_idle_minutes(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    secret, _ = start_session(engine, ana, clock=clock)
    clock.advance(timedelta(minutes=30))
    assert sessions.find(engine, secret, clock=clock) is None


def test_use_keeps_a_session_alive_for_twelve_hours_at_most(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    secret, _ = start_session(engine, ana, clock=clock)
    for _ in range(28):
        clock.advance(timedelta(minutes=25))
        assert sessions.find(engine, secret, clock=clock) is not None
    clock.advance(timedelta(minutes=20))
    assert sessions.find(engine, secret, clock=clock) is None


def test_signing_in_again_changes_the_id_and_ends_the_former(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    former, _ = start_session(engine, ana, clock=clock)
    secret, _ = start_session(engine, ana, clock=clock, replacing=former)
    assert secret != former
    assert sessions.find(engine, former, clock=clock) is None
    assert sessions.find(engine, secret, clock=clock) is not None


def test_csrf_secret_belongs_to_one_session(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    _, one = start_session(engine, ana, clock=clock)
    _, two = start_session(engine, ana, clock=clock)
    assert one.csrf != two.csrf


def test_sessions_are_listed_and_ended_one_by_one(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    first, one = start_session(engine, ana, clock=clock)
    clock.advance(timedelta(minutes=1))
    second, two = start_session(engine, ana, clock=clock)
    assert [session.id for session in sessions.open_sessions(engine, ana, clock=clock)] == [two.id, one.id]
    sessions.end(engine, one.id)
    assert sessions.find(engine, first, clock=clock) is None
    assert sessions.find(engine, second, clock=clock) is not None
    sessions.end(engine, two.id)
    assert sessions.open_sessions(engine, ana, clock=clock) == []


def test_sessions_past_their_time_are_swept_out(engine: Engine, clock: VirtualClock, ana: Person) -> None:
    start_session(engine, ana, clock=clock)
    clock.advance(timedelta(hours=1))
    start_session(engine, ana, clock=clock)
    with reading(engine) as connection:
        assert len(connection.execute(select(rows)).all()) == 1
