"""How entries come back: one named reader that follows the segments of one topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from hustings.clock import Clock, from_ms
from hustings.contracts import Entry, Topic
from hustings.errors import StoreError
from hustings.sqlite_file import translated
from ingest.log_sqlite.register import Register
from ingest.log_sqlite.segments import Segment, SegmentFolder, table

__all__ = ["SqliteLogReader"]

BUSY_PAUSE_S = 0.001
"""Between two looks while entries arrive: what an entry waits at worst before another process sees it."""
IDLE_PAUSE_S = 0.003
"""Between two looks in a quiet stream: a look costs about 20 µs, so an idle reader takes under 1 % of a core."""
BUSY_FOR_S = 1.0
"""How long after an entry the stream counts as busy."""


class SqliteLogReader:
    """One reader of one topic; used by one thread at a time.

    Committed entries of a partition are always a dense run from its base, because offsets are given under the write
    lock: what a read finds can have no gap that is filled later.
    """

    def __init__(
        self,
        topic: Topic,
        name: str,
        assigned: Sequence[int],
        *,
        segments: SegmentFolder,
        register: Register,
        clock: Clock,
    ) -> None:
        self._topic = topic
        self._name = name
        self._assigned = list(assigned)
        self._segments = segments
        self._register = register
        self._clock = clock
        self._open: dict[int, Segment] = {}
        self._at: dict[int, Segment] = {}
        self._next: dict[int, int] = {}
        self._turn = 0
        self._last_entry_s = clock.monotonic() - BUSY_FOR_S
        self._is_closed = False

    def start(self) -> None:
        """Find the committed positions; called once, by the log."""
        self._go_to(self.committed())

    def poll(self, *, limit: int, timeout_s: float) -> list[Entry]:
        deadline = self._clock.monotonic() + timeout_s
        while True:
            with translated(self._segments.folder):
                entries = self._read(limit)
            now = self._clock.monotonic()
            if entries:
                self._last_entry_s = now
                return entries
            if now >= deadline:
                return []
            pause = BUSY_PAUSE_S if now - self._last_entry_s < BUSY_FOR_S else IDLE_PAUSE_S
            self._clock.sleep(min(pause, deadline - now))

    def commit(self, positions: Mapping[int, int]) -> None:
        self._check_assigned(positions)
        for partition, offset in positions.items():
            if offset > self._next[partition] and offset > self._end(partition):
                raise StoreError(
                    f"reader {self._name!r} of topic {self._topic!r}, partition {partition}: commits {offset}, but the"
                    f" log ends at {self._end(partition)}; was it restored from an older backup?"
                )
        self._register.store_positions(self._topic, self._name, positions)

    def committed(self) -> dict[int, int]:
        stored = self._register.positions(self._topic, self._name)
        return {partition: stored.get(partition, 0) for partition in self._assigned}

    def seek(self, positions: Mapping[int, int]) -> None:
        self._check_assigned(positions)
        committed = self.committed()
        self._go_to({p: min(offset, committed[p]) for p, offset in positions.items()})

    def partitions(self) -> list[int]:
        return list(self._assigned)

    def close(self) -> None:
        self._is_closed = True
        for segment in self._open.values():
            segment.close()
        self._open.clear()
        self._at.clear()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self, limit: int) -> list[Entry]:
        if self._is_closed:
            raise StoreError(f"reader {self._name!r} of topic {self._topic!r} is closed")
        entries: list[Entry] = []
        self._turn += 1  # another partition begins each time, so that a flooded one cannot starve the rest
        for place in range(len(self._assigned)):
            partition = self._assigned[(place + self._turn) % len(self._assigned)]
            while len(entries) < limit:
                found = self._read_segment(partition, limit - len(entries))
                entries += found
                if not found and not self._go_on(partition):
                    break
        return entries

    def _read_segment(self, partition: int, limit: int) -> list[Entry]:
        found = self._at[partition].connection.execute(
            f"SELECT offset, appended_ms, key, value FROM {table(partition)} WHERE offset >= ? ORDER BY offset LIMIT ?",
            (self._next[partition], limit),
        )
        rows = found.fetchall()
        if not rows:
            return []
        self._next[partition] = rows[-1][0] + 1
        times: dict[int, datetime] = {}
        entries = []
        for offset, appended_ms, key, value in rows:
            appended_at = times.get(appended_ms)
            if appended_at is None:
                appended_at = times[appended_ms] = from_ms(appended_ms)
            entries.append(Entry(partition, offset, key, value, appended_at))
        return entries

    # ── which segment ────────────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, partition: int) -> bool:
        """Move on when nothing is left in this segment and nothing can come any more. The order matters: only what was
        read after its successor was seen is all of it."""
        current = self._at[partition]
        if not self._segments.has_successor(current):
            return False
        if current.end(partition) > self._next[partition]:
            return True
        for number in self._segments.numbers():
            if number > current.number and (segment := self._opened(number)) is not None:
                self._enter(partition, segment, self._next[partition])
                self._close_unused()
                return True
        return False

    def _go_to(self, positions: Mapping[int, int]) -> None:
        with translated(self._segments.folder):
            for partition, offset in positions.items():
                self._enter(partition, self._holding(partition, offset), offset)
        self._close_unused()

    def _enter(self, partition: int, segment: Segment, offset: int) -> None:
        """Entries below the base were dropped by age: reading goes on at the oldest that is held."""
        self._at[partition] = segment
        self._next[partition] = max(offset, segment.bases[partition])

    def _holding(self, partition: int, offset: int) -> Segment:
        """The newest segment that begins at or before `offset`, else the oldest."""
        while True:
            oldest: Segment | None = None
            for number in reversed(self._segments.numbers()):
                segment = self._opened(number)
                if segment is None:
                    break
                oldest = segment
                if segment.bases[partition] <= offset:
                    break
            if oldest is not None:
                return oldest
            self._segments.open_newest().close()  # raises when the folder holds none at all

    def _opened(self, number: int) -> Segment | None:
        segment = self._open.get(number)
        if segment is None and (segment := self._segments.open(number)) is not None:
            self._open[number] = segment
        return segment

    def _close_unused(self) -> None:
        used = {segment.number for segment in self._at.values()}
        for number in [number for number in self._open if number not in used]:
            self._open.pop(number).close()

    # ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _end(self, partition: int) -> int:
        with translated(self._segments.folder):
            newest = self._segments.open_newest()
            try:
                return newest.end(partition)
            finally:
                newest.close()

    def _check_assigned(self, positions: Mapping[int, int]) -> None:
        foreign = sorted(set(positions) - set(self._assigned))
        if foreign:
            raise StoreError(
                f"reader {self._name!r} of topic {self._topic!r}: partitions {foreign} are not assigned to it;"
                f" it reads {self._assigned}"
            )
