"""Accounts: the first link, passwords, guessing, roles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from desk import audit, people, sessions
from desk.database.connect import reading
from desk.database.tables import links, unknown_logins
from desk.database.tables import people as rows
from desk.people import Person
from desk.refusals import Refused
from hustings.clock import VirtualClock
from hustings.errors import Unavailable
from tests.desk_world import itself, start_session

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
GOOD = "four unlike plain words"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def lead(engine: Engine, clock: VirtualClock) -> Person:
    return people.create(engine, login="Lead", password=GOOD, role="lead", by="test", clock=clock)


def test_first_link_creates_the_lead_once(engine: Engine, clock: VirtualClock) -> None:
    token = people.first_link(engine, clock=clock)
    assert token is not None
    assert people.link_role(engine, token, clock=clock) == "lead"
    person = people.use_link(engine, token, login="Ana", password=GOOD, clock=clock, then=itself)
    assert (person.login, person.role) == ("ana", "lead")
    assert people.link_role(engine, token, clock=clock) is None
    with pytest.raises(Refused, match="was used"):
        people.use_link(engine, token, login="other", password=GOOD, clock=clock, then=itself)
    assert people.first_link(engine, clock=clock) is None


def test_first_link_ends_after_a_day_and_when_a_newer_one_was_made(engine: Engine, clock: VirtualClock) -> None:
    first, second = people.first_link(engine, clock=clock), people.first_link(engine, clock=clock)
    assert first is not None
    assert second is not None
    assert people.link_role(engine, first, clock=clock) is None
    clock.advance(timedelta(hours=23, minutes=59))
    assert people.link_role(engine, second, clock=clock) == "lead"
    clock.advance(timedelta(minutes=1))
    assert people.link_role(engine, second, clock=clock) is None


def test_link_token_is_not_in_the_database(engine: Engine, clock: VirtualClock) -> None:
    token = people.first_link(engine, clock=clock)
    with reading(engine) as connection:
        stored = connection.execute(select(links.c.token)).scalars().all()
    assert token not in stored


def test_without_a_link_no_password_is_looked_at(engine: Engine, clock: VirtualClock) -> None:
    with pytest.raises(Refused, match="this link is unknown"):
        people.use_link(engine, "made up", login="a", password="short", clock=clock, then=itself)


def test_refused_link_use_leaves_the_link_good(engine: Engine, clock: VirtualClock) -> None:
    token = people.first_link(engine, clock=clock) or ""
    with pytest.raises(Refused, match="at least 12"):
        people.use_link(engine, token, login="ana", password="short", clock=clock, then=itself)
    assert people.link_role(engine, token, clock=clock) == "lead"


def break_off(_: Connection, person: Person) -> None:
    raise Unavailable(f"no session for {person.login}")


def test_link_whose_session_does_not_begin_is_good(engine: Engine, clock: VirtualClock) -> None:
    token = people.first_link(engine, clock=clock) or ""
    with pytest.raises(Unavailable):
        people.use_link(engine, token, login="ana", password=GOOD, clock=clock, then=break_off)
    assert people.listed(engine) == []
    lead = people.use_link(engine, token, login="ana", password=GOOD, clock=clock, then=itself)
    again, _ = people.password_link(engine, login="ana", by="operator", clock=clock)
    with pytest.raises(Unavailable):
        people.use_password_link(engine, again, password=NEW, clock=clock, then=break_off)
    assert people.sign_in(engine, login="ana", password=GOOD, clock=clock) == lead
    assert people.use_password_link(engine, again, password=NEW, clock=clock, then=itself) == lead


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("eleven char", "at least 12 characters, this has 11"),
        ("hustingshustings", "little more than 'hustings'"),
        ("password1234", "little more than 'password'"),
        ("abababababab", "repeats the same few"),
        ("x" * 1025, "at most 1024"),
        ("jonathan-1jonathan-1", "little more than 'jonathan-1'"),
    ],
)
def test_weak_password_is_refused(password: str, says: str, engine: Engine, clock: VirtualClock) -> None:
    with pytest.raises(Refused, match=says):
        people.create(engine, login="jonathan-1", password=password, role="viewer", by="test", clock=clock)


def test_password_is_kept_as_argon2id(engine: Engine, lead: Person) -> None:
    with reading(engine) as connection:
        stored = connection.execute(select(rows.c.password)).scalar_one()
    assert stored.startswith("$argon2id$")
    assert GOOD not in stored


def test_right_password_signs_in_whatever_the_case_of_the_login(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    assert people.sign_in(engine, login=" LEAD ", password=GOOD, clock=clock) == lead
    assert people.sign_in(engine, login="lead", password=GOOD + "x", clock=clock) is None
    assert people.sign_in(engine, login="nobody", password=GOOD, clock=clock) is None


def test_guesser_has_to_wait_longer_and_longer(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    for _ in range(people.FREE_GUESSES):
        assert people.sign_in(engine, login="lead", password="wrong", clock=clock) is None
    with pytest.raises(Refused, match="try again in 31 s"):
        people.sign_in(engine, login="lead", password=GOOD, clock=clock)
    clock.advance(timedelta(seconds=30))
    assert people.sign_in(engine, login="lead", password="wrong", clock=clock) is None
    with pytest.raises(Refused, match="try again in 61 s"):
        people.sign_in(engine, login="lead", password="wrong", clock=clock)
    clock.advance(timedelta(seconds=60))
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock) == lead
    assert people.sign_in(engine, login="lead", password="wrong", clock=clock) is None


def test_login_that_nobody_has_is_answered_as_a_known_one(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    def answer(login: str) -> str:
        try:
            return str(people.sign_in(engine, login=login, password="wrong", clock=clock))
        except Refused as refusal:
            return str(refusal)

    steps = (*[0] * 7, 31, 0, 61, 0, 900, 23 * 3600, *[86401] * 3, *[0] * 5, 2 * 86400, *[0] * 6)
    said: dict[str, list[str]] = {"lead": [], " Nobody ": [], "no one else": []}
    for seconds in steps:
        clock.advance(timedelta(seconds=seconds))
        for login, answers in said.items():
            answers.append(answer(login))
    first, *others = said.values()
    assert [answers == first for answers in others] == [True, True]
    assert "too many wrong passwords; try again in 61 s" in first


def test_wrong_passwords_are_forgotten_after_a_day_without_one(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    for _ in range(3):
        for _ in range(people.FREE_GUESSES - 1):
            assert people.sign_in(engine, login="lead", password="wrong", clock=clock) is None
        clock.advance(timedelta(days=1, seconds=1))
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock) == lead


def test_made_up_logins_are_forgotten_after_a_day_and_never_kept_in_a_form_that_tells_them(
    engine: Engine, clock: VirtualClock
) -> None:
    def held() -> list[str]:
        with reading(engine) as connection:
            return list(connection.execute(select(unknown_logins.c.id)).scalars())

    for number in range(5):
        people.sign_in(engine, login=f"made up {number}", password="wrong", clock=clock)
    assert [len(one) for one in held()] == [6] * 5
    clock.advance(timedelta(days=1, seconds=1))
    people.sign_in(engine, login="another", password="wrong", clock=clock)
    assert len(held()) == 1


def test_one_guesser_does_not_make_others_wait(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    other = people.create(engine, login="other", password=GOOD, role="viewer", by="test", clock=clock)
    for _ in range(people.FREE_GUESSES):
        people.sign_in(engine, login="lead", password="wrong", clock=clock)
    assert people.sign_in(engine, login="other", password=GOOD, clock=clock) == other


def test_closed_account_neither_signs_in_nor_keeps_its_sessions(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    other = people.create(engine, login="other", password=GOOD, role="viewer", by="test", clock=clock)
    secret, _ = start_session(engine, other, clock=clock)
    people.set_disabled(engine, person_id=other.id, disabled=True, by=lead, clock=clock)
    assert people.sign_in(engine, login="other", password=GOOD, clock=clock) is None
    assert sessions.find(engine, secret, clock=clock) is None
    people.set_disabled(engine, person_id=other.id, disabled=False, by=lead, clock=clock)
    assert people.sign_in(engine, login="other", password=GOOD, clock=clock) == other


def test_nobody_closes_their_own_account(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    with pytest.raises(Refused, match="their own account"):
        people.set_disabled(engine, person_id=lead.id, disabled=True, by=lead, clock=clock)


def test_lead_invites_only_until_there_is_an_admin(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    token = people.invite(engine, role="admin", by=lead, clock=clock)
    admin = people.use_link(engine, token, login="admin", password=GOOD, clock=clock, then=itself)
    with pytest.raises(Refused, match="a lead may not invite"):
        people.invite(engine, role="reviewer", by=lead, clock=clock)
    token = people.invite(engine, role="reviewer", by=admin, clock=clock)
    reviewer = people.use_link(engine, token, login="rev", password=GOOD, clock=clock, then=itself)
    with pytest.raises(Refused, match="a reviewer may not invite"):
        people.invite(engine, role="lead", by=reviewer, clock=clock)


def test_changed_password_ends_every_session(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    secret, _ = start_session(engine, lead, clock=clock)
    with pytest.raises(Refused, match="present password"):
        people.set_password(engine, person=lead, old="wrong", new=GOOD + "!", clock=clock)
    people.set_password(engine, person=lead, old=GOOD, new=GOOD + "!", clock=clock)
    assert sessions.find(engine, secret, clock=clock) is None
    assert people.sign_in(engine, login="lead", password=GOOD + "!", clock=clock) == lead


def test_login_is_taken_once(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    with pytest.raises(Refused, match="is taken"):
        people.create(engine, login="LEAD", password=GOOD, role="viewer", by="test", clock=clock)


@pytest.mark.parametrize("login", ["", "x", "two words", "a" * 65, "tab\there"])
def test_login_that_cannot_be_typed_is_refused(login: str, engine: Engine, clock: VirtualClock) -> None:
    with pytest.raises(Refused, match="a login has 2 to 64"):
        people.create(engine, login=login, password=GOOD, role="viewer", by="test", clock=clock)


def test_pseudonym_says_nothing_of_the_login_and_is_what_the_audit_says(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    people.sign_in(engine, login="lead", password=GOOD, clock=clock)
    people.sign_in(engine, login="lead", password="wrong", clock=clock)
    assert "lead" not in lead.pseudonym
    assert [(row.action, row.subject) for row in audit.latest(engine)] == [
        ("sign-in-failed", lead.pseudonym),
        ("sign-in", lead.pseudonym),
        ("account-made", lead.pseudonym),
    ]
    assert audit.verify(engine) == 3


NEW = "five other unlike plain words"


def test_link_gives_its_holder_a_new_password_once(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    secret, _ = start_session(engine, lead, clock=clock)
    token, whose = people.password_link(engine, login=" LEAD ", by="operator", clock=clock)
    assert whose == lead
    assert people.password_link_holder(engine, token, clock=clock) == lead
    assert people.link_role(engine, token, clock=clock) is None
    assert sessions.find(engine, secret, clock=clock) is not None
    assert people.use_password_link(engine, token, password=NEW, clock=clock, then=itself) == lead
    assert sessions.find(engine, secret, clock=clock) is None
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock) is None
    assert people.sign_in(engine, login="lead", password=NEW, clock=clock) == lead
    with pytest.raises(Refused, match="was used"):
        people.use_password_link(engine, token, password=GOOD, clock=clock, then=itself)


def test_making_and_using_a_password_link_are_audit_rows(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    token, _ = people.password_link(engine, login="lead", by="operator", clock=clock)
    people.use_password_link(engine, token, password=NEW, clock=clock, then=itself)
    assert [(row.actor, row.action, row.subject) for row in audit.latest(engine)][:2] == [
        ("link", "password-changed", lead.pseudonym),
        ("operator", "password-link-made", lead.pseudonym),
    ]
    assert audit.verify(engine) == 3


def test_password_link_ends_with_a_newer_one_a_new_password_or_a_day(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    def made() -> str:
        return people.password_link(engine, login="lead", by="operator", clock=clock)[0]

    first, second = made(), made()
    assert people.password_link_holder(engine, first, clock=clock) is None
    people.set_password(engine, person=lead, old=GOOD, new=NEW, clock=clock)
    assert people.password_link_holder(engine, second, clock=clock) is None
    third = made()
    clock.advance(timedelta(hours=23, minutes=59))
    assert people.password_link_holder(engine, third, clock=clock) == lead
    clock.advance(timedelta(minutes=1))
    assert people.password_link_holder(engine, third, clock=clock) is None


def test_weak_password_leaves_the_password_link_good(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    token, _ = people.password_link(engine, login="lead", by="operator", clock=clock)
    with pytest.raises(Refused, match="at least 12"):
        people.use_password_link(engine, token, password="short", clock=clock, then=itself)
    assert people.sign_in(engine, login="lead", password=GOOD, clock=clock) == lead
    assert people.password_link_holder(engine, token, clock=clock) == lead


def test_closed_account_gets_no_password_link_and_loses_the_one_it_has(
    engine: Engine, clock: VirtualClock, lead: Person
) -> None:
    other = people.create(engine, login="other", password=GOOD, role="viewer", by="test", clock=clock)
    token, _ = people.password_link(engine, login="other", by="operator", clock=clock)
    people.set_disabled(engine, person_id=other.id, disabled=True, by=lead, clock=clock)
    with pytest.raises(Refused, match="'other' is closed"):
        people.password_link(engine, login="other", by="operator", clock=clock)
    people.set_disabled(engine, person_id=other.id, disabled=False, by=lead, clock=clock)
    assert people.password_link_holder(engine, token, clock=clock) is None


def test_password_link_for_nobody_names_who_there_is(engine: Engine, clock: VirtualClock) -> None:
    with pytest.raises(Refused, match="has no people yet"):
        people.password_link(engine, login="oda", by="operator", clock=clock)
    people.create(engine, login="ana", password=GOOD, role="lead", by="test", clock=clock)
    with pytest.raises(Refused, match=r"nobody has the login 'oda'; known are ana \(lead\)"):
        people.password_link(engine, login="oda", by="operator", clock=clock)


def test_password_link_lets_in_whom_a_guesser_makes_wait(engine: Engine, clock: VirtualClock, lead: Person) -> None:
    for _ in range(people.FREE_GUESSES):
        people.sign_in(engine, login="lead", password="wrong", clock=clock)
    token, _ = people.password_link(engine, login="lead", by="operator", clock=clock)
    people.use_password_link(engine, token, password=NEW, clock=clock, then=itself)
    assert people.sign_in(engine, login="lead", password=NEW, clock=clock) == lead
