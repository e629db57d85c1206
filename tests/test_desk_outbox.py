"""The outbox: order, leases, retries; and the courier, whose slow routes delay nobody else."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts.channels.file import FileChannel
from desk import audit, outbox
from desk.database.connect import open_database, writing
from desk.database.tables import alerts, releases
from desk.deliver import Courier
from desk.outbox import Leased
from desk.people import Person
from desk.refusals import Refused
from hustings.clock import SystemClock, VirtualClock
from hustings.contracts import Delivery, Message
from ingest.egress import EgressSettings, GuardedEgress

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
DELIVERED = Delivery(result="delivered", detail="HTTP 204")


def half() -> float:
    return 0.5


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def engine(desk_url: str) -> Iterator[Engine]:
    engine = open_database(desk_url)
    with writing(engine) as connection:
        for name in ("a-1", "a-2"):
            connection.execute(
                alerts.insert().values(
                    id=name,
                    rule="r",
                    rule_name="r",
                    state="open",
                    revision=1,
                    severity="low",
                    tlp="GREEN",
                    shadow=False,
                    detected_at=START,
                    partition=0,
                    epoch=1,
                    value=b"{}",
                )
            )
        connection.execute(
            releases.insert().values(
                id="rel",
                alert="a-1",
                action="release",
                state="done",
                revision=1,
                cover="{}",
                codes="[]",
                note="",
                proposed_by="p-1",
                proposed_role="lead",
                proposed_at=START,
            )
        )
    yield engine
    engine.dispose()


def message(
    name: str, *, partner: str = "north", channel: str = "hook", alert: str = "a-1", kind: str = "open"
) -> Message:
    return Message(
        id=name,
        partner=partner,
        channel=channel,
        alert=alert,
        kind=kind,
        tlp="GREEN",
        title=name,
        text=name,
        body=b'{"id":"' + name.encode() + b'"}',
        at=START,
    )


def put(engine: Engine, *messages: Message, due_at: datetime = START, now: datetime = START) -> int:
    with writing(engine) as connection:
        return outbox.add(connection, messages, release="rel", now=now, due_at=due_at)


def take(engine: Engine, clock: VirtualClock, *, limit: int = 10) -> list[Leased]:
    return outbox.lease(engine, outbox.due_routes(engine, clock=clock), limit=limit, clock=clock)


def finish(engine: Engine, leased: Leased, delivery: Delivery, clock: VirtualClock) -> bool:
    return outbox.record(engine, leased, delivery, clock=clock, random=half)


def states(engine: Engine, alert: str = "a-1") -> dict[str, str]:
    return {row.id: row.state for row in outbox.of_alert(engine, alert)}


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_empty_outbox_has_nothing_due(engine: Engine, clock: VirtualClock) -> None:
    assert outbox.due_routes(engine, clock=clock) == set()
    assert outbox.next_due(engine) is None


def test_message_is_queued_once_by_its_id(engine: Engine, clock: VirtualClock) -> None:
    assert put(engine, message("m-1")) == 1
    assert put(engine, message("m-1")) == 0
    assert [leased.message for leased in take(engine, clock)] == [message("m-1")]


def test_row_is_not_due_before_its_time(engine: Engine, clock: VirtualClock) -> None:
    later = START + timedelta(seconds=10)
    put(engine, message("m-1"), due_at=later)
    assert outbox.due_routes(engine, clock=clock) == set()
    assert outbox.next_due(engine) == later
    clock.set(later)
    assert outbox.due_routes(engine, clock=clock) == {"north/hook"}


def test_leased_row_is_nobody_elses_until_the_lease_ends(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"))
    first = take(engine, clock)[0]
    assert take(engine, clock) == []
    clock.advance(outbox.LEASE)
    second = take(engine, clock)[0]
    assert (first.attempt, second.attempt) == (1, 2)
    assert second.token > first.token
    assert second.message == first.message


def test_outcome_after_a_lost_lease_changes_nothing(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"))
    lost = take(engine, clock)[0]
    clock.advance(outbox.LEASE)
    held = take(engine, clock)[0]
    assert not finish(engine, lost, Delivery(result="dead"), clock)
    assert finish(engine, held, DELIVERED, clock)
    assert not finish(engine, held, Delivery(result="dead"), clock)
    assert states(engine) == {"m-1": "delivered"}


def test_rows_of_one_alert_and_route_go_one_after_the_other(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"), message("m-2", kind="resolve"))
    first = take(engine, clock)
    assert [leased.message.id for leased in first] == ["m-1"]
    finish(engine, first[0], Delivery(result="retry"), clock)
    assert take(engine, clock) == []
    assert outbox.due_routes(engine, clock=clock) == set()
    clock.advance(timedelta(seconds=5))
    finish(engine, take(engine, clock)[0], DELIVERED, clock)
    assert [leased.message.id for leased in take(engine, clock)] == ["m-2"]


def test_dead_row_does_not_hold_back_the_next(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"), message("m-2", kind="resolve"))
    finish(engine, take(engine, clock)[0], Delivery(result="dead", detail="HTTP 410"), clock)
    assert [leased.message.id for leased in take(engine, clock)] == ["m-2"]


def test_other_alerts_and_routes_do_not_wait_for_each_other(engine: Engine, clock: VirtualClock) -> None:
    put(
        engine, message("m-1"), message("m-2", alert="a-2"), message("m-3", channel="file"), message("m-4", partner="s")
    )
    assert sorted(leased.message.id for leased in take(engine, clock)) == ["m-1", "m-2", "m-3", "m-4"]


def test_full_route_leaves_its_share_to_others(engine: Engine, clock: VirtualClock) -> None:
    many = [message(f"m-{n}", alert=f"a-{1 + n % 2}", channel="hook") for n in range(2)]
    put(engine, *many, message("m-9", channel="file"))
    assert sorted(leased.message.id for leased in take(engine, clock, limit=1)) == ["m-0", "m-9"]


def test_put_back_row_is_due_at_once_and_the_attempt_does_not_count(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"))
    outbox.put_back(engine, take(engine, clock)[0], clock=clock)
    assert states(engine) == {"m-1": "queued"}
    assert take(engine, clock)[0].attempt == 1


def waits(engine: Engine, clock: VirtualClock, random: Callable[[], float], delivery: Delivery) -> list[timedelta]:
    """The waits between attempts until the row is dead."""
    put(engine, message("m-1"))
    found = []
    while True:
        outbox.record(engine, take(engine, clock)[0], delivery, clock=clock, random=random)
        due = outbox.next_due(engine)
        if due is None:
            return found
        found.append(due - clock.now())
        clock.set(due)


def test_retries_follow_the_plan_and_then_the_row_is_dead(engine: Engine, clock: VirtualClock) -> None:
    found = waits(engine, clock, half, Delivery(result="retry", detail="HTTP 503"))
    assert found == [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
    ]
    assert states(engine) == {"m-1": "dead"}
    assert audit.latest(engine)[0].action == "delivery-dead"


@pytest.mark.parametrize(("drawn", "factor"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_wait_is_jittered_by_a_fifth(drawn: float, factor: float, engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"))
    retry = Delivery(result="retry")
    outbox.record(engine, take(engine, clock)[0], retry, clock=clock, random=lambda: drawn)
    assert outbox.next_due(engine) == START + timedelta(seconds=5) * factor


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(seconds=1), timedelta(seconds=5)),
        (timedelta(minutes=3), timedelta(minutes=3)),
        (timedelta(days=365), timedelta(hours=24)),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(
    asked: timedelta, given: timedelta, engine: Engine, clock: VirtualClock
) -> None:
    put(engine, message("m-1"))
    finish(engine, take(engine, clock)[0], Delivery(result="retry", retry_after=asked), clock)
    assert outbox.next_due(engine) == START + given


def test_dead_row_is_sent_again_when_a_person_asks(engine: Engine, clock: VirtualClock) -> None:
    put(engine, message("m-1"))
    finish(engine, take(engine, clock)[0], Delivery(result="dead"), clock)
    reviewer = Person(id="r", login="r", pseudonym="p-r", role="reviewer")
    engineer = Person(id="e", login="e", pseudonym="p-e", role="engineer")
    with pytest.raises(Refused, match="a reviewer may not"):
        outbox.requeue(engine, row_id="m-1", by=reviewer, clock=clock)
    outbox.requeue(engine, row_id="m-1", by=engineer, clock=clock)
    assert take(engine, clock)[0].attempt == 2  # the former one may have reached somebody
    with pytest.raises(Refused, match="not dead"):
        outbox.requeue(engine, row_id="m-1", by=engineer, clock=clock)


def test_row_says_what_exactly_was_sent(engine: Engine, clock: VirtualClock) -> None:
    import hashlib

    put(engine, message("m-1"))
    finish(engine, take(engine, clock)[0], DELIVERED, clock)
    row = outbox.of_alert(engine, "a-1")[0]
    assert row.sha256 == hashlib.sha256(message("m-1").body).hexdigest()
    assert (row.detail, row.finished_at, row.attempts) == ("HTTP 204", START, 1)
    assert outbox.counts(engine) == {"delivered": 1}


# ── courier ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Post:
    """A channel that answers what it is told and remembers what it was given."""

    name = "post"

    def __init__(self, *answers: Delivery, gate: threading.Event | None = None) -> None:
        self._answers = itertools.chain(answers, itertools.repeat(DELIVERED))
        self._gate = gate
        self.sent: list[str] = []
        self.closed = False

    def send(self, message: Message, *, now: datetime) -> Delivery:
        if self._gate is not None:
            self._gate.wait(20)
        self.sent.append(message.id)
        return next(self._answers)

    def close(self) -> None:
        self.closed = True


class Broken(Post):
    """A channel that breaks its contract."""

    def send(self, message: Message, *, now: datetime) -> Delivery:
        raise ValueError("whsec_secret")


@pytest.fixture
def courier(engine: Engine, clock: VirtualClock) -> Iterator[Callable[..., Courier]]:
    hired: list[Courier] = []

    def hire(**channels: Post) -> Courier:
        by_route = {f"north/{name}": channel for name, channel in channels.items()}
        hired.append(Courier(engine, by_route, clock=clock, random=half))
        return hired[-1]

    yield hire
    for each in hired:
        each.close()


def test_courier_sends_what_is_due_and_records_it(engine: Engine, courier: Callable[..., Courier]) -> None:
    hook = Post()
    put(engine, message("m-1"), message("m-2", alert="a-2"))
    hired = courier(hook=hook)
    assert hired.deliver_once(patience_s=5) == 2
    assert hook.sent == ["m-1", "m-2"]
    assert states(engine) == {"m-1": "delivered"}
    assert hired.deliver_once() == 0


def test_rows_of_a_route_that_is_not_configured_wait(engine: Engine, courier: Callable[..., Courier]) -> None:
    put(engine, message("m-1"))
    assert courier(other=Post()).deliver_once(patience_s=1) == 0
    assert states(engine) == {"m-1": "queued"}


def test_channel_that_raises_is_retried_and_its_words_are_not_kept(
    engine: Engine, courier: Callable[..., Courier]
) -> None:
    put(engine, message("m-1"))
    assert courier(hook=Broken()).deliver_once(patience_s=5) == 1
    row = outbox.of_alert(engine, "a-1")[0]
    assert (row.state, row.detail) == ("retrying", "the channel raised ValueError")


def test_slow_channel_delays_no_other(engine: Engine, clock: VirtualClock, courier: Callable[..., Courier]) -> None:
    gate = threading.Event()
    slow, quick = Post(gate=gate), Post()
    hired = courier(slow=slow, quick=quick)
    put(engine, message("s-1", channel="slow"), message("q-1", channel="quick"))
    hired.deliver_once(patience_s=0.2)
    put(engine, message("q-2", channel="quick", alert="a-2"))
    deadline = time.monotonic() + 10
    while len(quick.sent) < 2 and time.monotonic() < deadline:
        hired.deliver_once(patience_s=0.05)
    assert quick.sent == ["q-1", "q-2"]
    assert slow.sent == []
    gate.set()
    hired.drain()
    assert slow.sent == ["s-1"]


def test_courier_that_stops_puts_unsent_rows_back(engine: Engine, clock: VirtualClock) -> None:
    gate = threading.Event()
    slow = Post(gate=gate)
    hired = Courier(engine, {"north/hook": slow}, clock=clock, random=half)
    put(engine, message("m-1"), message("m-2", alert="a-2"))
    hired.deliver_once(patience_s=0.05)
    closing = threading.Thread(target=hired.close)
    closing.start()
    time.sleep(0.1)
    gate.set()
    closing.join(10)
    assert (slow.sent, slow.closed) == (["m-1"], True)
    assert (states(engine), states(engine, "a-2")) == ({"m-1": "delivered"}, {"m-2": "queued"})


def test_crash_between_sending_and_recording_repeats_one_message_under_its_id(
    engine: Engine, clock: VirtualClock, courier: Callable[..., Courier], tmp_path: Path
) -> None:
    path = tmp_path / "alerts.jsonl"
    channel = FileChannel("file", FileChannel.Settings(path=path), egress=GuardedEgress(EgressSettings()))
    put(engine, message("m-1"), message("m-2", alert="a-2"))
    channel.send(take(engine, clock)[0].message, now=START)  # and here the process dies
    clock.advance(outbox.LEASE)
    assert courier(hook=channel).deliver_once(patience_s=5) == 2
    assert len(path.read_text().splitlines()) == 2
    assert set(states(engine).values()) == {"delivered"}


def test_courier_sends_nothing_of_an_alert_that_was_retracted_while_the_message_waited_its_turn(
    engine: Engine, courier: Callable[..., Courier]
) -> None:
    gate = threading.Event()
    slow = Post(gate=gate)
    hired = courier(hook=slow)
    put(engine, message("m-1"), message("m-2", alert="a-2"))
    hired.deliver_once(patience_s=0.05)
    with writing(engine) as connection:
        connection.execute(alerts.update().where(alerts.c.id == "a-2").values(state="retracted"))
    gate.set()
    hired.drain()
    hired.deliver_once()
    assert (slow.sent, states(engine, "a-2")) == (["m-1"], {"m-2": "cancelled"})


def test_two_couriers_send_each_message_once(tmp_path: Path, engine: Engine) -> None:
    posts = [Post(), Post()]
    couriers = [Courier(engine, {"north/hook": post}, clock=SystemClock(), random=random.random) for post in posts]
    put(engine, *(message(f"m-{n}", alert=f"a-{1 + n % 2}", kind="open") for n in range(40)))
    stop = time.monotonic() + 20

    def work(hired: Courier) -> None:
        while outbox.counts(engine).get("delivered", 0) < 40 and time.monotonic() < stop:
            hired.deliver_once(patience_s=1)

    threads = [threading.Thread(target=work, args=(hired,)) for hired in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for hired in couriers:
        hired.close()
    sent = posts[0].sent + posts[1].sent
    assert sorted(sent) == sorted(f"m-{n}" for n in range(40))
