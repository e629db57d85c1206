"""From one place to another: the log, the index, the desk, each by itself, each counted on both sides.

The log may be moved while the loops run: begun again, it goes on where it stopped. For the last entries, for the index
and for the desk the loops must be stopped, so that nothing is written behind the mover's back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import get_args

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, text

from desk.database.connect import reading, writing
from desk.database.tables import metadata, outbox
from hustings.contracts import Index, Log, Record, Topic
from hustings.errors import StoreError
from hustings.types import Assessment, Post
from runtime.refill import Assess, Period, refill_hits, refill_posts
from runtime.status import READERS, books_of

__all__ = ["MovedDesk", "MovedIndex", "MovedLog", "move_desk", "move_index", "move_log", "topics"]

BATCH = 500
Advance = Callable[[int], None]


class MovedLog(msgspec.Struct, frozen=True, kw_only=True):
    """Entries by topic: those copied now, and those that both logs hold after it."""

    copied: dict[str, int]
    held: dict[str, int]
    read_up_to: dict[str, int]


class MovedIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Posts taken over as they stood, posts assessed again (former revisions, of which the index keeps none), hits."""

    taken_over: int
    assessed_again: int
    hits: int
    books: dict[str, int]


class MovedDesk(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by table, the same on both sides."""

    rows: dict[str, int]


# ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────


def move_log(source: Log, target: Log, *, advance: Advance = lambda entries: None) -> MovedLog:
    """Copy every entry to the same partition, in order, and the readers' positions. Raises `StoreError` when the two
    have not the same partitions, or the target holds something else."""
    copied: dict[str, int] = {}
    held: dict[str, int] = {}
    for topic in topics():
        if source.partitions(topic) != target.partitions(topic):
            raise StoreError(
                f"{topic}: {source.partitions(topic)} partitions here and {target.partitions(topic)} there; a key would"
                " go to another one: give the target's [log] the same numbers"
            )
        copied[topic] = sum(
            _copy(source, target, topic, partition, advance) for partition in range(source.partitions(topic))
        )
        held[topic] = sum(target.ends(topic).values())
    return MovedLog(copied=copied, held=held, read_up_to=_take_positions(source, target))


def _copy(source: Log, target: Log, topic: Topic, partition: int, advance: Advance) -> int:
    """The entries of one partition that the target has not yet; offsets there begin at 0."""
    start, end = source.starts(topic)[partition], source.ends(topic)[partition]
    position = begun = start + target.ends(topic)[partition]
    if position > end:
        raise StoreError(f"{topic}/{partition}: the target holds more entries than the source; it is another log's")
    if position > start and _first(source, topic, partition) != _first(target, topic, partition):
        raise StoreError(f"{topic}/{partition}: the target holds other entries; move into an empty log")
    reader = source.reader(topic, f"move-{target.id}", partitions=[partition])
    try:
        if position > reader.committed()[partition]:
            reader.commit({partition: position})  # a reader never reads behind what it committed
        reader.seek({partition: position})
        while position < end:
            entries = reader.poll(limit=min(BATCH, end - position), timeout_s=5.0)
            if entries:
                target.append(topic, [Record(entry.key, entry.value) for entry in entries], partition=partition)
                position = entries[-1].offset + 1
                advance(len(entries))
    finally:
        reader.close()
    return position - begun


def _first(log: Log, topic: Topic, partition: int) -> tuple[str, bytes]:
    """By it one log is told from another."""
    reader = log.reader(topic, "move-first", partitions=[partition])
    try:
        reader.seek({partition: log.starts(topic)[partition]})
        (entry,) = reader.poll(limit=1, timeout_s=30.0)
        return entry.key, entry.value
    finally:
        reader.close()


def _take_positions(source: Log, target: Log) -> dict[str, int]:
    """The readers go on where they were: without that they would read everything again."""
    moved: dict[str, int] = {}
    for topic, name in READERS:
        former, present = source.reader(topic, name), target.reader(topic, name)
        try:
            starts, ends = source.starts(topic), target.ends(topic)
            wanted = {
                partition: min(max(offset - starts[partition], 0), ends[partition])
                for partition, offset in former.committed().items()
            }
            committed = present.committed()
            beyond = {p: offset for p, offset in wanted.items() if offset > committed.get(p, 0)}
            if beyond:
                present.commit(beyond)
            moved[topic] = sum(wanted.values())
        finally:
            former.close()
            present.close()
    return moved


# ── the index ────────────────────────────────────────────────────────────────────────────────────────────────────


def move_index(
    log: Log, source: Index, target: Index, assess: Assess, *, starts: Callable[[str, int], Advance]
) -> MovedIndex:
    """Fill `target` from the moved log, with every assessment as it stands in `source`. Revisions that `source` has
    overwritten are assessed again by `assess`, so that the books come out the same, less what `prune` had dropped from
    the log. Raises `StoreError` when they do not, or when the target is not empty."""
    if target.log_id() is not None or any(target.books().values()):
        raise StoreError("the target index is not empty; move into one that was just made")
    standing = _Standing(source, assess)
    refill_posts(
        log, target, standing.assess, period=Period(), advance=starts("posts", sum(log.ends("posts").values()))
    )
    hits = refill_hits(log, target, advance=starts("hits", sum(log.ends("hits").values())))
    target.refresh()
    before, after = source.books(), target.books()
    books = books_of(log, target)
    is_whole = not books.unread and sum(before.values()) == sum(after.values())
    if not books.balanced or (is_whole and before != after):
        raise StoreError(f"the books differ: {before} in the source, {after} in the target")
    return MovedIndex(
        taken_over=standing.taken_over, assessed_again=standing.assessed_again, hits=hits, books=dict(after)
    )


class _Standing:
    """Says of a post what the source says of it."""

    def __init__(self, source: Index, assess: Assess) -> None:
        self._source = source
        self._assess = assess
        self.taken_over = self.assessed_again = 0

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]:
        """As `classifiers.pipeline.Pipeline.assess`."""
        stored = self._source.get(list({post.key for post in posts}))
        found = [stored.get(post.key) for post in posts]
        again = [
            post for post, one in zip(posts, found, strict=True) if one is None or one.post.revision != post.revision
        ]
        new = iter(self._assess(again, first_collected) if again else ())
        self.taken_over += len(posts) - len(again)
        self.assessed_again += len(again)
        return [
            one if one is not None and one.post.revision == post.revision else next(new)
            for post, one in zip(posts, found, strict=True)
        ]


# ── the desk ─────────────────────────────────────────────────────────────────────────────────────────────────────


def move_desk(source: Engine, target: Engine, *, advance: Advance = lambda rows: None) -> MovedDesk:
    """Copy every table in one transaction; nothing is there or everything. Raises `StoreError` when the target is not
    empty or a count differs."""
    rows: dict[str, int] = {}
    with reading(source) as there, writing(target) as here:
        for table in metadata.sorted_tables:
            if _count(here, table.name) and table.name != "audit_head":
                raise StoreError(f"the target's table {table.name!r} is not empty; move into a new database")
        for table in metadata.sorted_tables:
            if table.name == "audit_head":
                here.execute(table.delete())
            result = there.execution_options(yield_per=BATCH).execute(select(table))
            for part in result.mappings().partitions(BATCH):
                here.execute(insert(table), [dict(row) for row in part])
                advance(len(part))
            rows[table.name] = _count(here, table.name)
            if rows[table.name] != _count(there, table.name):
                raise StoreError(f"{table.name}: {rows[table.name]} rows arrived of {_count(there, table.name)}")
        _go_on_counting(here)
    return MovedDesk(rows=rows)


def _count(connection: Connection, name: str) -> int:
    found: int = connection.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
    return found


def _go_on_counting(connection: Connection) -> None:
    """PostgreSQL numbers new rows by a sequence of its own, which copied rows do not move."""
    if connection.dialect.name != "postgresql":
        return
    last = connection.execute(select(func.max(outbox.c.sequence))).scalar()
    if last is not None:
        name = connection.execute(text("SELECT pg_get_serial_sequence('outbox', 'sequence')")).scalar_one()
        connection.execute(text("SELECT setval(:name, :last)"), {"name": name, "last": last})


def topics() -> tuple[Topic, ...]:
    """Every topic of a log."""
    return get_args(Topic)
