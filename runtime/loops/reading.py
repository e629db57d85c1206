"""In which order a worker takes the posts of its partitions, and who names their stories.

Live, posts are taken as they come, and the classifiers name stories as they go. A replay of several partitions must
give the same stories as one of a single partition, whatever the number of workers: a story is called after the post
that began it. So there posts are taken in the order of their time, over all partitions of the worker, and their stories
are named in that order over all workers (`story_order.py`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import msgspec

from hustings.contracts import Entry, Log, LogReader
from hustings.errors import Unavailable
from hustings.types import Assessment
from runtime.loops.progress import Archive, handed_over, is_over
from runtime.loops.story_order import StoryOrder

__all__ = ["AsTheyCome", "ByTime", "Reading"]

NEVER = datetime.max.replace(tzinfo=UTC)
BUFFERED_BATCHES = 8
"""With more than so many batches in hand little is read on: one partition is waited for."""
PAUSE_S = 0.005
"""Between two looks whether other workers have come as far."""
WAIT_AT_MOST_S = 60.0
"""A worker that others wait for so long is not coming back by itself: the wait is told."""


class Reading(Protocol):
    """The posts of one worker on their way to the classifiers and from there to the index."""

    def restart(self, positions: Mapping[int, int]) -> None:
        """Begin at these offsets; what was taken and not finished is taken again."""
        ...

    def take(self, *, limit: int, timeout_s: float) -> list[Entry]:
        """The next batch, about `limit` entries; `[]` when there is nothing to do now. After each batch everything of a
        partition up to its last entry has been taken."""
        ...

    def told(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        """The assessments of the batch that was taken last, with their stories."""
        ...


class AsTheyCome:
    """Straight from the reader; stories are named by the classifiers already."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def restart(self, positions: Mapping[int, int]) -> None:
        self._reader.seek(positions)

    def take(self, *, limit: int, timeout_s: float) -> list[Entry]:
        return self._reader.poll(limit=limit, timeout_s=timeout_s)

    def told(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return list(assessments)


class _Stamp(msgspec.Struct, frozen=True):
    """The part of a post that order needs."""

    collected_at: datetime


class _Waiting(NamedTuple):
    """An entry and its time, which never falls within a partition."""

    at: datetime
    entry: Entry


class ByTime:
    """By time. A batch ends where every partition of this worker is read to, and where another worker waits."""

    def __init__(
        self,
        reader: LogReader,
        *,
        log: Log,
        archives: Callable[[], Mapping[str, Archive]],
        order: StoryOrder,
    ) -> None:
        self._reader = reader
        self._log = log
        self._archives = archives
        self._order = order
        self._waiting: dict[int, deque[_Waiting]] = {}
        self._next: dict[int, int] = {}
        self._come_to: dict[int, datetime] = {}
        self._complete_until = datetime.min.replace(tzinfo=UTC)
        self._decoder = msgspec.json.Decoder(_Stamp)

    def restart(self, positions: Mapping[int, int]) -> None:
        self._reader.seek(positions)
        self._next = dict(positions)
        self._waiting = {partition: deque() for partition in positions}
        self._come_to = {}
        self._complete_until = datetime.min.replace(tzinfo=UTC)

    def take(self, *, limit: int, timeout_s: float) -> list[Entry]:
        # The order is the promise: what was handed over before is inside the ends that are read after it.
        archives = self._archives()
        handed = NEVER if is_over(archives) else handed_over(archives)
        ends = self._log.ends("posts")
        self._fill(limit, timeout_s)
        if not self._next:
            return []
        until = min(self._read_until(partition, handed, ends[partition]) for partition in self._next)
        until = self._order.next_stop(self._next, after=self._complete_until, until=until)
        batch, until = self._due(until, limit)
        self._complete_until = max(until, self._complete_until)
        if not batch:
            self._order.come(self._next, self._complete_until, [])
        return [waiting.entry for waiting in batch]

    def told(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        flagged = [assessment for assessment in assessments if assessment.flags]
        self._order.come(self._next, self._complete_until, flagged)
        deadline = time.monotonic() + WAIT_AT_MOST_S
        while (stories := self._order.stories(flagged)) is None:
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._order.behind()}; is a worker that reads it alive?")
            self._fill(1, 0.0)  # also how a worker takes part in what its group decides
            time.sleep(PAUSE_S)
        named = iter(stories)
        return [
            msgspec.structs.replace(assessment, story=next(named)) if assessment.flags else assessment
            for assessment in assessments
        ]

    # ── by time ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self, limit: int, timeout_s: float) -> None:
        """Read on."""
        in_hand = sum(map(len, self._waiting.values()))
        if in_hand >= BUFFERED_BATCHES * limit:
            limit = max(1, limit // BUFFERED_BATCHES)
        for entry in self._reader.poll(limit=limit, timeout_s=0.0 if in_hand >= limit else timeout_s):
            partition = entry.partition
            before = self._come_to.get(partition)
            at = self._time_of(entry) or before or self._complete_until
            at = self._come_to[partition] = at if before is None else max(at, before)
            self._waiting[partition].append(_Waiting(at, entry))
            self._next[partition] = entry.offset + 1

    def _time_of(self, entry: Entry) -> datetime | None:
        try:
            return self._decoder.decode(entry.value).collected_at
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None  # a dead letter of `analyze`; it stays where it stands

    def _read_until(self, partition: int, handed: datetime | None, end: int) -> datetime:
        """Every post of the partition that is older has been read."""
        known = [self._come_to.get(partition), handed if self._next[partition] >= end else None]
        return max((at for at in known if at is not None), default=self._complete_until)

    def _due(self, until: datetime, limit: int) -> tuple[list[_Waiting], datetime]:
        """What waits and is older than `until`, in order; where that is more than `limit`, up to an earlier time."""
        due = sorted(
            (waiting for queue in self._waiting.values() for waiting in _older(queue, until)),
            key=lambda waiting: (waiting.at, waiting.entry.key),
        )
        if len(due) > limit:
            times = [waiting.at for waiting in due]
            too_many = times[limit]
            # Posts of one time stay together: back to before that time, or behind it if nothing would be left.
            until = too_many if too_many > times[0] else next((at for at in times[limit:] if at > too_many), until)
            due = [waiting for waiting in due if waiting.at < until]
        for waiting in due:
            self._waiting[waiting.entry.partition].popleft()
        return due, until


def _older(queue: deque[_Waiting], until: datetime) -> list[_Waiting]:
    found = []
    for waiting in queue:
        if waiting.at >= until:
            break
        found.append(waiting)
    return found
