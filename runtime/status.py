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


class LoopStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One loop by its last heartbeat."""

    loop: str
    alive: bool
    pid: int | None
    last_beat: str | None
    waiting_for: str


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reader is behind one partition; `oldest_s` is the age of its oldest unread entry, None when there is
    none."""

    topic: str
    reader: str
    partition: int
    position: int
    end: int
    lag: int
    oldest_s: float | None


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Posts of the log by what became of them. `balanced`: all of the log that analyze has read is accounted for, and
    `unread` is the rest."""

    log: int
    new: int
    revised: int
    unchanged: int
    conflicting: int
    dead_letters: int
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


def loops_of(memory: Memory, clock: Clock) -> list[LoopStatus]:
    """All five loops; one that never ran has no heartbeat."""
    beats = memory.entries("heartbeats")
    found = []
    for loop in LOOPS:
        beat = msgspec.json.decode(beats[loop], type=Heartbeat) if loop in beats else None
        age_s = (clock.now() - datetime.fromisoformat(beat.at)).total_seconds() if beat else None
        found.append(
            LoopStatus(
                loop=loop,
                alive=age_s is not None and abs(age_s) <= ALIVE_WITHIN_S,
                pid=beat.pid if beat else None,
                last_beat=beat.at if beat else None,
                waiting_for=beat.waiting_for if beat else "",
            )
        )
    return found


def lag_of(log: Log, clock: Clock) -> list[Lag]:
    """Each reader against each partition."""
    return [
        _lag(log, topic, name, partition, clock)
        for topic, name in READERS
        for partition in range(log.partitions(topic))
    ]


def _lag(log: Log, topic: Topic, name: str, partition: int, clock: Clock) -> Lag:
    reader = log.reader(topic, name, partitions=[partition])
    try:
        oldest_unread = reader.poll(limit=1, timeout_s=0)
        committed = reader.committed()[partition]
    finally:
        reader.close()
    position = max(committed, log.starts(topic)[partition])
    end = max(position, log.ends(topic)[partition])
    oldest_s = (clock.now() - oldest_unread[0].appended_at).total_seconds() if oldest_unread else None
    return Lag(
        topic=topic,
        reader=name,
        partition=partition,
        position=position,
        end=end,
        lag=end - position,
        oldest_s=None if oldest_s is None else round(max(0.0, oldest_s), 3),
    )


def books_of(log: Log, index: Index) -> Books:
    """The books: new + revised + unchanged + conflicting + dead letters = posts in the log, as far as it was read.
    Raises `StoreError` for an index that another log filled: its numbers are about other posts."""
    if index.log_id() not in (None, log.id):
        raise StoreError(f"the index was filled from log {index.log_id()!r}, but this log is {log.id!r}")
    counts = index.books()
    total = sum(log.ends("posts").values())
    read = sum(index.positions("posts").values())
    named = {name: counts.get(name, 0) for name in ("new", "revised", "unchanged", "conflicting", "dead_letters")}
    return Books(log=total, unread=total - read, balanced=sum(named.values()) == read, **named)


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
    silences: Sequence[Silence],
    alerts_waiting: int,
    outbox: Mapping[str, int],
    queue_waiting: int,
    clock: Clock,
) -> Status:
    """The whole picture; what the desk counts is handed in."""
    return Status(
        deployment=deployment,
        at=rfc3339(clock.now()),
        loops=loops_of(memory, clock),
        lag=lag_of(log, clock),
        books=books_of(log, index),
        sources=sources_of(source_health(memory)),
        silences=list(silences),
        alerts_waiting=alerts_waiting,
        outbox=dict(outbox),
        queue_waiting=queue_waiting,
    )
