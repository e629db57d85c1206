"""Crash drill past one machine: the synthetic election over three brokers, Elasticsearch and PostgreSQL, all started
here on loopback, with two analyze and two watch workers, while workers and servers are killed, put to sleep, starved
of disk and refused.

    python -m bench.drill_cluster --kills 100 --posts 12000

After each fault the books must balance, and at the end of each election every post, hit and alert must say what it says
in an undisturbed run on one machine. The negative control commits its position before it writes; it must lose posts,
else the drill proves nothing. Exit status 1 when anything was lost, doubled or changed.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from bench.circumstances import commit, machine, now
from bench.drill_cluster import report
from bench.drill_cluster.contents import Contents, contents, differences, fix_pseudonyms
from bench.drill_cluster.disk import Disk, disk_for_index
from bench.drill_cluster.disturb import Felt, Kill, disturb
from bench.drill_cluster.election import Election, wait_until
from bench.drill_cluster.faults import Fault, server_faults, through_proxy
from bench.drill_cluster.proxy import Troubled
from runtime.demo.run import Demo
from runtime.stop import Stop
from tests.servers.three_servers import ServerMissing, ThreeServers

SEED = 7
SESSION_S = 6.0
"""Of the workers: after so long in silence others take over. Shorter than the default, so that the drill is."""
ANSWER_S = 10.0
"""Of the brokers, as by default."""
OVERLOAD_S = 3.0
"""How long a worker asks an overloaded node again before it takes it for unavailable: both ways are drilled."""
BATCH = 100
"""Posts of one step of analyze: small, so that an election has many moments to die in, and lasts for some faults."""
ELECTION_LIMIT_S = 400.0
CONTROL_KILLS = 12
CONTROL_LIMIT_S = 90.0
"""What the control has lost never arrives, so its election is ended by the clock."""
SUMMARY = Path(__file__).parents[1] / "DRILL_CLUSTER.md"


class Drill:
    """Everything of one run: its servers, its plan, and what it found."""

    def __init__(self, *, given: argparse.Namespace, servers: ThreeServers, disk: Disk, folder: Path) -> None:
        self.given = given
        self.servers = servers
        self.disk = disk
        self.folder = folder
        self.rng = random.Random(given.seed)
        self.until = time.monotonic() + given.limit_s
        self.said = Path(given.said) if given.said else folder / "said"
        self.felt: list[Felt] = []
        self.problems: list[str] = []
        self.elections = 0
        self.repeats = 0
        self.control = (0, 0)

    def run(self) -> None:
        """The undisturbed runs, the disturbed ones, the control."""
        self.expected = _embedded(self.folder / "embedded", posts=self.given.posts)
        say(f"on one machine, undisturbed: {_size(self.expected)}")
        self.disk.prepare(self.servers.elastic.server)
        direct = self._config("direct.toml")
        self._election(direct, deque(), name="undisturbed")
        faults = self._chosen(server_faults(disk=self.disk, session_s=SESSION_S, rng=self.rng))
        kills = self.given.kills - self.given.kills // 10
        self._elections(direct, self._mixed(faults, kills))
        with Troubled(self.servers.elastic.server, rng=self.rng) as proxy:
            behind = self._config("proxy.toml", elastic=proxy.server)
            troubles = self._chosen(through_proxy(proxy))
            self._elections(behind, self._mixed(troubles, self.given.kills - kills))
        if not self.given.no_control:
            self._control(direct)

    def _chosen(self, faults: list[Fault]) -> list[Fault]:
        named = [fault for fault in faults if self.given.only is None or re.search(self.given.only, fault.name)]
        return named if self.given.faults is None else named[: self.given.faults]

    def _mixed(self, faults: list[Fault], kills: int) -> deque[Fault | Kill]:
        """In an order of chance."""
        plan: list[Fault | Kill] = [*faults, *(Kill() for _ in range(kills))]
        self.rng.shuffle(plan)
        return deque(plan)

    def _elections(self, config: Path, plan: deque[Fault | Kill]) -> None:
        """As many elections as the plan needs."""
        while plan:
            if time.monotonic() > self.until:
                self.problems.append(f"out of time with {len(plan)} kills and faults left; see --limit-s")
                return
            before = len(plan)
            self._election(config, plan)
            if len(plan) == before:
                self.problems.append("an election went by without a single kill or fault")
                return

    def _election(self, config: Path, plan: deque[Fault | Kill], *, name: str = "") -> None:
        """One, compared with the undisturbed one when it is through."""
        self.elections += 1
        name = name or f"election {self.elections}"
        began = time.monotonic()
        with self._begun(config) as election:
            felt = disturb(election, plan, rng=self.rng, until=self.until, tell=_told) if plan else []
            self.felt += felt
            problems = [f"{one.name}: {one.problem}" for one in felt if one.problem]
            try:
                election.let_end()
                found = contents(election.demo)
                problems += differences(self.expected, found)
                self.repeats += found.repeats
            except TimeoutError as late:
                problems.append(str(late))
        self.problems += [f"{name}: {problem}" for problem in problems]
        kills = sum(one.kind == "worker" for one in felt)
        said = f"{name}: {kills} kills, {len(felt) - kills} faults, {time.monotonic() - began:.0f} s"
        say(f"{said}: {'; '.join(problems) or 'all as expected, ' + found.books}")

    def _control(self, config: Path) -> None:
        plan = _Kills(CONTROL_KILLS)
        with self._begun(config, control=True) as election:
            plan.carry_out(election, rng=self.rng, within_s=CONTROL_LIMIT_S)
            with suppress(TimeoutError):
                election.let_end(within_s=5.0)
            found = contents(election.demo)
        lost = len(self.expected.posts.keys() - found.posts.keys())
        self.control = (plan.done, lost)
        say(f"negative control (position committed before the write), {plan.done} kills: {lost} posts lost")
        if not lost:
            self.problems.append("the negative control lost nothing: the drill proves nothing")

    def _config(self, name: str, *, elastic: str = "") -> Path:
        return self.servers.write_config(
            self.folder / name,
            batch=BATCH,
            session_s=SESSION_S,
            answer_s=ANSWER_S,
            overload_s=OVERLOAD_S,
            elastic=elastic,
        )

    def _begun(self, config: Path, *, control: bool = False) -> Election:
        return Election(
            self.servers,
            self.folder / "demo",
            config=config,
            posts=self.given.posts,
            seed=SEED,
            limit_s=ELECTION_LIMIT_S,
            said=self.said,
            control=control,
        )

    def result(self, seconds: float) -> report.Result:
        return report.Result(
            commit=commit(),
            machine=machine(),
            at=now(),
            seconds=round(seconds, 1),
            posts=len(self.expected.posts),
            alerts=len(self.expected.alerts),
            outbox_routes=len(self.expected.addressed),
            elections=self.elections,
            worker_kills=sum(one.kind == "worker" for one in self.felt),
            faults=sum(one.kind == "fault" for one in self.felt),
            disk=self.disk.kind,
            recoveries=report.recoveries(self.felt),
            control_kills=self.control[0],
            control_lost=self.control[1],
            repeats=self.repeats,
            problems=self.problems,
        )


class _Kills:
    """Of analyze workers of the control, each once it has written something since the last kill."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.done = 0

    def carry_out(self, election: Election, *, rng: random.Random, within_s: float) -> None:
        until = time.monotonic() + within_s
        worked = 0
        while self._left and time.monotonic() < until and election.is_running:
            written = sum(election.positions().values())
            if written > worked:
                time.sleep(rng.uniform(0.0, 0.3))
                for worker in [name for name in election.pids() if name.startswith("analyze")]:
                    if election.signal(worker, signal.SIGKILL) is not None:
                        self.done += 1
                        self._left -= 1
                worked = written
            time.sleep(0.1)
        wait_until(lambda: election.remaining() == 0, within_s=min(15.0, max(0.0, until - time.monotonic())))


