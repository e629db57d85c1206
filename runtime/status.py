"""How the deployment is: loops, lag, books, sources, what waits. Computed from the stores, never from counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from hustings.clock import Clock, rfc3339
from hustings.contracts import Index, Log, Memory, Topic
from hustings.errors import StoreError
from hustings.source_health import SourceHealth
from runtime.coverage import Silence
from runtime.loops import LOOPS
from runtime.loops.frame import HEARTBEAT_EVERY_S, Heartbeat

__all__ = ["Books", "Lag", "LoopStatus", "SourceStatus", "Status", "books_of", "source_health", "status_of"]

ALIVE_WITHIN_S = 3 * HEARTBEAT_EVERY_S
GONE_AFTER_S = 3600.0
"""A worker that the configuration does not name is no longer shown when nothing was heard of it for so long."""


class LoopStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker of a loop by its last heartbeat; `partitions` are those that it read then."""

    loop: str
    worker: str
    alive: bool
    pid: int | None
    last_beat: str | None
    waiting_for: str
    partitions: list[int] = []


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reader is behind one partition; `oldest_s` is the age of its oldest unread entry, None when there is
    none. `worker` is who reads it, as the heartbeats of those alive say; empty when nobody does."""

    topic: str
    reader: str
    worker: str
    partition: int
    position: int
    end: int
    lag: int
    oldest_s: float | None


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Posts of the log by what became of them; `dropped`: gone from the log before this index read them, as in an index
    that was made anew after `prune`. `balanced`: all of the log that analyze has read is accounted for, and `unread` is
    the rest."""

    log: int
    new: int
    revised: int
    unchanged: int
    conflicting: int
    dead_letters: int
    dropped: int
    unread: int
    balanced: bool


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One source by its health record."""

    source: str
    last_success: str | None
    gap_since: str | None
    items: int
    last_error: str
    brake: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `hustings status` prints."""

    deployment: str
    at: str
    loops: list[LoopStatus]
    lag: list[Lag]
    books: Books
    sources: list[SourceStatus]
    silences: list[Silence]
    alerts_waiting: int
    outbox: dict[str, int]
    queue_waiting: int


READERS: tuple[tuple[Topic, str], ...] = (("posts", "analyze"), ("hits", "watch"))


def loops_of(memory: Memory, clock: Clock, workers: Mapping[str, Sequence[str]] = {}) -> list[LoopStatus]:
    """All five loops, each by its `workers` (the configured ones; without any, one that is named like the loop) and by
    what else gave a sign of life lately. What never ran has no heartbeat."""
    beats = {name: msgspec.json.decode(raw, type=Heartbeat) for name, raw in memory.entries("heartbeats").items()}
    now = clock.now()
    return [
        _worker_status(loop, worker, beats.get(worker), now)
        for loop in LOOPS
        for worker in _named(loop, workers.get(loop, [loop]), beats, now)
    ]


def _named(loop: str, configured: Sequence[str], beats: Mapping[str, Heartbeat], now: datetime) -> list[str]:
    others = [
        name
        for name, beat in sorted(beats.items())
        if beat.loop == loop and name not in configured and abs(_age_s(beat, now)) <= GONE_AFTER_S
    ]
    heard = any(beats[name].partitions for name in others)
    # One that is only a default gives way to workers that somebody started under names of their own.
    kept = [name for name in configured if not (heard and name == loop and name not in beats)]
    return [*kept, *others]


def _worker_status(loop: str, worker: str, beat: Heartbeat | None, now: datetime) -> LoopStatus:
    return LoopStatus(
        loop=loop,
        worker=worker,
        alive=beat is not None and abs(_age_s(beat, now)) <= ALIVE_WITHIN_S,
        pid=beat.pid if beat else None,
        last_beat=beat.at if beat else None,
        waiting_for=beat.waiting_for if beat else "",
        partitions=list(beat.partitions) if beat else [],
    )


def _age_s(beat: Heartbeat, now: datetime) -> float:
    return (now - datetime.fromisoformat(beat.at)).total_seconds()


