"""Forgetting what is older than the deployment keeps: in the log by whole segments, in the index post by post, and at
the desk the tips that became posts.

What a reader has not read yet stays, however old it is: otherwise the books would not balance and posts would be lost.
Sealed evidence, alerts, reviews and the audit chain are not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import get_args

import msgspec

from hustings.clock import rfc3339
from hustings.contracts import Index, Log, Memory, Topic
from hustings.errors import ConfigError
from hustings.query.tree import Between, Query
from ingest.tips import handed_over
from runtime.config import Config
from runtime.source_tables import source_tables
from runtime.status import READERS

__all__ = ["Pruned", "cutoff_of", "old_tips", "prune", "would_prune"]

PAGE = 1_000


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was forgotten, or would be: entries of the log by topic, posts of the index, tips of the desk. `kept_unread`
    are entries that are old enough but not read yet. Of the log only whole segments go, so a dry run says how many at
    most."""

    before: str
    dry_run: bool
    log_entries: dict[str, int]
    kept_unread: dict[str, int]
    index_posts: int
    tips: int


def cutoff_of(config: Config, now: datetime) -> datetime:
    """What came before this is forgotten. Raises `ConfigError` for a replay, whose posts are as old as they are."""
    if config.deployment.clock == "replay":
        raise ConfigError(
            f"{config.path}: deployment.clock: a replay keeps its archives' times and has no retention;"
            " remove its data folder when it is no longer needed"
        )
    return now - timedelta(days=config.log.keep_days)


def prune(log: Log, index: Index, memory: Memory, *, tips: Sequence[str], before: datetime) -> Pruned:
    """Forget, of the desk these tips. The index goes first: it never knows less than the log would give it again."""
    posts = index.prune(before=before)
    dropped: dict[str, int] = {}
    unread: dict[str, int] = {}
    for topic in _topics():
        readable_to, unread[topic] = _reach(log, index, topic, before)
        dropped[topic] = log.drop_before(topic, readable_to)
    for tip_id in tips:
        memory.delete("tips", tip_id)
    return Pruned(
        before=rfc3339(before),
        dry_run=False,
        log_entries=dropped,
        kept_unread=_above_zero(unread),
        index_posts=posts,
        tips=len(tips),
    )


def would_prune(log: Log, index: Index, *, tips: Sequence[str], before: datetime) -> Pruned:
    """What `prune` would forget, about; nothing is changed."""
    entries: dict[str, int] = {}
    unread: dict[str, int] = {}
    for topic in _topics():
        readable_to, unread[topic] = _reach(log, index, topic, before)
        entries[topic] = sum(1 for _ in _older(log, topic, readable_to))
    old = Query(text="*", node=Between(field="collected", start=None, end=before))
    return Pruned(
        before=rfc3339(before),
        dry_run=True,
        log_entries=entries,
        kept_unread=_above_zero(unread),
        index_posts=index.count(old),
        tips=len(tips),
    )


def old_tips(config: Config, memory: Memory, *, before: datetime) -> list[str]:
    """Ids of the desk's tips that are old enough and have become posts of the log; what nobody collected stays."""
    sources = [table.name for table in source_tables(config) if table.kind == "tips"]
    return sorted({tip_id for name in sources for tip_id in handed_over(memory, name, before=before)})


def _topics() -> tuple[Topic, ...]:
    return get_args(Topic)


def _reach(log: Log, index: Index, topic: Topic, before: datetime) -> tuple[datetime, int]:
    """How far a topic may be dropped, and how many old entries an unread one among them holds back."""
    name = dict(READERS).get(topic)
    if name is None:
        return before, 0
    held = index.positions(topic)
    readable_to, waiting = before, 0
    for partition in range(log.partitions(topic)):
        reader = log.reader(topic, name, partitions=[partition])
        try:
            committed = reader.committed()[partition]
            reader.seek({partition: min(committed, held.get(partition, 0))})
            while entries := reader.poll(limit=PAGE, timeout_s=0):
                old = [entry for entry in entries if entry.appended_at < before]
                readable_to = min([readable_to, *(entry.appended_at for entry in old[:1])])
                waiting += len(old)
                if len(old) < len(entries):
                    break
        finally:
            reader.close()
    return readable_to, waiting


def _older(log: Log, topic: Topic, when: datetime) -> Iterator[int]:
    """The offsets of entries appended before `when`."""
    for partition in range(log.partitions(topic)):
        reader = log.reader(topic, "prune", partitions=[partition])
        try:
            while entries := reader.poll(limit=PAGE, timeout_s=0):
                old = [entry.offset for entry in entries if entry.appended_at < when]
                yield from old
                if len(old) < len(entries):
                    break
        finally:
            reader.close()


def _above_zero(counts: dict[str, int]) -> dict[str, int]:
    return {topic: count for topic, count in counts.items() if count}
