"""How the deployment is: loops, lag, books, sources, what waits. Computed from the stores, never from counters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hustings.clock import Clock, rfc3339
from hustings.contracts import Index, Log, Memory
from ingest.health import SourceHealth
from runtime.loops import LOOPS
from runtime.loops.frame import HEARTBEAT_EVERY_S, Heartbeat

__all__ = ["Books", "Lag", "LoopStatus", "SourceStatus", "Status", "books_of", "status_of"]

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
    alerts_waiting: int
    outbox: dict[str, int]
    queue_waiting: int


READERS = (("posts", "analyze"), ("hits", "watch"))


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
                alive=age_s is not None and age_s <= ALIVE_WITHIN_S,
                pid=beat.pid if beat else None,
                last_beat=beat.at if beat else None,
                waiting_for=beat.waiting_for if beat else "",
            )
        )
    return found


def lag_of(log: Log, clock: Clock) -> list[Lag]:
    """Each reader against each partition."""
    found = []
    for topic, name in READERS:
        ends, starts = log.ends(topic), log.starts(topic)  # type: ignore[arg-type] # READERS holds topics only
        reader = log.reader(topic, name)  # type: ignore[arg-type] # the same
        try:
            committed = reader.committed()
            for partition in sorted(ends):
                position = max(committed.get(partition, 0), starts.get(partition, 0))
                oldest_s = None
                if position < ends[partition]:
                    reader.seek({p: (position if p == partition else ends[p]) for p in ends})
                    first = reader.poll(limit=1, timeout_s=0)
                    if first:
                        oldest_s = round((clock.now() - first[0].appended_at).total_seconds(), 3)
                found.append(
                    Lag(
                        topic=topic,
                        reader=name,
                        partition=partition,
                        position=position,
                        end=ends[partition],
                        lag=ends[partition] - position,
                        oldest_s=oldest_s,
                    )
                )
        finally:
            reader.close()
    return found


def books_of(log: Log, index: Index) -> Books:
    """The books: new + revised + unchanged + conflicting + dead letters = posts in the log, as far as it was read."""
    counts = index.books()
    total = sum(log.ends("posts").values())
    read = sum(index.positions("posts").values())
    named = {name: counts.get(name, 0) for name in ("new", "revised", "unchanged", "conflicting", "dead_letters")}
    return Books(log=total, unread=total - read, balanced=sum(named.values()) == read, **named)


def sources_of(memory: Memory) -> list[SourceStatus]:
    """Health of every source that was ever polled."""
    found = []
    for name, raw in sorted(memory.entries("source_health").items()):
        health = msgspec.json.decode(raw, type=SourceHealth)
        found.append(
            SourceStatus(
                source=name,
                last_success=rfc3339(health.last_success) if health.last_success else None,
                gap_since=rfc3339(health.gap_since) if health.gap_since else None,
                items=health.items,
                last_error=health.last_error,
                brake=health.brake,
            )
        )
    return found


def status_of(
    *,
    deployment: str,
    log: Log,
    index: Index,
    memory: Memory,
    desk_counts: dict[str, Any],
    clock: Clock,
) -> Status:
    """The whole picture; `desk_counts` are `alerts_waiting`, `outbox` by state and `queue_waiting`."""
    return Status(
        deployment=deployment,
        at=rfc3339(clock.now()),
        loops=loops_of(memory, clock),
        lag=lag_of(log, clock),
        books=books_of(log, index),
        sources=sources_of(memory),
        alerts_waiting=int(desk_counts["alerts_waiting"]),
        outbox=dict(desk_counts["outbox"]),
        queue_waiting=int(desk_counts["queue_waiting"]),
    )
