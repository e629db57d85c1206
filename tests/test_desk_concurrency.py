"""Many clients of one desk at once: nothing doubled, nothing lost, nobody in each other's way. On both engines."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Any, TypeVar

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, func, select

from alerts.partners import ChannelEntry, Partner
from alerts.secrets import Secret
from desk import audit, book, known_browsers, outbox, people, queue, releases, reviews, sessions
from desk.book import DeskBook
from desk.database.connect import reading, writing
from desk.database.tables import alerts, queue_posts
from desk.database.tables import audit as audit_rows
from desk.database.tables import people as people_rows
from desk.dispatch import Dispatcher, cover_hash, cover_of
from desk.people import DeskRole, Person
from desk.refusals import Conflict, Refused
from desk.reviews import Judgement
from hustings.clock import SystemClock
from hustings.codebook import load_codebook
from hustings.contracts import AlertChanges, Delivery
from hustings.roster import Roster
from hustings.types import Alert, Assessment, Notice, Post, QueueEntry
from tests.desk_world import itself, remember_browser, start_session

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
T = TypeVar("T")
CLIENTS = 16
CLOCK = SystemClock()
CODEBOOK = load_codebook(files("configs").joinpath("codebook.toml").read_bytes())


def person(name: str, role: DeskRole = "reviewer") -> Person:
    return Person(id=name, login=name, pseudonym=f"p-{name}", role=role)


def entry(key: str, priority: float = 1.0, *, rule: str = "flagged") -> QueueEntry:
    return QueueEntry(key=key, rule=rule, reason=rule, priority=priority, at=START)


def enqueue(engine: Engine, *entries: QueueEntry) -> int:
    with writing(engine) as connection:
        return queue.enqueue(connection, entries, now=CLOCK.now())


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """What each returned; all begin at the same moment."""
    start = threading.Barrier(len(works))

    def work(each: Callable[[], T]) -> T:
        start.wait(30)
        return each()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(work, works))


class AnyPost:
    """`desk.posts.Posts` that knows every key, at revision 0."""

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {key: Assessment(post=_post(key)) for key in keys}


def _post(key: str) -> Post:
    source, _, native_id = key.partition(":")
    return Post(source=source, native_id=native_id, text="some text", published_at=START, collected_at=START)


PARTNERS = tuple(
    Partner.model_validate(
        {
            "id": name,
            "name": name,
            "tlp": "AMBER",
            "channels": (ChannelEntry(name="hook", kind="webhook"), ChannelEntry(name="file", kind="file")),
            "pseudonym_key": Secret(value=name),
        }
    )
    for name in ("north", "south")
)
DISPATCHER = Dispatcher(PARTNERS, index=AnyPost(), roster=Roster())


def alert(name: str, revision: int = 1, *, review: str = "required") -> Alert:
    kinds = ("open", *["update"] * (revision - 1))
    notices = tuple(
        Notice(alert=name, kind=kind, key=f"{kind}|{n}", at=START + timedelta(minutes=n), revision=n)  # type: ignore[arg-type]
        for n, kind in enumerate(kinds, start=1)
    )
    return Alert(
        id=name,
        rule="rule-1",
        rule_name="polling-date",
        rule_version=1,
        logic="l",
        revision=revision,
        opening_anchor=START,
        opened_at=START,
        last_crossing_at=START,
        detected_at=START,
        value=3.0,
        evidence=("f:1",),
        notices=notices,
        topics=("voting",),
        review=review,  # type: ignore[arg-type]
    )


def watch(engine: Engine, *found: Alert, partition: int = 0, entries: tuple[QueueEntry, ...] = ()) -> None:
    notices = tuple(notice for each in found for notice in each.notices)
    changes = AlertChanges(alerts=found, notices=notices, queue=entries, counters={"late": 1, "early": 1})
    DeskBook(engine, DISPATCHER, CLOCK).record(changes, partition=partition, epoch=1)


# ── the queue ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sixteen_pages_of_one_person_hold_one_post(engine: Engine) -> None:
    enqueue(engine, *(entry(f"f:{number}") for number in range(100)))
    claims = at_once([lambda: queue.claim(engine, reviewer=person("ana"), clock=CLOCK)] * CLIENTS)
    assert len({(held.key, held.token) for held in claims if held is not None}) == 1
    assert queue.depth(engine, clock=CLOCK).claimed == 1


def test_a_claim_is_decided_once_however_many_send_the_form(engine: Engine) -> None:
    enqueue(engine, entry("f:1"))
    held = queue.claim(engine, reviewer=person("ana"), clock=CLOCK)
    assert held is not None

    def decide() -> bool:
        with suppress(Conflict):
            reviews.decide(
                engine,
                Judgement(revision=0, verdict="log", codes=()),
                key=held.key,
                token=held.token,
                reviewer=person("ana"),
                index=AnyPost(),
                codebook=CODEBOOK,
                clock=CLOCK,
            )
            return True
        return False

    assert sum(at_once([decide] * CLIENTS)) == 1
    assert len(reviews.of_subject(engine, "post", "f:1")) == 1


def test_a_review_is_undone_once(engine: Engine) -> None:
    given = {"reviewer": person("ana"), "clock": CLOCK}
    named = {"subject": "alert", "subject_id": "a", "index": AnyPost(), "codebook": CODEBOOK}
    made = reviews.reverse(engine, Judgement(revision=0, verdict="log", codes=()), **given, **named)  # type: ignore[arg-type]

    def undo() -> bool:
        with suppress(Conflict):
            reviews.undo(engine, review_id=made.id, **given)  # type: ignore[arg-type]
            return True
        return False

    assert sum(at_once([undo] * CLIENTS)) == 1


def test_writers_that_point_at_the_same_posts_leave_each_at_its_highest_priority(engine: Engine) -> None:
    keys = [f"f:{number}" for number in range(20)]

    def point(worker: int) -> int:
        found = [entry(key, (worker * 7 + place) % 16 / 16, rule=f"rule-{worker}") for place, key in enumerate(keys)]
        return sum(enqueue(engine, *found[place : place + 5]) for place in range(0, 20, 5))

    assert sum(at_once([lambda n=n: point(n) for n in range(CLIENTS)])) == CLIENTS * 20
    with reading(engine) as connection:
        priorities = dict(connection.execute(select(queue_posts.c.key, queue_posts.c.priority)).all())
    assert priorities == dict.fromkeys(keys, 15 / 16)
    assert all(len(queue.entries(engine, key)) == CLIENTS for key in keys)


# ── the outbox ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_message_is_leased_to_two_couriers_and_each_route_keeps_its_order(engine: Engine) -> None:
    for number in range(10):
        watch(engine, alert(f"a-{number}", 3, review="none"))
    sent: list[tuple[str, str, str]] = []

    def carry() -> None:
        while outbox.next_due(engine) is not None:
            for leased in outbox.lease(engine, outbox.due_routes(engine, clock=CLOCK), limit=2, clock=CLOCK):
                message = leased.message
                sent.append((message.alert, f"{message.partner}/{message.channel}", message.id))
                assert outbox.record(engine, leased, Delivery(result="delivered"), clock=CLOCK, random=lambda: 0.5)

    at_once([carry] * CLIENTS)
    assert max(Counter(sent).values()) == 1
    for number in range(10):
        rows = outbox.of_alert(engine, f"a-{number}")
        delivered = [row for row in rows if row.state == "delivered"]
        assert {row.state for row in rows} <= {"delivered", "cancelled"}, "updates that were never sent are superseded"
        assert all(row.attempts == 1 for row in delivered)
        for route in {row.route for row in delivered}:
            in_order = [row.id for row in delivered if row.route == route]
            assert [name for of, over, name in sent if (of, over) == (f"a-{number}", route)] == in_order


def test_the_outcome_of_a_lost_lease_changes_nothing(engine: Engine) -> None:
    watch(engine, alert("a", review="none"))
    (first, *_) = outbox.lease(engine, ["north/hook"], limit=1, clock=CLOCK)
    outbox.put_back(engine, first, clock=CLOCK)
    (second,) = outbox.lease(engine, ["north/hook"], limit=1, clock=CLOCK)
    assert second.token > first.token
    results = at_once(
        [lambda leased=leased: _delivered(engine, leased) for leased in (first, second) for _ in range(CLIENTS // 2)]
    )
    assert results.count(True) == 1


def _delivered(engine: Engine, leased: outbox.Leased) -> bool:
    return outbox.record(engine, leased, Delivery(result="delivered"), clock=CLOCK, random=lambda: 0.5)


# ── the chain, the people ────────────────────────────────────────────────────────────────────────────────────────


def test_the_audit_chain_is_unbroken_under_sixteen_writers_from_its_first_row_on(engine: Engine) -> None:
    def append(writer: int) -> list[int]:
        numbers = []
        for turn in range(20):
            with writing(engine) as connection:
                given = {"actor": f"p-{writer}", "action": "review", "subject": f"f:{turn}"}
                numbers.append(audit.append(connection, at=START, **given))
        return numbers

    numbers = at_once([lambda n=n: append(n) for n in range(CLIENTS)])
    assert sorted(itertools.chain(*numbers)) == list(range(1, CLIENTS * 20 + 1))
    assert audit.verify(engine) == CLIENTS * 20


def test_of_first_links_made_at_once_one_works(engine: Engine) -> None:
    made = at_once([lambda: people.first_link(engine, clock=CLOCK)] * CLIENTS)
    assert len([token for token in made if token and people.link_role(engine, token, clock=CLOCK)]) == 1


def test_a_login_is_given_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def create() -> bool:
        with suppress(Refused):
            people.create(engine, login="ana", password="a quiet sentence", role="viewer", by="test", clock=CLOCK)
            return True
        return False

    assert sum(at_once([create] * 4)) == 1
    assert len(people.listed(engine)) == 1


def test_of_uses_of_a_password_link_made_at_once_one_works(engine: Engine) -> None:
    people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)
    token, _ = people.password_link(engine, login="ana", by="t", clock=CLOCK)

    def use(password: str) -> bool:
        with suppress(Refused):
            people.use_password_link(engine, token, password=password, clock=CLOCK, then=itself)
            return True
        return False

    words = [f"a quiet sentence {number}" for number in range(4)]
    used = at_once([lambda word=word: use(word) for word in words])
    assert sum(used) == 1
    assert people.sign_in(engine, login="ana", password=words[used.index(True)], clock=CLOCK) is not None


def test_guesses_of_a_known_browser_at_once_are_all_counted(engine: Engine) -> None:
    ana = people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)
    browser = remember_browser(engine, ana.id, former="", clock=CLOCK)

    def guess() -> bool:
        with suppress(Refused):
            people.sign_in(engine, login="ana", password="not it", clock=CLOCK, browser=browser)
            return True
        return False

    assert sum(at_once([guess] * CLIENTS)) == people.FREE_GUESSES


def test_ways_in_and_out_of_one_account_do_not_wait_for_each_other(engine: Engine) -> None:
    password = "a quiet sentence"
    admin = people.create(engine, login="admin", password=password, role="admin", by="t", clock=CLOCK)
    ana = people.create(engine, login="ana", password=password, role="lead", by="t", clock=CLOCK)
    browser = remember_browser(engine, ana.id, former="", clock=CLOCK)

    def link() -> None:
        token, _ = people.password_link(engine, login="ana", by="t", clock=CLOCK)
        people.use_password_link(engine, token, password=password, clock=CLOCK, then=itself)

    def enter(connection: Connection, who: Person) -> None:
        known_browsers.remember(connection, who.id, former=browser, now=CLOCK.now())
        sessions.start(connection, who, now=CLOCK.now())

    def visit() -> None:
        people.signed_in(engine, login="ana", password=password, clock=CLOCK, browser=browser, then=enter)

    def change() -> None:
        people.set_password(engine, person=ana, old=password, new=password, clock=CLOCK, browser=browser)

    def close() -> None:
        for disabled in (True, False):
            people.set_disabled(engine, person_id=ana.id, disabled=disabled, by=admin, clock=CLOCK)

    def often(act: Callable[[], None]) -> None:
        for _ in range(4):
            with suppress(Refused):
                act()

    at_once([lambda act=act: often(act) for act in (link, visit, change, close) * 2])
    assert audit.verify(engine) > 0


NEW = "another quiet sentence"


def new_password(engine: Engine, ana: Person) -> None:
    people.set_password(engine, person=ana, old="a quiet sentence", new=NEW, clock=CLOCK)


def new_password_by_link(engine: Engine, ana: Person) -> None:
    token, _ = people.password_link(engine, login=ana.login, by="t", clock=CLOCK)
    people.use_password_link(engine, token, password=NEW, clock=CLOCK, then=itself)


def closed(engine: Engine, ana: Person) -> None:
    people.set_disabled(engine, person_id=ana.id, disabled=True, by=person("admin", "admin"), clock=CLOCK)


def after_the_look(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Let the account change once, between the look at its password and the transaction that lets in."""
    verified = people._verified

    def verified_and_then_changed(hashed: str, password: str) -> bool:
        right = verified(hashed, password)
        monkeypatch.undo()
        change()
        return right

    monkeypatch.setattr(people, "_verified", verified_and_then_changed)


