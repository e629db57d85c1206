"""What is done to a running election. Each fault is a block: it strikes at its begin and is mended at its end.

Servers are started again by the thread that started them first (see `ThreeServers`): faults run in the drill's main
thread.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NamedTuple

from bench.drill_cluster.disk import Disk
from bench.drill_cluster.election import Election, patiently
from bench.drill_cluster.proxy import Troubled
from bench.drill_cluster.standing import Standing
from hustings.contracts import Topic
from hustings.errors import Unavailable
from ingest.log_kafka.topics import open_admin
from tests.servers.kafka_cluster import KafkaCluster

__all__ = ["Fault", "server_faults", "through_proxy"]

Strike = Callable[[Election], AbstractContextManager[None]]

BEYOND_SESSION_S = 8.0
"""How much longer than its session a worker sleeps: the others have its partitions by then, and have worked on."""
WOKEN_FOR_S = 4
"""How long a worker that woke up is watched."""


class Fault(NamedTuple):
    """`lasts_s`: how long, from and to, it is left unmended. `topic`: work goes on when this is read on."""

    name: str
    strike: Strike
    lasts_s: tuple[float, float]
    topic: Topic = "posts"


def server_faults(*, disk: Disk, session_s: float, rng: random.Random) -> list[Fault]:
    """One of each, alone and in pairs."""
    away = (1.0, 5.0)
    sleeps = (session_s + BEYOND_SESSION_S,) * 2
    leader, controller = Fault("partition leader", leader_gone, away), Fault("controller", controller_gone, away)
    elastic, postgres = Fault("Elasticsearch", elastic_gone, away), Fault("PostgreSQL", postgres_gone, away)
    analyze, watch = (Fault(f"{loop} worker", one_killed(loop, rng), (0.0, 0.0)) for loop in ("analyze", "watch"))
    pairs = [
        (leader, controller),
        (leader, elastic),
        (leader, postgres),
        (controller, elastic),
        (controller, postgres),
        (elastic, postgres),
        (leader, analyze),
        (elastic, watch),
        (postgres, analyze),
    ]
    return [
        *(leader, controller, elastic, postgres),
        *(both(one, other) for one, other in pairs),
        Fault("analyze worker asleep (SIGSTOP)", asleep("analyze", rng), sleeps),
        Fault("watch worker asleep (SIGSTOP)", asleep("watch", rng), sleeps, "hits"),
        Fault("disk of the index full", lambda election: disk.full(election.servers.elastic.server), (12.0, 12.0)),
    ]


def through_proxy(proxy: Troubled) -> list[Fault]:
    """What a network and an overloaded node do, for elections whose index is behind this proxy."""
    return [
        Fault("429 from Elasticsearch", lambda election: proxy.refusing(429), (6.0, 6.0)),
        Fault("503 from Elasticsearch", lambda election: proxy.refusing(503), (6.0, 6.0)),
        Fault("requests to Elasticsearch lost", lambda election: proxy.losing("lost"), (6.0, 6.0)),
        Fault("answers of Elasticsearch lost", lambda election: proxy.losing("answer lost"), (6.0, 6.0)),
    ]


def both(one: Fault, other: Fault) -> Fault:
    """Two at once; the one that struck last is mended first."""

    @contextmanager
    def strike(election: Election) -> Iterator[None]:
        with ExitStack() as mending:
            mending.enter_context(one.strike(election))
            mending.enter_context(other.strike(election))
            yield

    return Fault(f"{one.name} + {other.name}", strike, max(one.lasts_s, other.lasts_s))


# ── servers ──────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def leader_gone(election: Election) -> Iterator[None]:
    """kill -9 of the broker that leads a partition of posts, of one that lives; not of the controller, if it may be."""
    kafka = election.servers.kafka
    with open_admin(election.kafka(), "looking for a leader") as admin:
        [topic] = admin.describe_topics([election.kafka().topic("posts")])
        controller = _controller_of(admin)
    leaders = [leader for p in topic["partitions"] if (leader := int(p["leader_id"])) in kafka.running]
    if not leaders:
        raise Unavailable("no partition of posts has a leader yet")
    node = next((leader for leader in leaders if leader != controller), leaders[0])
    with _broker_gone(kafka, node):
        yield


@contextmanager
def controller_gone(election: Election) -> Iterator[None]:
    """kill -9 of the node that leads the quorum."""
    kafka = election.servers.kafka
    with open_admin(election.kafka(), "looking for the controller") as admin:
        node = _controller_of(admin)
    if node not in kafka.running:
        raise Unavailable(f"node {node} is gone, and no other leads the quorum yet")
    with _broker_gone(kafka, node):
        yield


@contextmanager
def _broker_gone(kafka: KafkaCluster, node: int) -> Iterator[None]:
    kafka.kill(node)
    try:
        yield
    finally:
        kafka.start(node)
        kafka.wait_for(node)


@contextmanager
def elastic_gone(election: Election) -> Iterator[None]:
    elastic = election.servers.elastic
    elastic.kill()
    try:
        yield
    finally:
        elastic.start()
        elastic.wait()


@contextmanager
def postgres_gone(election: Election) -> Iterator[None]:
    postgres = election.servers.postgres
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


def _controller_of(admin: object) -> int:
    [topic] = admin.describe_metadata_quorum()["topics"]  # type: ignore[attr-defined] # the client has no types
    return int(topic["partitions"][0]["leader_id"])


# ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def one_killed(loop: str, rng: random.Random) -> Strike:
    @contextmanager
    def strike(election: Election) -> Iterator[None]:
        _some_worker(election, loop, rng, signal.SIGKILL)
        yield

    return strike


def asleep(loop: str, rng: random.Random) -> Strike:
    """A worker of the loop sleeps until the block ends, wakes up, and finds that others have its partitions. Raises
    `SetBack` when something that stands in the index or at the desk goes back afterwards."""

    @contextmanager
    def strike(election: Election) -> Iterator[None]:
        worker, pid = _some_worker(election, loop, rng, signal.SIGSTOP)
        try:
            yield
            before = patiently(lambda: Standing.of(election))
        finally:
            if election.pids().get(worker) == pid:
                election.signal(worker, signal.SIGCONT)
        for _ in range(WOKEN_FOR_S):
            time.sleep(1.0)
            before = patiently(lambda: Standing.of(election)).not_behind(before)

    return strike


def _some_worker(election: Election, loop: str, rng: random.Random, number: signal.Signals) -> tuple[str, int]:
    for _ in range(300):
        worker = rng.choice([name for name in election.pids() if name.partition("-")[0] == loop] or [loop])
        pid = election.signal(worker, number)
        if pid is not None:
            return worker, pid
        time.sleep(0.1)
    raise RuntimeError(f"no worker of {loop} came up within 30 s")
