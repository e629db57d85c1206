"""In which order the hits of one partition are evaluated, and what of it is done.

Live, hits are evaluated as they come: who has to be told is told at once. In a replay nobody waits, and the ids of
alerts must be the same however many partitions and workers the posts went through: there a hit waits until every posts
partition has come past the time when it became known, and all that may be evaluated is, in the order of that time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from hustings.types import Hit, Mark

__all__ = ["Arrivals", "Passing", "Read", "Ready", "Sorted"]


class Read(NamedTuple):
    """One entry of the hits log; `value` None is one that could not be decoded."""

    offset: int
    value: Hit | Mark | None


class Ready(NamedTuple):
    """What is to be evaluated now, in order. `position` is the offset up to which nothing waits any more."""

    values: list[Hit | Mark]
    position: int


class Arrivals(Protocol):
    """The entries of one hits partition on their way to its evaluator."""

    @property
    def looks_back(self) -> int:
        """How many entries before the position a restart reads again for the marks among them."""
        ...

    def take(self, entries: Iterable[Read]) -> Ready:
        """Take in what was read, in the order of the log, at least one entry."""
        ...


class Passing:
    """Nothing waits."""

    looks_back = 0

    def take(self, entries: Iterable[Read]) -> Ready:
        read = list(entries)
        return Ready([entry.value for entry in read if entry.value is not None], read[-1].offset + 1)


class Sorted:
    """Hits wait for the marks of all posts partitions. One that comes behind the marks waits for nothing.

    A restart needs the marks again, and nobody sends the last ones twice: so the latest mark of each partition counts
    as waiting, until all partitions have come to the same time. Then the windows are there too, and need none of them;
    and so that a restart behind that time knows of it, it looks back.
    """

    looks_back = 2_000

    def __init__(self, posts_partitions: int) -> None:
        self._posts_partitions = posts_partitions
        self._marks: dict[int, datetime] = {}
        self._mark_offsets: dict[int, int] = {}
        self._waiting: list[tuple[datetime, str, int, Hit]] = []
        self._waiting_offsets: list[int] = []
        self._released: set[int] = set()
        self._next = 0

    def take(self, entries: Iterable[Read]) -> Ready:
        values: list[Hit | Mark] = []
        for offset, value in entries:
            self._next = offset + 1
            if isinstance(value, Mark):
                self._pass(value, offset)
                values += self._due()
                values.append(value)
            elif value is not None:
                heappush(self._waiting, (value.known_at, value.key, offset, value))
                heappush(self._waiting_offsets, offset)
        values += self._due()
        return Ready(values, self._position())

    def _pass(self, mark: Mark, offset: int) -> None:
        known = self._marks.get(mark.partition)
        if known is None or mark.at >= known:
            self._marks[mark.partition] = mark.at
            self._mark_offsets[mark.partition] = offset

    def _due(self) -> list[Hit | Mark]:
        """What became known before the time that every partition has come to; a post of that very time may be
        unread."""
        if len(self._marks) < self._posts_partitions:
            return []
        passed = min(self._marks.values())
        due: list[Hit | Mark] = []
        while self._waiting and self._waiting[0][0] < passed:
            _, _, offset, hit = heappop(self._waiting)
            self._released.add(offset)
            due.append(hit)
        return due

    def _position(self) -> int:
        while self._waiting_offsets and self._waiting_offsets[0] in self._released:
            self._released.remove(heappop(self._waiting_offsets))
        needed = self._waiting_offsets[:1]
        if len(self._marks) < self._posts_partitions or len(set(self._marks.values())) > 1:
            needed += self._mark_offsets.values()
        return min(needed, default=self._next)
