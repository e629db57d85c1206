"""The posts that every measurement shares, and deployments to send them through, each thrown away behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine

from bench.cluster.servers import Servers
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Index, Log, Memory, Record
from runtime import build
from runtime.config import Config, load_config
from runtime.demo.generate import generate
from runtime.demo.prepare import prepare
from runtime.demo.servers import demo_tables

__all__ = ["Deployment", "World"]

PARTITIONS = 4


class Deployment(NamedTuple):
    """One configuration with its stores open."""

    config: Config
    log: Log
    index: Index
    engine: Engine
    memory: Memory


class World:
    """The synthetic election as a live stream: the demo's roster, rules and posts, without its archives."""

    def __init__(self, servers: Servers, folder: Path, *, posts: int) -> None:
        self.servers = servers
        self.folder = folder
        self.election = generate(posts=posts)
        merged = [post for of_source in self.election.posts.values() for post in of_source]
        merged.sort(key=lambda post: (post.collected_at, post.key))
        self.posts = merged
        self.records = [Record(post.key, wire.encode(post)) for post in merged]
        self._numbers = itertools.count(1)

    @property
    def post_bytes(self) -> float:
        """Of a post as JSON, on average."""
        return sum(len(record.value) for record in self.records) / len(self.records)

    def servers_config(
        self, *, kafka: bool, elastic: bool, postgres: bool, workers: int = 1, partitions: int = PARTITIONS
    ) -> Config:
        """The servers as an operator would name them; what is not asked for lies in the data folder."""
        lines = ["[deployment]", 'name = "bench"']
        lines += ["[log]", f"posts_partitions = {partitions}", f"hits_partitions = {partitions}"]
        lines += ["[analyze]", f"workers = {workers}"]
        if kafka:
            addresses = ", ".join(f'"{server}"' for server in self.servers.kafka.servers)
            lines += ["[kafka]", f"servers = [{addresses}]", "replication = 1", "min_insync = 1"]
        if elastic:
            lines += ["[elasticsearch]", f'servers = ["{self.servers.elastic.server}"]', "replicas = 0"]
        if postgres:
            lines += ["[desk]", f'database_url = "{self.servers.database_url}"']
        path = self.fresh() / "servers.toml"
        path.write_text("\n".join(lines) + "\n")
        return load_config(path)

    @contextmanager
    def deployment(self, servers: Config, *, rule: str = "") -> Iterator[Deployment]:
        """A live deployment over the stores of that configuration, under names of its own; `rule` is the text of the
        only rule, instead of the demo's."""
        with ExitStack() as closing:
            tables = demo_tables(servers, closing)
            silent = msgspec.structs.replace(self.election, posts={})
            path = prepare(self.fresh() / "demo", silent, desk_port=1, webhook_port=2, tables=tables)
            path.write_text(path.read_text().replace('clock = "replay"', 'clock = "live"'))
            if rule:
                for ready in (path.parent / "rules").iterdir():
                    ready.unlink()
                (path.parent / "rules" / "only.toml").write_text(rule)
            yield _opened(load_config(path), closing)

    def fresh(self) -> Path:
        """A folder that nobody used."""
        path = self.folder / f"world-{next(self._numbers)}"
        path.mkdir(parents=True)
        return path


def _opened(config: Config, closing: ExitStack) -> Deployment:
    engine = build.open_engine(config)
    closing.callback(engine.dispose)
    log = build.open_log(config, SystemClock())
    closing.callback(log.close)
    index = build.open_index(config)
    closing.callback(index.close)
    return Deployment(config, log, index, engine, build.open_memory(engine))
