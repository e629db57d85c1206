"""Progress marks: every posts partition tells every hits partition how far time has come in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hustings import wire
from hustings.clock import Clock
from hustings.contracts import Index, Log, Record
from hustings.query.tree import Everything, Query
from hustings.types import Mark
from runtime.loops.progress import Archive, Progress, is_over

__all__ = ["Archives", "Marks"]

Archives = Callable[[], Mapping[str, Archive]]
"""The archives that are replayed, as they are now."""


class Marks:
    """The marks of the partitions that one worker reads. Those of the others are their owners' to send."""

    def __init__(self, *, log: Log, index: Index, progress: Progress, archives: Archives | None, clock: Clock) -> None:
        self._log = log
        self._index = index
        self._progress = progress
        self._archives = archives
        self._clock = clock
        self._keys = _keys_by_partition(log)
        self._settled: tuple[dict[int, int], tuple[int, ...]] | None = None

    def send(self, positions: Mapping[int, int]) -> None:
        """Say on every hits partition how far time has come in these posts partitions, of which everything before
        these offsets is analysed."""
        # The order is the promise: what happened before `now`, or was handed over before the archives' state was read,
        # is inside the ends that are read after it.
        archives = None if self._archives is None else self._archives()
        now = self._clock.now()
        ends = self._log.ends("posts")
        read_to_end = {p: offset >= ends.get(p, 0) for p, offset in positions.items()}
        if archives is not None and is_over(archives) and all(read_to_end.values()) and self._others_are_done(ends):
            self._settle(archives, ends, positions)
            return
        marks = []
        for partition, offset in sorted(positions.items()):
            if archives is None:
                at = self._progress.live(partition, now=now, read_to_end=read_to_end[partition])
            else:
                at = self._progress.replay(partition, archives=archives, read_to_end=read_to_end[partition])
            if at is not None:
                marks.append(Mark(partition=partition, offset=offset, at=at))
        self._append(marks)

    def _others_are_done(self, ends: Mapping[int, int]) -> bool:
        held = self._index.positions("posts")
        return all(held.get(p, 0) >= end for p, end in ends.items())

    def _settle(self, archives: Mapping[str, Archive], ends: dict[int, int], positions: Mapping[int, int]) -> None:
        """A finished replay: one mark for each partition that settles everything, sent once for these ends by whoever
        reads it. An evaluator settles when it has the last of them, whichever worker was the last."""
        mine = tuple(sorted(positions))
        if self._settled == (ends, mine):
            return
        self._index.refresh()
        newest = self._index.search(Query(text="*", node=Everything()), limit=1).assessments
        at = self._progress.settled(archives, newest[0].post.published_at if newest else None)
        if at is not None:
            self._append([Mark(partition=p, offset=ends.get(p, 0), at=at) for p in mine])
        self._settled = (ends, mine)

    def _append(self, marks: Sequence[Mark]) -> None:
        """Every mark goes to every hits partition: each window's horizon is local to its partition."""
        if marks:
            encoded = [wire.encode(mark) for mark in marks]
            self._log.append("hits", [Record(key, value) for value in encoded for key in self._keys])


def _keys_by_partition(log: Log) -> list[str]:
    """A key that goes to each partition of hits, so that marks for all of them are one append."""
    keys: dict[int, str] = {}
    number = 0
    while len(keys) < log.partitions("hits"):
        key = f"mark|{number}"
        keys.setdefault(log.partition_of("hits", key), key)
        number += 1
    return list(keys.values())
