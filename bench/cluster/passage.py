"""Posts through real workers: how fast, and whose processor time it takes.

The workers are the processes of `hustings run`. All posts are appended as fast as the log takes them; the clock runs
from when a quarter of them is behind the workers until the last one is. So neither the start of a worker nor the
appending is in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

import msgspec

from bench.cluster.processor import processor_s
from bench.cluster.servers import Servers
from bench.cluster.world import Deployment
from hustings.contracts import LogReader, Record, Topic
from runtime.events import open_events
from runtime.loops.frame import Heartbeat
from runtime.supervisor import Child, Supervisor, loop_command
from runtime.worker_names import SHARED, workers_of

__all__ = ["Passage", "append_all", "passage", "workers"]

APPEND_AT_ONCE = 512
LEFT_OUT = 0.25
LOOK_EVERY_S = 0.1
START_WITHIN_S = 90.0
PASS_WITHIN_S = 300.0


class Passage(NamedTuple):
    """`handled` entries in so many seconds, and the processor seconds of workers and servers meanwhile."""

    handled: int
    seconds: float
    processor_s: dict[str, float]

    @property
    def per_s(self) -> float:
        return self.handled / self.seconds

    def us(self, name: str) -> float:
        """Processor time of one side, in microseconds an entry."""
        return self.processor_s[name] / self.handled * 1e6


def passage(
    deployment: Deployment, servers: Servers, records: Sequence[Record], *, loop: str = "analyze", reader: str = ""
) -> Passage:
    """All `records` through the workers of `loop` that the configuration says."""
    topic = SHARED[loop]
    with workers(deployment, loop) as supervisor, _positions(deployment, topic, reader or loop) as positions:
        begun_at = sum(positions.committed().values())
        append_all(deployment, records, topic=topic)
        end = sum(deployment.log.ends(topic).values())
        first = _until(positions, begun_at + (end - begun_at) * LEFT_OUT)
        began, before = time.perf_counter(), _processors(supervisor, servers)
        # Marks of the workers may come after the last post: what counts is what was there when all was appended.
        last = _until(positions, end)
        seconds, after = time.perf_counter() - began, _processors(supervisor, servers)
    return Passage(last - first, seconds, {name: after[name] - before[name] for name in after})


def append_all(deployment: Deployment, records: Sequence[Record], *, topic: Topic = "posts") -> None:
    for start in range(0, len(records), APPEND_AT_ONCE):
        deployment.log.append(topic, records[start : start + APPEND_AT_ONCE])


@contextmanager
def workers(deployment: Deployment, loop: str) -> Iterator[Supervisor]:
    """The processes of a loop, once they read all partitions between them."""
    names = workers_of(deployment.config, loop)
    children = [Child(name, loop_command(loop, deployment.config.path, name)) for name in names]
    supervisor = Supervisor(children, events=open_events(loop="bench", level="error"))
    supervisor.start()
    try:
        _wait_for(deployment, loop, supervisor)
        yield supervisor
    finally:
        supervisor.stop()


def _wait_for(deployment: Deployment, loop: str, supervisor: Supervisor) -> None:
    """Each has a share, and together they have all."""
    partitions = deployment.log.partitions(SHARED[loop])
    deadline = time.monotonic() + START_WITHIN_S
    pids = set(supervisor.pids().values())
    while True:
        beats = [msgspec.json.decode(beat, type=Heartbeat) for beat in deployment.memory.entries("heartbeats").values()]
        shares = [beat.partitions for beat in beats if beat.pid in pids]
        if len(shares) == len(pids) and all(shares) and sum(map(len, shares)) == partitions:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{loop}: within {START_WITHIN_S:.0f} s the workers read {shares} of {partitions}")
        time.sleep(0.1)


@contextmanager
def _positions(deployment: Deployment, topic: Topic, reader: str) -> Iterator[LogReader]:
    """A reader that looks at the committed positions and reads nothing."""
    partitions = range(deployment.log.partitions(topic))
    with closing(deployment.log.reader(topic, reader, partitions=partitions)) as found:
        yield found


def _until(positions: LogReader, offset: float) -> int:
    """Wait until so much is committed; returns how much it is then."""
    deadline = time.monotonic() + PASS_WITHIN_S
    while (committed := sum(positions.committed().values())) < offset:
        if time.monotonic() > deadline:
            raise RuntimeError(f"within {PASS_WITHIN_S:.0f} s the workers came to {committed:,} of {offset:,.0f}")
        time.sleep(LOOK_EVERY_S)
    return committed


def _processors(supervisor: Supervisor, servers: Servers) -> dict[str, float]:
    found = {name: processor_s([pid]) for name, pid in supervisor.pids().items()}
    return {"workers": sum(found.values()), **{name: processor_s(pids) for name, pids in servers.pids.items()}}
