"""How far time has come in each partition of the posts topic: what the progress marks say.

Live: everything read, so the time is now less the append delay; behind, it is the stamp of the last post read.

Replay: archives are handed to the log merged by their time (`ingest/polling.py`), so in each partition it is the stamp
of the last post read; and where everything is read, also in a partition without any post, the time up to which the
archives were handed over. Once all archives are at their end and every partition is read, it is `settled`: by then
every episode has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from hustings.types import Post

__all__ = ["APPEND_DELAY", "Archive", "Progress", "handed_over", "is_over"]

APPEND_DELAY = timedelta(seconds=2)
"""How long after its stamp g a post may still be on its way into the log; the live horizon stays behind by this."""


class Archive(NamedTuple):
    """What is known of a source that is replayed: whether it has delivered all it has, and the stamp of the last post
    that is in the log, None when there is none yet."""

    done: bool
    last: datetime | None


class Progress:
    """What one worker knows of its partitions, from the posts that it made durable."""

    def __init__(self, *, settle_after: timedelta) -> None:
        self._settle_after = settle_after
        self._last: dict[int, datetime] = {}

    def saw(self, partition: int, posts: Iterable[Post]) -> None:
        """Everything of this partition up to these posts is analysed. What was true once stays true, whoever reads the
        partition now."""
        for post in posts:
            at = post.collected_at
            self._last[partition] = max(at, self._last.get(partition, at))

    def live(self, partition: int, *, now: datetime, read_to_end: bool) -> datetime | None:
        """`now` must have been read before the ends of the log were."""
        if read_to_end:
            return now - APPEND_DELAY
        last = self._last.get(partition)
        return None if last is None else min(last, now) - APPEND_DELAY

    def replay(self, partition: int, *, archives: Mapping[str, Archive], read_to_end: bool) -> datetime | None:
        """`archives` must have been read before the ends of the log were."""
        handed = handed_over(archives) if read_to_end else None
        return max((at for at in (self._last.get(partition), handed) if at is not None), default=None)

    def settled(self, archives: Mapping[str, Archive], newest: datetime | None) -> datetime | None:
        """The time by which every episode of a finished replay has ended, the same for every worker; `newest` is when
        the newest post was published. None when there was no post at all."""
        known = [at for at in (handed_over(archives), newest) if at is not None]
        return max(known) + self._settle_after if known else None


def handed_over(archives: Mapping[str, Archive]) -> datetime | None:
    """Every post that was collected before is in the log: archives are merged, so none is behind another."""
    return max((archive.last for archive in archives.values() if archive.last is not None), default=None)


def is_over(archives: Mapping[str, Archive]) -> bool:
    """Whether every archive has delivered all it has."""
    return all(archive.done for archive in archives.values())