@pytest.mark.parametrize("ending", [new_password, new_password_by_link, closed])
def test_whoever_signs_in_while_their_account_is_taken_back_has_no_session(
    ending: Callable[[Engine, Person], None], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account changes between the look at the password and the transaction that lets in."""
    ana = people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)
    after_the_look(monkeypatch, partial(ending, engine, ana))
    given = {"login": "ana", "password": "a quiet sentence", "clock": CLOCK}
    assert people.signed_in(engine, **given, then=begin_session) is None  # type: ignore[arg-type]
    assert sessions.open_sessions(engine, ana, clock=CLOCK) == []
    if ending is not closed:
        assert people.sign_in(engine, login="ana", password=NEW, clock=CLOCK) == ana


def test_hash_of_an_older_strength_does_not_take_the_place_of_a_password_that_was_changed_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)
    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash("a quiet sentence")
    with writing(engine) as connection:
        connection.execute(people_rows.update().values(password=weak))
    after_the_look(monkeypatch, partial(new_password_by_link, engine, ana))
    assert people.sign_in(engine, login="ana", password="a quiet sentence", clock=CLOCK) is None
    assert people.sign_in(engine, login="ana", password=NEW, clock=CLOCK) == ana


@pytest.mark.parametrize("ending", [new_password_by_link, closed])
def test_account_that_is_taken_back_while_somebody_is_let_in_ends_their_session(
    ending: Callable[[Engine, Person], None], engine: Engine
) -> None:
    ana = people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)
    inside = threading.Event()

    def enter_slowly(connection: Connection, who: Person) -> None:
        begin_session(connection, who)
        inside.set()
        time.sleep(0.5)

    def enter() -> None:
        given = {"login": "ana", "password": "a quiet sentence", "clock": CLOCK}
        people.signed_in(engine, **given, then=enter_slowly)  # type: ignore[arg-type]

    def end() -> None:
        assert inside.wait(30)
        ending(engine, ana)

    at_once([enter, end])
    assert sessions.open_sessions(engine, ana, clock=CLOCK) == []


def begin_session(connection: Connection, who: Person) -> str:
    return sessions.start(connection, who, now=CLOCK.now())[0]


# ── everything at once ───────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_at_work_at_once_stands_in_nobodys_way(engine: Engine) -> None:
    """Watchers, reviewers, leads, couriers, visitors on the same few alerts and posts. What is refused or in conflict
    is an answer; anything else, a deadlock above all, is an error."""
    turns = 15
    shared = [f"f:{number}" for number in range(30)]
    account = people.create(engine, login="ana", password="a quiet sentence", role="lead", by="t", clock=CLOCK)

    def watcher(partition: int) -> None:
        for turn in range(1, turns + 1):
            found = [alert(f"w{partition}-{n}", turn, review="none" if n % 2 else "required") for n in (3, 1, 0, 2)]
            entries = tuple(entry(key, turn / 20, rule=f"r{partition}-{turn}") for key in reversed(shared))
            watch(engine, *found, partition=partition, entries=entries)

    def reviewer(number: int) -> None:
        who = person(f"r{number}")
        for turn in range(turns):
            held = queue.claim(engine, reviewer=who, clock=CLOCK)
            if held is None:
                continue
            if turn % 5 == 4:
                queue.skip(engine, key=held.key, token=held.token, reviewer=who, clock=CLOCK)
                continue
            given: dict[str, Any] = {"key": held.key, "token": held.token, "index": AnyPost(), "codebook": CODEBOOK}
            judged = Judgement(revision=0, verdict="log", codes=())
            made = reviews.decide(engine, judged, reviewer=who, clock=CLOCK, **given)
            if turn % 5 == 3:
                reviews.undo(engine, review_id=made.id, reviewer=who, clock=CLOCK)

    def lead(number: int) -> None:
        who = person(f"l{number}", "lead")
        for turn, name in zip(
            range(turns), itertools.cycle([f"w{p}-{n}" for p in range(3) for n in range(4)]), strict=False
        ):
            found = book.alert(engine, name)
            if found is None:
                continue
            with suppress(Refused, Conflict):
                done = releases.release(
                    engine,
                    alert_id=name,
                    revision=found.revision,
                    seen=cover_hash(cover_of(found, DISPATCHER.evidence(found))),
                    person=who,
                    codes=("N-PROC-DATE",),
                    note="",
                    dispatcher=DISPATCHER,
                    codebook=CODEBOOK,
                    clock=CLOCK,
                )
                if turn % 3 == 0:
                    releases.undo(engine, release_id=done.id, person=who, clock=CLOCK)
            if turn % 4 == 3:
                with suppress(Refused, Conflict):
                    releases.retract(engine, alert_id=name, person=who, note="", dispatcher=DISPATCHER, clock=CLOCK)

    def courier() -> None:
        for turn in range(turns * 3):
            routes = outbox.due_routes(engine, clock=CLOCK)
            for leased in outbox.lease(engine, routes, limit=3, clock=CLOCK):
                delivery = Delivery(result="dead" if turn % 2 else "delivered")
                outbox.record(engine, leased, delivery, clock=CLOCK, random=lambda: 0.5)

    def visitor() -> None:
        for _ in range(turns):
            secret, session = start_session(engine, account, clock=CLOCK)
            assert sessions.find(engine, secret, clock=CLOCK) is not None
            audit.verify(engine)
            sessions.end(engine, session.id)

    works = [
        *[lambda n=n: watcher(n) for n in range(3)],
        *[lambda n=n: reviewer(n) for n in range(5)],
        *[lambda n=n: lead(n) for n in range(3)],
        *[courier] * 3,
        *[visitor] * 2,
    ]
    at_once(works)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(alerts)).scalar() == 12
        written = connection.execute(select(func.count()).select_from(audit_rows)).scalar()
    assert audit.verify(engine) == written
    assert book.totals(engine) == {"late": 3 * turns, "early": 3 * turns}