def _embedded(folder: Path, *, posts: int) -> Contents:
    """The same election on one machine without any fault."""
    with ExitStack() as closing:
        demo = Demo(folder, seed=SEED, posts=posts, desk_port=0, closing=closing)
        fix_pseudonyms(demo)
        demo.run(stop=Stop(), tell=lambda progress: None)
        return contents(demo)


def _size(found: Contents) -> str:
    return (
        f"{len(found.posts)} posts, {len(found.hits)} hits, {len(found.alerts)} alerts, {len(found.addressed)} routes"
    )


def _told(felt: Felt) -> None:
    if felt.kind == "fault" or felt.problem:
        after = "" if felt.recovered_s is None else f"work goes on after {felt.recovered_s:.1f} s"
        say(f"  {felt.name}: {felt.problem or after}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kill -9 of workers, altogether")
    parser.add_argument("--posts", type=int, default=12_000, help="size of each election, at least 2000")
    parser.add_argument("--faults", type=int, help="only so many faults of servers, and as many of the network")
    parser.add_argument("--only", metavar="PATTERN", help="only faults whose name matches, for example 'disk|asleep'")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the moments")
    parser.add_argument("--limit-s", type=float, default=840, help="no new election is begun after so long")
    parser.add_argument("--no-control", action="store_true", help="leave out the negative control")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--write", action="store_true", help="write bench/DRILL_CLUSTER.md")
    parser.add_argument("--said", help="file that gets what the workers say")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="hustings-drill-")))
        disk = closing.enter_context(disk_for_index())
        try:
            servers = closing.enter_context(ThreeServers(elastic_folder=disk.folder))
        except ServerMissing as missing:
            say(f"the drill needs real servers: {missing}")
            return 2
        say(f"three brokers, Elasticsearch and PostgreSQL are up after {time.monotonic() - began:.0f} s")
        drill = Drill(given=given, servers=servers, disk=disk, folder=folder)
        drill.run()
        result = drill.result(time.monotonic() - began)
    print(msgspec.json.encode(result).decode() if given.json else report.table(result.recoveries))
    say(report.verdict(result))
    if given.write:
        SUMMARY.write_text(report.markdown(result), "utf-8")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