def committed_by(log: Log, topic: Topic, name: str) -> dict[int, int]:
    """How far a loop has come in every partition of its topic, whichever of its workers reads it."""
    reader = log.reader(topic, name, partitions=range(log.partitions(topic)))
    try:
        return reader.committed()
    finally:
        reader.close()


def lag_of(log: Log, clock: Clock, loops: Sequence[LoopStatus] = ()) -> list[Lag]:
    """Each reader against each partition; `loops` say who reads which."""
    readers = {(loop.loop, partition): loop.worker for loop in loops if loop.alive for partition in loop.partitions}
    return [lag for topic, name in READERS for lag in _lags(log, topic, name, clock, readers)]


def _lags(log: Log, topic: Topic, name: str, clock: Clock, readers: Mapping[tuple[str, int], str]) -> list[Lag]:
    starts, ends = log.starts(topic), log.ends(topic)
    lags = []
    for partition, position in committed_by(log, topic, name).items():
        position = max(position, starts[partition])
        end = max(position, ends[partition])
        oldest_s = _oldest_unread_s(log, topic, name, partition, clock) if end > position else None
        lags.append(
            Lag(
                topic=topic,
                reader=name,
                worker=readers.get((name, partition), ""),
                partition=partition,
                position=position,
                end=end,
                lag=end - position,
                oldest_s=oldest_s,
            )
        )
    return lags


def _oldest_unread_s(log: Log, topic: Topic, name: str, partition: int, clock: Clock) -> float | None:
    """The age of the oldest entry that was not committed; None when it was, meanwhile."""
    reader = log.reader(topic, name, partitions=[partition])
    try:
        found = reader.poll(limit=1, timeout_s=0)
    finally:
        reader.close()
    return round(max(0.0, (clock.now() - found[0].appended_at).total_seconds()), 3) if found else None


def books_of(log: Log, index: Index) -> Books:
    """The books: new + revised + unchanged + conflicting + dead letters + dropped = posts in the log, as far as it was
    read. Raises `StoreError` for an index that another log filled: its numbers are about other posts."""
    if index.log_id() not in (None, log.id):
        raise StoreError(f"the index was filled from log {index.log_id()!r}, but this log is {log.id!r}")
    positions, counts = index.positions_and_books()
    total = sum(log.ends("posts").values())
    read = sum(positions.values())
    return Books(log=total, unread=total - read, balanced=sum(counts.values()) == read, **counts)


def source_health(memory: Memory) -> dict[str, SourceHealth]:
    """The health records of all sources that were ever polled."""
    return {name: msgspec.json.decode(raw, type=SourceHealth) for name, raw in memory.entries("source_health").items()}


def sources_of(health_by_source: Mapping[str, SourceHealth]) -> list[SourceStatus]:
    """Health of every source that was ever polled."""
    return [
        SourceStatus(
            source=name,
            last_success=rfc3339(health.last_success) if health.last_success else None,
            gap_since=rfc3339(health.gap_since) if health.gap_since else None,
            items=health.items,
            last_error=health.last_error,
            brake=health.brake,
        )
        for name, health in sorted(health_by_source.items())
    ]


def status_of(
    *,
    deployment: str,
    log: Log,
    index: Index,
    memory: Memory,
    workers: Mapping[str, Sequence[str]],
    silences: Sequence[Silence],
    alerts_waiting: int,
    outbox: Mapping[str, int],
    queue_waiting: int,
    clock: Clock,
) -> Status:
    """The whole picture; what the desk counts is handed in. `workers` are the configured ones by loop."""
    loops = loops_of(memory, clock, workers)
    return Status(
        deployment=deployment,
        at=rfc3339(clock.now()),
        loops=loops,
        lag=lag_of(log, clock, loops),
        books=books_of(log, index),
        sources=sources_of(source_health(memory)),
        silences=list(silences),
        alerts_waiting=alerts_waiting,
        outbox=dict(outbox),
        queue_waiting=queue_waiting,
    )
