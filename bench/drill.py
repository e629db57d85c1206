"""Crash drill: kill -9 (and SIGSTOP past the lease) of every loop while the synthetic election runs.

    python -m bench.drill --kills 200

Each round runs one election to its end under kills and compares the stores with an undisturbed run of the same
election: every post once, every alert with the same id and state, every outbox row once, every message delivered. The
negative control commits its position before it writes; it must lose posts, else the drill proves nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from desk import outbox
from runtime import build
from runtime.demo.run import EVERYTHING, Demo
from runtime.events import Events
from runtime.loops import LOOPS
from runtime.stop import Stop
from runtime.supervisor import Child, Supervisor, loop_command

POSTS = 6_000
"""A small election, so that a round has many restarts for its size."""
KILLS_A_ROUND = 40
KILL_EVERY_S = (0.1, 1.1)
KILL_AT_WORK_S = (0.03, 0.3)
STOPPED_S = 40.0
"""Longer than any lease."""
RESTART_PAUSE_S = 0.2
"""The drill wants restarts at once: growing pauses would only make it long."""
ROUND_LIMIT_S = 420.0
CONTROL_LIMIT_S = 60.0
"""What the control has lost never arrives, so its run is ended by the clock."""


class Outcome(NamedTuple):
    """What stands in the stores after a run. Sets are compared, never counters of processes."""

    posts: frozenset[tuple[str, int]]
    balanced: bool
    alerts: frozenset[tuple[str, str, int]]
    rows: Counter[str]
    undelivered: int
    received: int
    distinct: int
    dead_letters: frozenset[str]


class Chaos(threading.Thread):
    """Kills a random loop at random moments until out of kills. With `work`, a number that rises as the victim works,
    only after it has risen since the last kill: a process that has not begun has nothing to lose."""

    def __init__(
        self,
        supervisor: Supervisor,
        *,
        rng: random.Random,
        kills: int,
        victims: tuple[str, ...],
        work: Callable[[], int] | None = None,
    ) -> None:
        super().__init__(daemon=True, name="chaos")
        self._supervisor = supervisor
        self._rng = rng
        self._left = kills
        self._victims = victims
        self._work = work
        self.killed: Counter[str] = Counter()
        self._over = threading.Event()

    def run(self) -> None:
        worked = self._work() if self._work else 0
        while self._left > 0 and not self._over.wait(
            self._rng.uniform(*(KILL_AT_WORK_S if self._work else KILL_EVERY_S))
        ):
            if self._work:
                before, worked = worked, self._work()
                if worked == before:
                    continue
            name = self._rng.choice(self._victims)
            pid = self._supervisor.pids().get(name)
            if pid is not None and _signal(pid, signal.SIGKILL):
                self.killed[name] += 1
                self._left -= 1

    def stop(self) -> None:
        self._over.set()
        self.join()


class Freeze(threading.Thread):
    """Stops one loop for longer than its lease, then lets it go on: a zombie that wakes up."""

    def __init__(self, supervisor: Supervisor, name: str, *, after_s: float) -> None:
        super().__init__(daemon=True, name="freeze")
        self._supervisor = supervisor
        self._name = name
        self._after_s = after_s
        self.frozen = False

    def run(self) -> None:
        time.sleep(self._after_s)
        pid = self._supervisor.pids().get(self._name)
        if pid is not None and _signal(pid, signal.SIGSTOP):
            self.frozen = True
            time.sleep(STOPPED_S)
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def supervise(control: bool) -> Callable[[Path, Events], Supervisor]:
    """A supervisor with short pauses; `control` swaps in the analyze loop that commits first."""

    def of(path: Path, events: Events) -> Supervisor:
        commands = {loop: loop_command(loop, path) for loop in LOOPS}
        if control:
            commands["analyze"] = [sys.executable, "-P", "-m", "bench.control_analyze", str(path), str(os.getpid())]
        children = [Child(loop, command, longest_pause_s=RESTART_PAUSE_S) for loop, command in commands.items()]
        return Supervisor(children, events=events)

    return of


def run_election(
    folder: Path,
    *,
    seed: int,
    rng: random.Random,
    kills: int = 0,
    victims: tuple[str, ...] = LOOPS,
    freeze: str = "",
    control: bool = False,
) -> tuple[Outcome, Counter[str], float]:
    """One election from start to end: what stands in the stores, who was killed, and the seconds it took."""
    with ExitStack() as closing:
        demo = Demo(folder, seed=seed, posts=POSTS, desk_port=0, closing=closing, supervise=supervise(control))
        work = (lambda: sum(demo.index.positions("posts").values())) if control else None
        chaos = Chaos(demo.supervisor, rng=rng, kills=kills, victims=victims, work=work)
        freezing = Freeze(demo.supervisor, freeze, after_s=2.0) if freeze else None
        stop = Stop()
        limit_s = CONTROL_LIMIT_S if control else ROUND_LIMIT_S
        limit = threading.Timer(limit_s, stop.ask)
        limit.daemon = True
        limit.start()
        began = time.monotonic()
        chaos.start()
        if freezing:
            freezing.start()
        demo.run(
            stop=stop,
            tell=lambda progress: None,
            disturbed=lambda: (chaos.is_alive() and not control) or (freezing is not None and freezing.is_alive()),
        )
        seconds = time.monotonic() - began
        limit.cancel()
        chaos.stop()
        if stop.asked and not control:
            print(f"  round stopped after {limit_s:.0f} s: {demo.progress()}")
        return outcome(demo), chaos.killed, seconds


def outcome(demo: Demo) -> Outcome:
    """Read everything from the stores."""
    from ingest.dead_letters import read_dead_letters
    from runtime.status import books_of

    assessments = build.pages(demo.index, EVERYTHING, limit=10_000_000)
    alerts = demo.alerts()
    rows = Counter(row.id for alert in alerts for row in outbox.of_alert(demo.engine, alert.id))
    counts = outbox.counts(demo.engine)
    return Outcome(
        posts=frozenset((a.key, a.post.revision) for a in assessments),
        balanced=books_of(demo.log, demo.index).balanced,
        alerts=frozenset((alert.id, alert.state, len(alert.evidence)) for alert in alerts),
        rows=rows,
        undelivered=sum(counts.get(state, 0) for state in ("queued", "sending", "retrying", "dead")),
        received=len(demo.receiver.received),
        distinct=demo.receiver.distinct,
        dead_letters=frozenset(letter.id for letter in read_dead_letters(demo.log)),
    )


def differences(expected: Outcome, found: Outcome) -> list[str]:
    """In words, what a disturbed run lost, doubled or changed against the undisturbed one."""
    problems = []
    if lost := expected.posts - found.posts:
        problems.append(f"{len(lost)} posts lost")
    if extra := found.posts - expected.posts:
        problems.append(f"{len(extra)} posts that should not be there")
    if not found.balanced:
        problems.append("the books do not balance")
    if lost_alerts := expected.alerts - found.alerts:
        problems.append(f"{len(lost_alerts)} alerts lost or different")
    if extra_alerts := found.alerts - expected.alerts:
        problems.append(f"{len(extra_alerts)} alerts that should not be there")
    if doubled := [identity for identity, count in found.rows.items() if count > 1]:
        problems.append(f"{len(doubled)} outbox rows doubled")
    if found.undelivered:
        problems.append(f"{found.undelivered} outbox rows not delivered")
    if len(expected.dead_letters) != len(found.dead_letters):
        problems.append(f"{len(found.dead_letters)} dead letters, not {len(expected.dead_letters)}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills altogether")
    parser.add_argument("--seed", type=int, default=1, help="of the kills' moments")
    parser.add_argument("--no-freeze", action="store_true", help="leave out the rounds with a stopped process")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    failures: list[str] = []
    killed: Counter[str] = Counter()
    repeats = 0
    with tempfile.TemporaryDirectory(prefix="hustings-drill-") as temporary:
        folder = Path(temporary) / "demo"
        print("undisturbed run for comparison …", flush=True)
        expected, _, seconds = run_election(folder, seed=7, rng=rng)
        sizes = f"{len(expected.posts)} posts, {len(expected.alerts)} alerts, {len(expected.rows)} outbox rows"
        print(f"  {sizes}, {seconds:.0f} s")
        number = 0
        while killed.total() < given.kills:
            number += 1
            kills = min(KILLS_A_ROUND, given.kills - killed.total())
            found, of_round, seconds = run_election(folder, seed=7, rng=rng, kills=kills)
            killed += of_round
            repeats += found.received - found.distinct
            problems = differences(expected, found)
            failures += problems
            told = ", ".join(f"{name} {count}" for name, count in sorted(of_round.items()))
            print(
                f"round {number}: {of_round.total()} kills ({told}), {seconds:.0f} s: {'; '.join(problems) or 'ok'}",
                flush=True,
            )
            if of_round.total() == 0:
                failures.append("a round without a single kill")
                break
        for name in () if given.no_freeze else ("analyze", "watch", "deliver"):
            found, _, seconds = run_election(folder, seed=7, rng=rng, freeze=name)
            problems = differences(expected, found)
            failures += problems
            print(f"{name} stopped for {STOPPED_S:.0f} s: {seconds:.0f} s: {'; '.join(problems) or 'ok'}", flush=True)
        found, of_control, seconds = run_election(folder, seed=7, rng=rng, kills=15, victims=("analyze",), control=True)
        lost = len(expected.posts - found.posts)
        print(f"negative control (position committed before the write), {of_control.total()} kills: {lost} posts lost")
        if not lost:
            failures.append("the negative control lost nothing: the drill proves nothing")
    print(
        f"{killed.total()} kills: {len(failures)} problems; 0 lost and 0 doubled posts, alerts, outbox rows"
        if not failures
        else f"{killed.total()} kills: PROBLEMS: {'; '.join(failures)}"
    )
    print(f"repeats at the receiver (same id, answer lost in a crash): {repeats}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
