"""From a stream to hardware: every number follows from the figures and from assumptions that are said beside it."""

from __future__ import annotations

import math

import msgspec

from runtime.capacity.measured import Measured, PerPost

__all__ = ["DAY_S", "MOST_PARTITIONS", "Assumptions", "Plan", "Stream", "plan_for"]

DAY_S = 86_400
MONTH_DAYS = 31
"""An index holds a month."""
MOST_PARTITIONS = 64
"""As many as `[log]` takes."""
MOST_SHARDS = 64
"""As many as `[elasticsearch]` takes."""
MILLION = 1_000_000


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """What comes: on average over the whole time, kept for so many days; `post_bytes` is the mean size of a post as
    JSON."""

    posts_per_s: float
    days: int
    post_bytes: float

    def times(self, factor: int) -> Stream:
        return msgspec.structs.replace(self, posts_per_s=self.posts_per_s * factor)


class Assumptions(msgspec.Struct, frozen=True, kw_only=True):
    """Chosen by us, for a deployment that must not fall behind on election night. Copies and days are settings."""

    peak: float = 3.0
    """The busiest minute brings so many times the mean."""
    busy: float = 0.6
    """Of what a worker or a core carried here, so much is used in the busiest minute: the rest is for catching up
    after an outage, for searches, and for a machine that is not quiet."""
    growth: int = 2
    """Partitions are made for so many times the workers, since their number never changes."""
    replication: int = 3
    """Copies of the log."""
    replicas: int = 1
    """Further copies of the index."""
    cores: int = 4
    """Of each server."""
    disk_bytes: float = 1e12
    """Of each server."""
    full: float = 0.7
    """So much of a disk is used at most: merging and moving need the rest."""
    shard_bytes: float = 30e9
    """Largest piece of an index; Elastic advises 10 to 50 GB."""
    quorum: int = 3
    """Servers that can outvote one that is gone."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream needs. Disk is in bytes: for a million posts with all copies, and for all days."""

    posts_per_s: float
    peak_per_s: float
    posts: int
    one_machine: bool
    analyze_workers: int
    watch_workers: int
    worker_cores: int
    posts_partitions: int
    hits_partitions: int
    brokers: int
    nodes: int
    shards: int
    database_cores: int
    million: dict[str, float]
    all_days: dict[str, float]
    beyond: list[str]


def plan_for(stream: Stream, measured: Measured, assumptions: Assumptions) -> Plan:
    """A post that is longer than those measured is taken to cost as much more, in time and on disk."""
    a = assumptions
    size = stream.post_bytes / measured.post_bytes
    peak = stream.posts_per_s * a.peak
    posts = stream.posts_per_s * DAY_S * stream.days

    analyze = _up(peak * size / (measured.analyze.per_s * a.busy))
    watch = _up(peak * measured.hits_each / (measured.watch.per_s * a.busy))
    analyze_us = measured.analyze.processor_us * size + measured.watch.processor_us * measured.hits_each
    million = _bytes_each(measured, a, size, MILLION)
    all_days = {name: each / MILLION * posts for name, each in million.items()}

    broker_cores = _cores(peak, measured.broker_us * size * a.replication, a)
    node_cores = _cores(peak, measured.node_us * size * (1 + a.replicas), a)
    nodes_for_writing = _up(node_cores / a.cores)
    month = stream.posts_per_s * DAY_S * MONTH_DAYS * measured.disk_on_servers.index * size
    shards = max(_up(month / a.shard_bytes), _up(nodes_for_writing / (1 + a.replicas)))
    partitions = {"posts": analyze * a.growth, "hits": watch * a.growth}
    return Plan(
        posts_per_s=stream.posts_per_s,
        peak_per_s=peak,
        posts=round(posts),
        one_machine=peak * size <= measured.analyze_on_files.per_s * a.busy
        and _on_files(measured, size) * posts <= a.disk_bytes * a.full,
        analyze_workers=analyze,
        watch_workers=watch,
        worker_cores=_up(_cores(peak, analyze_us, a)),
        posts_partitions=partitions["posts"],
        hits_partitions=partitions["hits"],
        brokers=max(_quorum(a.replication > 1, a), a.replication, _servers(broker_cores, all_days["log"], a)),
        nodes=max(_quorum(a.replicas > 0, a), 1 + a.replicas, _servers(node_cores, all_days["index"], a)),
        shards=shards,
        database_cores=_up(_cores(peak, measured.database_us, a)),
        million=million,
        all_days=all_days,
        beyond=_beyond(partitions, shards),
    )


def _bytes_each(measured: Measured, a: Assumptions, size: float, posts: int) -> dict[str, float]:
    """With all copies. What the desk holds is about alerts and people, not as long as a post."""
    found = measured.disk_on_servers
    return {
        "log": found.log * size * a.replication * posts,
        "index": found.index * size * (1 + a.replicas) * posts,
        "desk": found.desk * posts,
        "evidence": measured.evidence * size * posts,
    }


def _on_files(measured: Measured, size: float) -> float:
    found: PerPost = measured.disk_on_files
    return (found.log + found.index + measured.evidence) * size + found.desk


def _cores(peak: float, us: float, a: Assumptions) -> float:
    return peak * us / MILLION / a.busy


def _servers(cores: float, size: float, a: Assumptions) -> int:
    """Enough for the work, and for the bytes."""
    return max(_up(cores / a.cores), _up(size / (a.disk_bytes * a.full)))


def _quorum(has_copies: bool, a: Assumptions) -> int:
    return a.quorum if has_copies else 1


def _beyond(partitions: dict[str, int], shards: int) -> list[str]:
    """What the settings do not take: such a stream needs deployments side by side, by source or by country."""
    found = [
        f"{count} partitions of {topic}, the log takes {MOST_PARTITIONS}"
        for topic, count in partitions.items()
        if count > MOST_PARTITIONS
    ]
    return found + ([f"{shards} shards a month, the index takes {MOST_SHARDS}"] if shards > MOST_SHARDS else [])


def _up(number: float) -> int:
    """The next whole number, at least one."""
    return max(1, math.ceil(number - 1e-9))
