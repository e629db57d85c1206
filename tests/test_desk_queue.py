"""The review queue: order, leases, fencing, and that no post is ever in two hands."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from desk import queue
from desk.database.connect import open_database, writing
from desk.people import DeskRole, Person
from desk.queue import Claim
from desk.refusals import Conflict, Refused
from hustings.clock import SystemClock, VirtualClock
from hustings.types import QueueEntry

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


def person(name: str, role: DeskRole = "reviewer") -> Person:
    return Person(id=name, login=name, pseudonym=f"p-{name}", role=role)


ANA, BEN, LEAD = person("ana"), person("ben"), person("lead", "lead")


def entry(key: str, priority: float = 1.0, *, rule: str = "flagged", probability: float = 1.0) -> QueueEntry:
    reason = f"because of {rule}"
    return QueueEntry(key=key, rule=rule, reason=reason, priority=priority, probability=probability, at=START)


def put(engine: Engine, *entries: QueueEntry, now: datetime = START) -> int:
    with writing(engine) as connection:
        return queue.enqueue(connection, entries, now=now)


def close(engine: Engine, key: str) -> None:
    with writing(engine) as connection:
        queue.close(connection, key=key, now=START)


def take(engine: Engine, who: Person, clock: VirtualClock) -> Claim:
    held = queue.claim(engine, reviewer=who, clock=clock)
    assert held is not None
    return held


def test_empty_queue_hands_out_nothing(engine: Engine, clock: VirtualClock) -> None:
    assert queue.claim(engine, reviewer=ANA, clock=clock) is None


def test_highest_priority_comes_first(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 1), entry("f:3", 3), entry("f:2", 2))
    assert [take(engine, person(str(n)), clock).key for n in range(3)] == ["f:3", "f:2", "f:1"]
    assert queue.claim(engine, reviewer=ANA, clock=clock) is None


def test_post_is_shown_once_with_every_reason(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 1, rule="sample", probability=0.02), entry("f:1", 5, rule="threat"), entry("f:2", 3))
    held = take(engine, ANA, clock)
    assert held.key == "f:1"
    assert [(e.rule, e.priority, e.probability) for e in held.entries] == [("threat", 5, 1.0), ("sample", 1, 0.02)]
    assert queue.depth(engine, clock=clock).waiting == 1


def test_same_entry_again_changes_nothing(engine: Engine, clock: VirtualClock) -> None:
    assert put(engine, entry("f:1")) == 1
    close(engine, "f:1")
    assert put(engine, entry("f:1"), entry("f:1")) == 0
    assert queue.claim(engine, reviewer=ANA, clock=clock) is None


def test_later_entry_of_another_rule_raises_a_waiting_post(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 1), entry("f:2", 2))
    put(engine, entry("f:1", 9, rule="threat"))
    assert take(engine, ANA, clock).key == "f:1"


def test_later_entry_of_another_rule_opens_a_decided_post_again(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    close(engine, "f:1")
    put(engine, entry("f:1", rule="threat"))
    assert take(engine, ANA, clock).key == "f:1"


def test_claiming_again_gives_the_post_that_is_held(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 1), entry("f:2", 2))
    assert take(engine, ANA, clock) == take(engine, ANA, clock)


def test_lease_ends_after_ten_minutes_and_its_token_with_it(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    first = take(engine, ANA, clock)
    clock.advance(timedelta(minutes=9, seconds=59))
    assert queue.claim(engine, reviewer=BEN, clock=clock) is None
    clock.advance(timedelta(seconds=1))
    second = take(engine, BEN, clock)
    assert second.token > first.token
    with pytest.raises(Conflict, match="handed to somebody else"):
        queue.renew(engine, first, clock=clock)


def test_lease_that_ran_out_is_not_renewed(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    held = take(engine, ANA, clock)
    clock.advance(timedelta(minutes=10))
    with pytest.raises(Conflict, match="ten minutes"):
        queue.renew(engine, held, clock=clock)


def test_renewed_lease_lasts_from_now(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    held = take(engine, ANA, clock)
    clock.advance(timedelta(minutes=9))
    assert queue.renew(engine, held, clock=clock).leased_until == START + timedelta(minutes=19)
    clock.advance(timedelta(minutes=9))
    assert queue.claim(engine, reviewer=BEN, clock=clock) is None


def test_skipping_after_a_lost_lease_takes_nothing_from_its_new_holder(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    lost = take(engine, ANA, clock)
    clock.advance(timedelta(minutes=11))
    held = take(engine, BEN, clock)
    queue.skip(engine, key=lost.key, token=lost.token, reviewer=ANA, clock=clock)
    assert take(engine, BEN, clock) == held


def test_skipped_post_goes_to_others_but_not_to_who_skipped_it(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 9), entry("f:2", 1))
    held = take(engine, ANA, clock)
    queue.skip(engine, key=held.key, token=held.token, reviewer=ANA, clock=clock)
    assert take(engine, ANA, clock).key == "f:2"
    assert take(engine, BEN, clock).key == "f:1"


def test_waiting_raises_priority_so_that_nothing_starves(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:old", 0), now=START)
    later = START + timedelta(hours=11)
    put(engine, *(entry(f"f:{n}", 1.0) for n in range(20)), now=later)
    clock.set(later)
    assert take(engine, ANA, clock).key == "f:old"


def test_flood_of_urgent_posts_passes_a_fresh_calm_one(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:calm", 0), now=START)
    put(engine, entry("f:urgent", 1.0), now=START + timedelta(hours=9))
    assert take(engine, ANA, clock).key == "f:urgent"


def test_oldest_of_a_steady_overload_is_never_older_than_its_priority_lag(engine: Engine, clock: VirtualClock) -> None:
    """Ten posts of priority 0 to 0.9 an hour, five read an hour: the oldest read by then waited at most as many hours
    as the backlog is deep plus the largest difference of priorities."""
    oldest = timedelta(0)
    queued: dict[str, datetime] = {}
    for hour in range(24):
        found = [entry(f"f:{hour}-{n}", n / 10) for n in range(10)]
        queued |= {e.key: clock.now() for e in found}
        put(engine, *found, now=clock.now())
        for _ in range(5):
            held = take(engine, ANA, clock)
            oldest = max(oldest, clock.now() - queued[held.key])
            close(engine, held.key)
        clock.advance(timedelta(hours=1))
    assert oldest >= timedelta(hours=3)
    assert oldest <= timedelta(hours=12 + 9)


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 10**6)), min_size=2, max_size=20), st.integers(0, 10**6))
def test_rank_orders_as_aged_priority_does_at_any_time(posts: list[tuple[float, int]], later: int) -> None:
    def aged(priority: float, second: int) -> float:
        return priority + queue.AGEING_PER_HOUR * (later - second) / 3600

    def ranked(priority: float, second: int) -> float:
        return queue.rank(priority, START + timedelta(seconds=second))

    for one in posts:
        for other in posts:
            if abs(aged(*one) - aged(*other)) > 1e-6:
                assert (aged(*one) > aged(*other)) == (ranked(*one) > ranked(*other))


def test_pinned_post_comes_before_everything(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 9), entry("f:2", 1))
    queue.pin(engine, key="f:2", pinned=True, by=LEAD, clock=clock)
    assert take(engine, ANA, clock).key == "f:2"


def test_only_a_lead_pins(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1"))
    with pytest.raises(Refused, match="a reviewer may not pin"):
        queue.pin(engine, key="f:1", pinned=True, by=ANA, clock=clock)
    with pytest.raises(Refused, match="not in the queue"):
        queue.pin(engine, key="f:9", pinned=True, by=LEAD, clock=clock)


def test_one_certain_post_can_be_claimed(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 9), entry("f:2", 1))
    assert queue.claim_post(engine, key="f:2", reviewer=ANA, clock=clock).key == "f:2"
    with pytest.raises(Conflict, match="somebody else"):
        queue.claim_post(engine, key="f:2", reviewer=BEN, clock=clock)
    with pytest.raises(Refused, match="does not wait"):
        queue.claim_post(engine, key="f:3", reviewer=BEN, clock=clock)


def test_depth_and_head_of_the_queue(engine: Engine, clock: VirtualClock) -> None:
    put(engine, entry("f:1", 1), entry("f:2", 2), entry("f:3", 3))
    take(engine, ANA, clock)
    assert queue.depth(engine, clock=clock) == queue.Depth(waiting=2, claimed=1, oldest=START)
    assert [one.key for one in queue.waiting(engine, clock=clock)] == ["f:2", "f:1"]


def test_thousand_claims_by_sixteen_threads_double_none_of_a_hundred_posts(engine: Engine) -> None:
    put(engine, *(entry(f"f:{n}", n % 7) for n in range(100)))
    clock = SystemClock()

    def claim(number: int) -> str | None:
        held = queue.claim(engine, reviewer=person(str(number)), clock=clock)
        return None if held is None else held.key

    with ThreadPoolExecutor(16) as pool:
        taken = Counter(pool.map(claim, range(1000)))
    assert taken.pop(None) == 900
    assert len(taken) == 100
    assert set(taken.values()) == {1}


CLAIM_ALL = """
import sys
from desk import queue
from desk.database.connect import open_database
from desk.people import Person
from hustings.clock import SystemClock

url, number = sys.argv[1:]
engine = open_database(url)
turn = 0
while True:
    name = f"{number}-{turn}"
    held = queue.claim(
        engine, reviewer=Person(id=name, login=name, pseudonym=name, role="reviewer"), clock=SystemClock()
    )
    if held is None:
        break
    print(held.key, flush=True)
    turn += 1
engine.dispose()
"""


def test_claims_by_several_processes_double_none(desk_url: str) -> None:
    url = desk_url
    engine = open_database(url)
    put(engine, *(entry(f"f:{n}", n % 7) for n in range(100)))
    engine.dispose()
    processes = [
        subprocess.Popen([sys.executable, "-c", CLAIM_ALL, url, str(number)], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    taken = [line for process in processes for line in process.communicate(timeout=60)[0].split()]
    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(taken) == sorted(f"f:{n}" for n in range(100))
