"""Everything that `make bench CLUSTER=1` measures, in one run over the same servers."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.cluster.clients import compare_clients
from bench.cluster.disk import Disk, disk_of_files, disk_of_servers
from bench.cluster.index_load import IndexLoad
from bench.cluster.passage import Passage, append_all, passage
from bench.cluster.ratio import alternate
from bench.cluster.storm import Storm, storm
from bench.cluster.world import World
from bench.latency import measure_rate
from runtime.config import Config

__all__ = ["Found", "Pair", "measure"]

RATES = (36, 500)
NEEDLES_PER_S = 12
FEW = 2
"""Rounds of what is only for the record: the whole is to take six minutes."""
WARM_UPS = 2
"""Loads before the first that counts: the servers compile their code while they run."""


class Pair(NamedTuple):
    """Two things by turns."""

    ones: list[Passage]
    others: list[Passage]


class Found(NamedTuple):
    """`index`: pipeline beside raw bulk, with one and with two workers; `log`: loop over Kafka beside the log in files;
    `append`: appending to them; `workers`: two beside one over all servers."""

    posts: int
    post_bytes: float
    index: Pair
    index_two: Pair
    log: Pair
    append: Pair
    workers: Pair
    clients: dict[str, list[dict[str, float]]] | str
    latency: list[dict[str, Any]]
    storm: Storm
    files: Disk
    servers: Disk
    seconds: float


def measure(world: World, *, rounds: int, groups: int, latency_s: float) -> Found:
    """All of it; says on standard error what it does."""
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {what} …\n")
        sys.stderr.flush()

    say("warming the servers up")
    one, two = IndexLoad(world), IndexLoad(world, workers=2)
    one.pipeline()
    two.take_documents_of(one)
    for _ in range(WARM_UPS):
        one.raw()
    say("pipeline into Elasticsearch beside a raw bulk load")
    index = Pair(*alternate(rounds, one.pipeline, one.raw))
    beside = index.others[:FEW]
    index_two = Pair([two.pipeline() for _ in beside], beside)
    say("Kafka beside the log in files")
    kafka = world.servers_config(kafka=True, elastic=False, postgres=False)
    files = world.servers_config(kafka=False, elastic=False, postgres=False)
    log = Pair(*alternate(rounds, lambda: _passed(world, kafka), lambda: _passed(world, files)))
    append = Pair(*alternate(rounds, lambda: _appended(world, kafka), lambda: _appended(world, files)))
    say("two workers beside one, over all servers")
    all_two = world.servers_config(kafka=True, elastic=True, postgres=True, workers=2)
    all_one = world.servers_config(kafka=True, elastic=True, postgres=True, workers=1)
    workers = Pair(*alternate(rounds, lambda: _passed(world, all_two), lambda: _passed(world, all_one)))
    say("kafka-python beside confluent-kafka")
    clients = compare_clients(world, rounds=min(rounds, FEW))
    say("from append to webhook")
    latency = [_latency(world, rate, latency_s) for rate in RATES]
    say("a storm of alerts, and the restart of watch")
    storming = storm(world, groups=groups)
    say("disk, from the demo on files")
    on_files = disk_of_files(world)
    say("disk, from the demo on servers")
    on_servers = disk_of_servers(world)
    return Found(
        posts=len(world.posts),
        post_bytes=world.post_bytes,
        index=index,
        index_two=index_two,
        log=log,
        append=append,
        workers=workers,
        clients=clients,
        latency=latency,
        storm=storming,
        files=on_files,
        servers=on_servers,
        seconds=time.monotonic() - began,
    )


def _passed(world: World, servers: Config) -> Passage:
    with world.deployment(servers) as deployment:
        return passage(deployment, world.servers, world.records)


def _appended(world: World, servers: Config) -> Passage:
    """Appending alone, in this process."""
    with world.deployment(servers) as deployment:
        append_all(deployment, world.records[:1])  # connects
        began, cpu = time.perf_counter(), time.process_time()
        append_all(deployment, world.records)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        return Passage(len(world.records), seconds, {"workers": used})


def _latency(world: World, rate: int, seconds: float) -> dict[str, Any]:
    name = f"latency_{rate}"
    quoted = ", ".join(f'"{server}"' for server in world.servers.kafka.servers)
    tables = [
        "[kafka]",
        f"servers = [{quoted}]",
        f'prefix = "{name}."',
        "replication = 1",
        "min_insync = 1",
        "[elasticsearch]",
        f'servers = ["{world.servers.elastic.server}"]',
        f'prefix = "{name}-"',
        "replicas = 0",
        "[desk]",
        f'database_url = "{world.servers.postgres.create(name)}"',
    ]
    folder: Path = world.fresh() / "latency"
    return measure_rate(folder, rate, seconds, needles_per_s=NEEDLES_PER_S, tables="\n".join(["", *tables, ""]))


def busiest(passages: Sequence[Passage]) -> dict[str, float]:
    """Cores that each side used, on average over the rounds."""
    seconds = sum(passage.seconds for passage in passages)
    names = passages[0].processor_s
    return {name: sum(passage.processor_s[name] for passage in passages) / seconds for name in names}
