"""Works through a list of faults and kills while an election runs, and measures how long each was felt."""

from __future__ import annotations

import random
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Literal

import msgspec

from bench.drill_cluster.election import Election, patiently, wait_until
from bench.drill_cluster.faults import Fault
from bench.drill_cluster.standing import SetBack
from hustings.errors import Unavailable

__all__ = ["Felt", "Kill", "disturb"]

KILL_EVERY_S = (0.1, 1.0)
RECOVERS_WITHIN_S = 120.0
LEAST_LEFT = 0.08
"""Share of an election that must be ahead when a server is struck: else nobody would feel it."""
IN_FLIGHT_S = 0.5
"""What was on its way when a fault struck arrives within this, and is no sign of recovery."""
LOOK_EVERY_S = 0.1


class Kill(msgspec.Struct, frozen=True):
    """kill -9 of any worker that is at work."""


class Felt(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: seconds from its strike until work went on, and from its mending; a worker that was killed is back at
    work when it gives a sign of life. `problem` is empty when all is as it should be."""

    name: str
    kind: Literal["worker", "fault"]
    recovered_s: float | None
    after_mending_s: float | None = None
    problem: str = ""


class _Killed(msgspec.Struct, frozen=True):
    worker: str
    pid: int
    at: float


def disturb(
    election: Election, plan: deque[Fault | Kill], *, rng: random.Random, until: float, tell: Callable[[Felt], None]
) -> list[Felt]:
    """Take from the front of `plan` what this election can still feel, until the time `until` (monotonic) at most."""
    felt: list[Felt] = []
    waiting: list[_Killed] = []

    def note(one: Felt) -> None:
        felt.append(one)
        tell(one)

    _wait_for_work(election)
    while plan and election.is_running and time.monotonic() < until:
        due = plan[0]
        if isinstance(due, Fault):
            for back in _all_back(election, waiting):
                note(back)
            if not _is_worth_it(election):
                break
            plan.popleft()
            note(_strike(election, due))
        else:
            if _left(election) == 0:
                break
            time.sleep(rng.uniform(*KILL_EVERY_S))
            killed = _kill_one(election, rng, besides=[one.worker for one in waiting])
            if killed is not None:
                plan.popleft()
                waiting.append(killed)
            for back in _back(election, waiting):
                note(back)
    for back in _all_back(election, waiting):
        note(back)
    return felt


# ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _kill_one(election: Election, rng: random.Random, *, besides: list[str]) -> _Killed | None:
    """One that is at work; a process that has not begun has nothing to lose."""
    try:
        ready = sorted(election.ready().keys() - set(besides))
    except Unavailable:
        return None
    if not ready:
        return None
    worker = rng.choice(ready)
    pid = election.signal(worker, signal.SIGKILL)
    return None if pid is None else _Killed(worker, pid, time.monotonic())


def _back(election: Election, waiting: list[_Killed]) -> list[Felt]:
    """Those that are at work again, as another process; they are taken from `waiting`."""
    try:
        ready = election.ready()
    except Unavailable:
        return []
    found = [one for one in waiting if ready.get(one.worker, one.pid) != one.pid]
    waiting[:] = [one for one in waiting if one not in found]
    return [
        Felt(name=f"{one.worker.partition('-')[0]} worker", kind="worker", recovered_s=time.monotonic() - one.at)
        for one in found
    ]


def _all_back(election: Election, waiting: list[_Killed]) -> list[Felt]:
    found: list[Felt] = []
    deadline = time.monotonic() + RECOVERS_WITHIN_S
    while waiting and time.monotonic() < deadline:
        found += _back(election, waiting)
        time.sleep(LOOK_EVERY_S)
    found += [
        Felt(name=f"{one.worker} killed", kind="worker", recovered_s=None, problem="was not back in time")
        for one in waiting
    ]
    waiting.clear()
    return found


# ── servers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _strike(election: Election, fault: Fault) -> Felt:
    """Strike, mend, wait until every partition goes on, and look at the books."""
    recovered: float | None = None
    before = patiently(lambda: election.positions(fault.topic))
    try:
        with ExitStack() as mended_after:
            patiently(lambda: mended_after.enter_context(fault.strike(election)))
            struck = time.monotonic()
            time.sleep(IN_FLIGHT_S)
            with suppress(Unavailable):  # then nothing went on since
                before = election.positions(fault.topic)
            mend_at = time.monotonic() + random.uniform(*fault.lasts_s)
            while time.monotonic() < mend_at:
                if recovered is None and election.has_moved(fault.topic, before):
                    recovered = time.monotonic()
                time.sleep(LOOK_EVERY_S)
            mending = time.monotonic()
    except SetBack as set_back:
        return Felt(name=fault.name, kind="fault", recovered_s=None, problem=str(set_back))
    deadline = time.monotonic() + RECOVERS_WITHIN_S
    while recovered is None and time.monotonic() < deadline:
        if election.has_moved(fault.topic, before):
            recovered = time.monotonic()
        time.sleep(LOOK_EVERY_S)
    problem = "" if recovered else f"nothing went on within {RECOVERS_WITHIN_S:.0f} s"
    if not problem and not election.books_balance():
        problem = "the books do not balance"
    return Felt(
        name=fault.name,
        kind="fault",
        recovered_s=recovered and recovered - struck,
        after_mending_s=recovered and max(0.0, recovered - mending),
        problem=problem,
    )


def _left(election: Election) -> int:
    return patiently(election.remaining)


def _is_worth_it(election: Election) -> bool:
    return _left(election) >= LEAST_LEFT * election.demo.expected


def _wait_for_work(election: Election) -> None:
    """Until the first posts are in the index: workers that only begin have nothing to lose."""
    wait_until(lambda: not election.is_running or _left(election) < election.demo.expected, within_s=RECOVERS_WITHIN_S)
