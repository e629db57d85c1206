"""hits log → index (hits) → desk (alerts, notices, amendments, queue) → position.

One evaluator per hits partition: a window lives in one partition, and so does its horizon. A start, and a change of
the partitions that a worker reads, rebuilds the windows of those partitions from the hits stored in the index and reads
the ids of unsettled alerts from the desk before it evaluates. An index that lost hits gets them back first; rules that
were edited get their past, again after a loss, and if the index is not ready for that, the windows are rebuilt when it
is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from hustings import wire
from hustings.clock import Clock
from hustings.contracts import AlertBook, AlertChanges, Entry, Index, Log, LogReader
from hustings.errors import StoreError, WriteRefused
from hustings.types import Alert, DeadLetter, Hit, Mark, hash_id
from ingest.dead_letters import append_dead_letters
from runtime.events import Events
from runtime.loops.arrivals import Arrivals, Read
from runtime.refill import entries_of, hits_of

__all__ = ["Evaluating", "Rematching", "Watcher"]

BATCH = 2_000
"""Most hits and marks of one step."""


class Evaluating(Protocol):
    """What `watch` needs of an evaluator (`alerts.evaluator.Evaluator`)."""

    def restore(self, hits: Iterable[Hit], unsettled: Sequence[Alert], *, as_of: datetime | None) -> None: ...

    def feed(self, entries: Sequence[Hit | Mark]) -> AlertChanges: ...


class Rematching(Protocol):
    """What `watch` needs of the rules that were edited (`runtime.rule_changes.EditedRules`)."""

    def index_was_lost(self) -> None: ...

    def rematch(self, write: Callable[[Sequence[Hit]], object]) -> bool: ...


class Watcher:
    """One worker of the watch loop over the hits partitions that its reader holds."""

    def __init__(
        self,
        *,
        log: Log,
        reader: LogReader,
        index: Index,
        book: AlertBook,
        evaluator: Callable[[int], Evaluating],
        arrivals: Callable[[], Arrivals],
        rules: Sequence[tuple[str, str]],
        edited: Callable[[], Rematching],
        partition_key: Callable[[Hit | Alert], str],
        epoch: Callable[[], int],
        clock: Clock,
        events: Events,
        wait_s: float,
        code_version: str,
    ) -> None:
        self._log = log
        self._reader = reader
        self._index = index
        self._book = book
        self._make_evaluator = evaluator
        self._make_arrivals = arrivals
        self._rules = rules
        self._make_edited = edited
        self._edited = edited()
        self._partition_key = partition_key
        self._next_epoch = epoch
        self._epoch = 0
        self._interrupted = False
        self._clock = clock
        self._events = events
        self._wait_s = wait_s
        self._code_version = code_version
        self._evaluators: dict[int, Evaluating] = {}
        self._arrivals: dict[int, Arrivals] = {}
        self._committed: dict[int, int] = {}
        self._begins: dict[int, int] = {}
        self._decoder = msgspec.json.Decoder(Hit | Mark)

    def start(self) -> None:
        """Rebuild the windows, then continue where everything is durable. Each start has an epoch of its own, above all
        before it."""
        began = time.perf_counter()
        self._epoch = self._next_epoch()
        self._committed = self._reader.committed()
        first = self._log.starts("hits")
        mine = self._reader.partitions()
        self._begins = {p: self._committed.get(p, 0) for p in mine}
        self._edited = self._make_edited()
        self._fill_index()
        self._edited.rematch(self._write)
        self._arrivals = {partition: self._make_arrivals() for partition in mine}
        self._reader.seek({p: max(first[p], begin - self._arrivals[p].looks_back) for p, begin in self._begins.items()})
        self._index.refresh()
        hits: dict[int, list[Hit]] = {partition: [] for partition in mine}
        for rule, logic in self._rules if mine else ():
            for hit in self._index.hits(rule, logic):
                hits.get(self._partition_of(hit), []).append(hit)
        alerts: dict[int, list[Alert]] = {partition: [] for partition in mine}
        newest = [max(hit.revised_at for hit in some) for some in hits.values() if some]
        since = self._uncommitted_since()
        as_of = min([*newest, *since.values()], default=None)
        for alert in self._book.unsettled(as_of=as_of) if mine else ():
            alerts.get(self._partition_of(alert), []).append(alert)
        self._evaluators = {partition: self._make_evaluator(partition) for partition in mine}
        for partition, evaluator in self._evaluators.items():
            evaluator.restore(hits[partition], alerts[partition], as_of=since.get(partition))
        self._events.info(
            "windows_restored",
            partitions=mine,
            hits=sum(map(len, hits.values())),
            alerts=sum(map(len, alerts.values())),
            seconds=round(time.perf_counter() - began, 3),
        )

    def step(self) -> int:
        """One batch, if there is one; returns how many entries were handled. After a step that raised, the next one
        rebuilds the windows and begins again where everything is durable."""
        if self._interrupted:
            self.start()
        self._interrupted = True
        entries = self._reader.poll(limit=BATCH, timeout_s=self._wait_s)
        if entries and self._edited.rematch(self._write):
            self.start()  # the entries are read again, by windows that know the past
        elif entries:
            by_partition: dict[int, list[Entry]] = {}
            for entry in entries:
                by_partition.setdefault(entry.partition, []).append(entry)
            self._handle(by_partition)
        self._interrupted = False
        return len(entries)

    def partitions(self) -> list[int]:
        """What this worker reads now."""
        return self._reader.partitions()

    def close(self) -> None:
        """Give the reader back."""
        self._reader.close()

    def _fill_index(self) -> None:
        """Write to the index what was committed and it does not hold any more. The alerts of these hits are recorded:
        windows without them would let alerts end that stand, and tell anew those that are over."""
        held = self._index.positions("hits")
        lost = {p: (held.get(p, 0), begin) for p, begin in self._begins.items() if held.get(p, 0) < begin}
        if lost:  # remembered before it is filled: afterwards nothing would tell of the loss
            self._edited.index_was_lost()
        filled = 0
        for entries in entries_of(self._log, "hits", between=lost):
            hits = hits_of(entries)
            self._write(hits, {entries[-1].partition: entries[-1].offset + 1})
            filled += len(hits)
        if lost:
            self._events.warning("index_filled", partitions=sorted(lost), hits=filled)

    def _uncommitted_since(self) -> dict[int, datetime]:
        """When the earliest hit became known that is not committed, by partition where there is one. The index may hold
        later ones already, of a batch that was cut off: windows that went by those would have forgotten what this one
        needs."""
        ends = self._log.ends("hits")
        uncommitted = {p: (begin, ends[p]) for p, begin in self._begins.items() if begin < ends[p]}
        since: dict[int, datetime] = {}
        for entries in entries_of(self._log, "hits", between=uncommitted):
            partition = entries[0].partition
            times = [hit.revised_at for hit in hits_of(entries)]
            times += [since[partition]] if partition in since else []
            if times:
                since[partition] = min(times)
        return since

    def _partition_of(self, what: Hit | Alert) -> int:
        return self._log.partition_of("hits", self._partition_key(what))

    def _handle(self, entries: Mapping[int, Sequence[Entry]]) -> None:
        """Entries by partition: into the index in one writing, since each costs a server a durable write; then each
        partition's windows; then one commit."""
        taken: dict[int, list[Hit | Mark]] = {}
        positions: dict[int, int] = {}
        for partition, of_partition in entries.items():
            if partition not in self._evaluators:
                raise StoreError(f"partition {partition} of hits was read without its windows having been rebuilt")
            taken[partition], positions[partition] = self._arrivals[partition].take(self._decoded(of_partition))
        hits = [value for values in taken.values() for value in values if isinstance(value, Hit)]
        refused = self._write(hits, positions)
        for partition, values in taken.items():
            changes = self._evaluators[partition].feed([value for value in values if value not in refused])
            if changes != AlertChanges():
                self._record(partition, changes)
        # Less than was committed is read again for the marks among it (`looks_back`).
        beyond = {p: position for p, position in positions.items() if position > self._committed.get(p, 0)}
        if beyond:
            self._reader.commit(beyond)
            self._committed = {**self._committed, **beyond}

    def _write(self, hits: Sequence[Hit], positions: Mapping[int, int] | None = None) -> set[Hit]:
        """Into the index; returns those that it will never take, which are dead letters and belong to no window: a
        restart would not find them. Also without a hit: the index holds its position, by which a restart tells what it
        lost."""
        refused: set[Hit] = set()
        while True:
            taken = [hit for hit in hits if hit not in refused]
            try:
                self._index.write_hits(taken, log_id=self._log.id, positions=positions)
                return refused
            except WriteRefused as refusal:
                self._write_dead([self._letter_of(taken[place], reason) for place, reason in refusal.reasons.items()])
                refused |= {taken[place] for place in refusal.reasons}

    def _letter_of(self, hit: Hit, reason: str) -> DeadLetter:
        return DeadLetter(
            id=hash_id("refused", self._log.id, hit.id, str(hit.revision)),
            stage="watch",
            reason="refused",
            detail=reason,
            origin=f"hits/{self._partition_of(hit)}",
            original=wire.encode(hit),
            at=self._clock.now(),
        )

    def _write_dead(self, letters: Sequence[DeadLetter]) -> None:
        append_dead_letters(self._log, letters, code_version=self._code_version)
        self._events.warning("dead_letters", count=len(letters))

    def _record(self, partition: int, changes: AlertChanges) -> None:
        self._book.record(changes, partition=partition, epoch=self._epoch)
        self._events.debug(
            "alerts_recorded",
            alerts=len(changes.alerts),
            notices=len(changes.notices),
            amendments=len(changes.amendments),
            queue=len(changes.queue),
        )

    def _decoded(self, entries: Sequence[Entry]) -> list[Read]:
        read: list[Read] = []
        for entry in entries:
            is_known = entry.offset < self._begins.get(entry.partition, 0)
            try:
                value = self._decoder.decode(entry.value)
                read.append(Read(entry.offset, None if is_known and isinstance(value, Hit) else value))
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                if is_known:
                    read.append(Read(entry.offset, None))
                    continue
                letter = DeadLetter(
                    id=hash_id("hits", self._log.id, str(entry.partition), str(entry.offset)),
                    stage="watch",
                    reason="undecodable",
                    detail=str(error),
                    origin=f"hits/{entry.partition}/{entry.offset}",
                    original=entry.value,
                    at=self._clock.now(),
                )
                self._write_dead([letter])
                read.append(Read(entry.offset, None))
        return read
