"""Browsers in which somebody has signed in before: a stranger who guesses does not keep their owner out of these."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from desk import known_browsers, people
from desk.database.connect import reading
from desk.database.tables import known_browsers as rows
from desk.people import Person
from desk.refusals import Refused
from hustings.clock import VirtualClock
from tests.desk_world import itself, remember_browser

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
GOOD = "four unlike plain words"
NEW = "five other unlike plain words"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def lead(engine: Engine, clock: VirtualClock) -> Person:
    return people.create(engine, login="lead", password=GOOD, role="lead", by="test", clock=clock)


@pytest.fixture
def browser(engine: Engine, clock: VirtualClock, lead: Person) -> str:
    return remember_browser(engine, lead.id, former="", clock=clock)


def guess(engine: Engine, clock: VirtualClock) -> None:
    with suppress(Refused):
        people.sign_in(engine, login="lead", password="wrong", clock=clock)


def test_stranger_who_never_stops_guessing_does_not_keep_the_owner_out(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    for _ in range(5):
        for _ in range(6):
            guess(engine, clock)
            clock.advance(timedelta(seconds=10))
        assert people.sign_in(engine, login="Lead", password=GOOD, clock=clock, browser=browser) == lead
    with pytest.raises(Refused, match="too many wrong"):
        people.sign_in(engine, login="lead", password=GOOD, clock=clock)


def test_owner_signing_in_gives_a_stranger_no_further_guesses(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    for _ in range(people.FREE_GUESSES):
        guess(engine, clock)
    people.sign_in(engine, login="lead", password=GOOD, clock=clock, browser=browser)
    with pytest.raises(Refused, match="try again in 31 s"):
        people.sign_in(engine, login="lead", password="wrong", clock=clock)


def test_stolen_browser_secret_has_the_guesses_of_a_stranger_and_takes_no_other_browser_along(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    other = remember_browser(engine, lead.id, former="", clock=clock)
    for _ in range(people.FREE_GUESSES):
        assert people.sign_in(engine, login="lead", password="wrong", clock=clock, browser=browser) is None
    with pytest.raises(Refused, match="try again in 31 s"):
        people.sign_in(engine, login="lead", password=GOOD, clock=clock, browser=browser)
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock, browser=other) == lead
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock) == lead


def test_browser_is_known_for_those_alone_who_signed_in_there(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    other = people.create(engine, login="other", password=GOOD, role="viewer", by="test", clock=clock)
    assert known_browsers.find(engine, browser, login=" LEAD ", clock=clock) is not None
    for secret, login in (
        (browser, "other"),
        (browser, "nobody"),
        ("made up", "lead"),
        ("", "lead"),
        ("\udcff", "lead"),
    ):
        assert known_browsers.find(engine, secret, login=login, clock=clock) is None
    assert remember_browser(engine, other.id, former=browser, clock=clock) == browser
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is not None
    assert known_browsers.find(engine, browser, login="other", clock=clock) is not None


def test_secret_is_not_in_the_database_and_one_that_was_made_up_is_not_taken_over(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    secret = remember_browser(engine, lead.id, former="made up", clock=clock)
    assert secret != "made up"
    assert len(secret) >= 43
    with reading(engine) as connection:
        assert secret not in repr(connection.execute(select(rows)).all())


def test_browser_becomes_a_stranger_after_ninety_days_without_a_sign_in(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    clock.advance(timedelta(days=89))
    assert remember_browser(engine, lead.id, former=browser, clock=clock) == browser
    clock.advance(timedelta(days=89))
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is not None
    clock.advance(timedelta(days=1))
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is None
    assert remember_browser(engine, lead.id, former=browser, clock=clock) != browser
    with reading(engine) as connection:
        assert len(connection.execute(select(rows)).all()) == 1


def test_new_password_ends_every_browser_but_the_one_in_which_it_was_chosen(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    other = remember_browser(engine, lead.id, former="", clock=clock)
    for _ in range(people.FREE_GUESSES):
        guess(engine, clock)
    people.set_password(engine, person=lead, old=GOOD, new=NEW, clock=clock, browser=browser)
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is not None
    assert known_browsers.find(engine, other, login="lead", clock=clock) is None


def test_password_link_and_closing_the_account_end_every_browser(
    engine: Engine, clock: VirtualClock, lead: Person, browser: str
) -> None:
    token, _ = people.password_link(engine, login="lead", by="operator", clock=clock)
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is not None
    people.use_password_link(engine, token, password=NEW, clock=clock, then=itself)
    assert known_browsers.find(engine, browser, login="lead", clock=clock) is None
    again = remember_browser(engine, lead.id, former=browser, clock=clock)
    admin = people.create(engine, login="admin", password=GOOD, role="admin", by="test", clock=clock)
    people.set_disabled(engine, person_id=lead.id, disabled=True, by=admin, clock=clock)
    assert known_browsers.find(engine, again, login="lead", clock=clock) is None
