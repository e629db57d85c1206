"""One order of stories over several workers of a replay: the order of the posts' times.

Each worker says in the desk's memory how far it has come in each of its partitions, and which flagged posts it brings.
What lies before the time that all partitions have come to is complete: whoever looks names all of it, in order, in the
ledger of stories, its own posts and those of the others. What a worker once said of a partition stays true, whoever
reads the partition now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from hustings.contracts import Classifier, Memory
from hustings.types import Assessment, Flag, Post

__all__ = ["NamedLater", "StoryOrder"]

TABLE = "story_order"
BEGINNING = datetime.min.replace(tzinfo=UTC)


class _Said(msgspec.Struct, frozen=True):
    """What one worker has said: every post of these partitions that is older than `until` was told, or is in
    `waiting`."""

    log_id: str
    partitions: tuple[int, ...]
    until: datetime
    waiting: tuple[Assessment, ...] = ()


class StoryOrder:
    """The part that one worker has in it. `stories` names what it is given, as one of several workers, in the order
    given (`classifiers.shared_stories`)."""

    def __init__(self, *, worker: str, log_id: str, posts_partitions: int, memory: Memory, stories: Classifier) -> None:
        self._worker = worker
        self._log_id = log_id
        self._posts_partitions = posts_partitions
        self._memory = memory
        self._stories = stories
        self._last: _Said | None = None
        self._named_until = BEGINNING

    def come(self, partitions: Iterable[int], until: datetime, flagged: Sequence[Assessment]) -> None:
        """Say that every post of these partitions older than `until` was told before, or is among `flagged`."""
        said = _Said(self._log_id, tuple(sorted(partitions)), until, tuple(map(_bare, flagged)))
        if said != self._last:
            self._memory.put(TABLE, self._worker, msgspec.json.encode(said))
            self._last = said

    def next_stop(self, partitions: Iterable[int], *, after: datetime, until: datetime) -> datetime:
        """Where to end on the way to `until`: at the furthest time behind `after` that a partition of another worker
        has come to. Workers that stop at the same times go on side by side, instead of waiting in turn."""
        mine = set(partitions)
        come_to = self._come_to(self._said())
        return max((at for p, at in come_to.items() if p not in mine and after < at <= until), default=until)

    def stories(self, flagged: Sequence[Assessment]) -> list[str] | None:
        """The stories of posts that this worker brought; None until all partitions have come past them."""
        said = self._said()
        complete_until = self._complete_until(said)
        if complete_until > self._named_until:
            due = [one for each in said for one in each.waiting if one.post.collected_at < complete_until]
            # Also the same post twice: the first time that it was collected is its place.
            self._stories.classify(sorted(due, key=lambda one: (one.post.collected_at, one.key, one.post.revision)))
            self._named_until = complete_until
        if any(one.post.collected_at >= complete_until for one in flagged):
            return None
        return [one.story for one in self._stories.classify(list(map(_bare, flagged)))]

    def behind(self) -> str:
        """In words, who is waited for."""
        said = self._said()
        come_to = self._come_to(said)
        missing = [p for p in range(self._posts_partitions) if p not in come_to]
        if missing:
            return f"posts wait for partition {missing[0]}, of which no worker has said anything yet"
        last = min(come_to, key=lambda p: come_to[p])
        return f"posts wait for partition {last}, which has come to {come_to[last].isoformat()} only"

    def _said(self) -> list[_Said]:
        found = [msgspec.json.decode(raw, type=_Said) for raw in self._memory.entries(TABLE).values()]
        return [said for said in found if said.log_id == self._log_id]

    def _come_to(self, said: Sequence[_Said]) -> dict[int, datetime]:
        come_to: dict[int, datetime] = {}
        for each in said:
            for partition in each.partitions:
                come_to[partition] = max(each.until, come_to.get(partition, each.until))
        return come_to

    def _complete_until(self, said: Sequence[_Said]) -> datetime:
        come_to = self._come_to(said)
        if len(come_to) < self._posts_partitions:
            return BEGINNING
        return min(come_to.values())


class NamedLater:
    """Stands where the classifiers name stories, and leaves them to `StoryOrder`."""

    name, version = "stories", "by time"

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return list(assessments)


def _bare(assessment: Assessment) -> Assessment:
    """What naming needs of a flagged post: its words, not its text."""
    post = assessment.post
    return Assessment(
        post=Post(
            source=post.source,
            native_id=post.native_id,
            text="",
            published_at=post.published_at,
            collected_at=post.collected_at,
            revision=post.revision,
        ),
        flags=tuple(Flag(code=flag.code, score=flag.score) for flag in assessment.flags),
        tokens=assessment.tokens,
        title_tokens=assessment.title_tokens,
        first_collected_at=assessment.first_collected_at,
    )
