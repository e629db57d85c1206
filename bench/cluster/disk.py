"""Bytes that a post leaves behind, from the demo: the synthetic election through all five loops, on files and servers.

What an empty store takes is not counted, nor what a server reserves ahead. Elasticsearch is measured merged and
PostgreSQL vacuumed, as both are after a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx
from sqlalchemy.engine import make_url

from bench.cluster.world import World
from runtime import build
from runtime.config import Config
from runtime.demo.generate import DEFAULT_SEED
from runtime.demo.run import Demo
from runtime.stop import Stop

__all__ = ["Disk", "disk_of_files", "disk_of_servers"]


class Disk(NamedTuple):
    """`bytes_each` is what a post leaves, by store; `hits_each` how many hits it makes."""

    bytes_each: dict[str, float]
    hits_each: float


def disk_of_files(world: World) -> Disk:
    """Everything in the data folder. `evidence` is on files with servers too."""
    with ExitStack() as closing:
        demo = _demo(world, closing, servers=None)
        data = demo.config.data
        empty = _size(data.glob("desk.db*"))
        posts, hits = _through(demo)
    found = {
        "log": _size((data / "log").rglob("*")),
        "index": _size((data / "index").rglob("*")),
        "desk": _size(data.glob("desk.db*")) - empty,
        "evidence": _size((data / "evidence").rglob("*")),
    }
    return Disk({name: size / posts for name, size in found.items()}, hits / posts)


def disk_of_servers(world: World) -> Disk:
    """One copy on each server."""
    servers = world.servers_config(kafka=True, elastic=True, postgres=True)
    with ExitStack() as closing:
        demo = _demo(world, closing, servers=servers)
        empty = _database_bytes(world, demo.config)
        posts, hits = _through(demo)
        found = {
            "log": _topic_bytes(world, demo.config),
            "index": _index_bytes(world, demo.config),
            "desk": _database_bytes(world, demo.config) - empty,
        }
    return Disk({name: size / posts for name, size in found.items()}, hits / posts)


def _demo(world: World, closing: ExitStack, *, servers: Config | None) -> Demo:
    return Demo(
        world.fresh() / "demo",
        seed=DEFAULT_SEED,
        posts=len(world.posts),
        desk_port=0,
        closing=closing,
        servers=servers,
    )


def _through(demo: Demo) -> tuple[int, int]:
    """Run it; returns posts and hits."""
    demo.run(stop=Stop(), tell=lambda progress: None)
    demo.supervisor.stop()
    rules = build.rule_set(demo.config, build.vocabulary_of(demo.config))
    hits = sum(1 for rule in rules.evaluated for _ in demo.index.hits(rule.id, rule.logic))
    return sum(demo.log.ends("posts").values()), hits


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _topic_bytes(world: World, config: Config) -> int:
    """Of the segments; what lies beside them is made ahead, and small once they are full."""
    assert config.kafka is not None
    return _size(world.servers.kafka_folder.rglob(f"{config.kafka['prefix']}*/*.log"))


def _index_bytes(world: World, config: Config) -> int:
    assert config.elasticsearch is not None
    every = f"{world.servers.elastic.server}/{config.elasticsearch['prefix']}*"
    httpx.post(f"{every}/_forcemerge", params={"max_num_segments": 1, "flush": "true"}, timeout=120).raise_for_status()
    httpx.post(f"{every}/_refresh", timeout=120).raise_for_status()
    stats = httpx.get(f"{every}/_stats/store", timeout=120).raise_for_status().json()
    return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])


def _database_bytes(world: World, config: Config) -> int:
    name = make_url(config.desk.database_url).database or ""
    world.servers.postgres.sql("VACUUM FULL", database=name)
    ((size,),) = world.servers.postgres.sql(f"SELECT pg_database_size('{name}')")
    return int(size)
