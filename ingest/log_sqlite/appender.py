"""How records get onto the disk: group commit into the newest segment of one topic, and the change to the next one."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hustings.clock import Clock, to_ms
from hustings.sqlite_file import transaction, translated
from ingest.log_sqlite.segments import Segment, SegmentFolder, table

__all__ = ["Appender", "Placed"]


DAY_MS = 86_400_000
"""A segment holds entries of one UTC day, so that retention can drop it as a whole."""
NEVER_MS = -(2**62)
"""`_Tail.appended_ms` of a partition without an entry."""


class Placed(NamedTuple):
    """A record that knows its partition."""

    partition: int
    key: str
    value: bytes


class _Request:
    """What one thread wants appended, and what became of it."""

    def __init__(self, records: Sequence[Placed]) -> None:
        self.records = records
        self.placed: list[tuple[int, int]] | None = None
        self.problem: BaseException | None = None


class _Tail(NamedTuple):
    """Where a partition of a segment stands: the next offset, and when its last entry was appended."""

    offset: int
    appended_ms: int


class Appender:
    """Appends to one topic. Threads meet here, processes at SQLite's write lock. A segment takes at most about
    `segment_entries` entries of one partition.

    Group commit without a thread of its own: every caller leaves its request and queues for the lock; who gets it
    commits everything that was left meanwhile in one transaction, and the others find their request done. A lone
    caller pays no hand-over, and a crowd shares one disk flush.
    """

    def __init__(self, segments: SegmentFolder, *, segment_entries: int, clock: Clock) -> None:
        self._segments = segments
        self._segment_entries = segment_entries
        self._clock = clock
        self._left: list[_Request] = []
        self._leaving = threading.Lock()
        self._committing = threading.Lock()
        self._segment: Segment | None = None
        self._began_ms: int | None = None

    def append(self, records: Sequence[Placed]) -> list[tuple[int, int]]:
        """(partition, offset) in the order given, once they are on disk."""
        request = _Request(records)
        with self._leaving:
            self._left.append(request)
        with self._committing:
            if request.placed is None and request.problem is None:
                self._commit_what_was_left()
        if request.problem is not None:
            raise request.problem
        assert request.placed is not None  # noqa: S101 - either of the two is set once the lock was held
        return request.placed

    def ends(self) -> dict[int, int]:
        """The next offset of each partition."""
        with self._committing, translated(self._segments.folder):
            while True:
                segment = self._newest()
                ends = {partition: segment.end(partition) for partition in range(self._segments.partitions)}
                if not self._segments.has_successor(segment):
                    return ends
                self._leave()

    def drop_before(self, when: datetime) -> int:
        """Drop every segment whose entries were all appended before `when`; how many entries that were. When it holds
        for the newest one too, an empty successor takes its place first: a quiet stream does not outlive its
        retention."""
        with self._committing, translated(self._segments.folder):
            self._succeed_if_over(to_ms(when))
            dropped = 0
            for number in self._segments.numbers()[:-1]:
                entries = self._count_if_over(number, to_ms(when))
                if entries is None:
                    break
                self._segments.remove(number)
                dropped += entries
            return dropped

    def close(self) -> None:
        with self._committing:
            self._leave()

    # ── one commit ───────────────────────────────────────────────────────────────────────────────────────────────

    def _commit_what_was_left(self) -> None:
        with self._leaving:
            requests, self._left = self._left, []
        try:
            with translated(self._segments.folder):
                self._commit(requests)
        except BaseException as problem:
            for request in requests:
                request.placed, request.problem = None, problem
            self._leave()

    def _commit(self, requests: Sequence[_Request]) -> None:
        wanted = sorted({record.partition for request in requests for record in request.records})
        while True:
            segment = self._newest()
            with transaction(segment.connection):
                # Under the write lock: from here to the commit nobody else can make a successor.
                is_current = not self._segments.has_successor(segment)
                if is_current:
                    tails = {partition: _tail(segment, partition) for partition in wanted}
                    now_ms = max(to_ms(self._clock.now()), *(tail.appended_ms for tail in tails.values()))
                    if not self._is_full(segment, tails, now_ms):
                        _insert(segment.connection, requests, tails, now_ms)
                        return
                    self._make_successor(segment)
            self._leave()

    def _newest(self) -> Segment:
        if self._segment is None:
            self._segment = self._segments.open_newest()
            self._began_ms = None
        return self._segment

    def _leave(self) -> None:
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    # ── when a segment ends ──────────────────────────────────────────────────────────────────────────────────────

    def _is_full(self, segment: Segment, tails: dict[int, _Tail], now_ms: int) -> bool:
        if any(tail.offset - segment.bases[p] >= self._segment_entries for p, tail in tails.items()):
            return True
        if self._began_ms is None:
            self._began_ms = _began_ms(segment)
        return self._began_ms is not None and self._began_ms // DAY_MS != now_ms // DAY_MS

    def _make_successor(self, segment: Segment) -> None:
        ends = [segment.end(partition) for partition in range(self._segments.partitions)]
        self._segments.make(segment.number + 1, ends)

    def _succeed_if_over(self, before_ms: int) -> None:
        while True:
            segment = self._newest()
            with transaction(segment.connection):
                if not self._segments.has_successor(segment):
                    last_ms = _last_ms(segment)
                    if last_ms is None or last_ms >= before_ms:
                        return
                    self._make_successor(segment)
            self._leave()

    def _count_if_over(self, number: int, before_ms: int) -> int | None:
        """The entries of a segment whose last one was appended before `before_ms`, None when it is still young."""
        segment = self._segments.open(number)
        if segment is None:
            return 0
        try:
            last_ms = _last_ms(segment)
            if last_ms is not None and last_ms >= before_ms:
                return None
            return sum(segment.end(p) - base for p, base in enumerate(segment.bases))
        finally:
            segment.close()


def _tail(segment: Segment, partition: int) -> _Tail:
    row = segment.connection.execute(
        f"SELECT offset, appended_ms FROM {table(partition)} ORDER BY offset DESC LIMIT 1"
    ).fetchone()
    return _Tail(segment.bases[partition], NEVER_MS) if row is None else _Tail(row[0] + 1, row[1])


def _began_ms(segment: Segment) -> int | None:
    """When the first entry was appended, None when there is none."""
    firsts = (
        segment.connection.execute(f"SELECT appended_ms FROM {table(p)} ORDER BY offset LIMIT 1").fetchone()
        for p in range(len(segment.bases))
    )
    return min((row[0] for row in firsts if row is not None), default=None)


def _last_ms(segment: Segment) -> int | None:
    """When the last entry was appended, None when there is none."""
    return max(
        (tail.appended_ms for p in range(len(segment.bases)) if (tail := _tail(segment, p)).appended_ms > NEVER_MS),
        default=None,
    )


def _insert(connection: sqlite3.Connection, requests: Sequence[_Request], tails: dict[int, _Tail], now_ms: int) -> None:
    """Give every record the next offset of its partition and write them all."""
    next_offsets = {partition: tail.offset for partition, tail in tails.items()}
    rows: dict[int, list[tuple[int, int, str, bytes]]] = {partition: [] for partition in tails}
    for request in requests:
        request.placed = []
        for partition, key, value in request.records:
            offset = next_offsets[partition]
            next_offsets[partition] = offset + 1
            rows[partition].append((offset, now_ms, key, value))
            request.placed.append((partition, offset))
    for partition, written in rows.items():
        connection.executemany(f"INSERT INTO {table(partition)} VALUES (?, ?, ?, ?)", written)
