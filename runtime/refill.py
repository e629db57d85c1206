"""Fills an index from the log: all of it for a rebuild, a period of it for a replay, with the models that serve now.

The log is only read: no hits are sent, no marks, nothing is committed, so the loops may go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from hustings import wire
from hustings.contracts import Entry, Index, Log, Topic
from hustings.errors import StoreError, Unavailable, WriteRefused
from hustings.types import Assessment, Hit, Mark, Post
from runtime.loops.analyze import first_collected

__all__ = ["Period", "Refilled", "entries_of", "hits_of", "refill_hits", "refill_posts"]

BATCH = 500
Assess = Callable[[Sequence[Post], Mapping[str, datetime]], list[Assessment]]


class Period(NamedTuple):
    """By time of collection, half-open; None is no bound."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_everything(self) -> bool:
        return self.start is None and self.end is None

    def holds(self, post: Post) -> bool:
        """Whether the post was collected in it."""
        after = self.start is None or post.collected_at >= self.start
        return after and (self.end is None or post.collected_at < self.end)


class Refilled(msgspec.Struct, frozen=True, kw_only=True):
    """How many posts were read, how many of them written, and how many cannot be: they are dead letters already."""

    read: int
    written: int
    dead: int


def refill_posts(
    log: Log,
    index: Index,
    assess: Assess,
    *,
    period: Period,
    each: Callable[[Sequence[Assessment]], None] = lambda written: None,
    advance: Callable[[int], None] = lambda entries: None,
) -> Refilled:
    """Assess the posts of the period and write them to `index`; `each` sees every batch, `advance` counts entries.
    With the whole log, the index holds its positions and books too, what the log has dropped included, and may take the
    place of the live one."""
    read = written = dead = 0
    if period.is_everything:
        index.write([], log_id=log.id, dropped=log.starts("posts"))
    for entries in entries_of(log, "posts"):
        posts, origins, undecodable = _decoded(entries)
        chosen = [(post, origin) for post, origin in zip(posts, origins, strict=True) if period.holds(post)]
        assessments, failed = _assess_alone([post for post, _ in chosen], assess, index)
        sound = [(a, origin) for a, (_, origin) in zip(assessments, chosen, strict=True) if a is not None]
        lost = undecodable + [chosen[place][1] for place in failed]
        positions = {entry.partition: entry.offset + 1 for entry in entries} if period.is_everything else None
        refused = _write(log, index, sound, lost, positions)
        kept = [a for place, (a, _) in enumerate(sound) if place not in refused]
        each(kept)
        read, written, dead = read + len(chosen), written + len(kept), dead + len(lost) + len(refused)
        advance(len(entries))
    return Refilled(read=read, written=written, dead=dead)


def refill_hits(log: Log, index: Index, *, advance: Callable[[int], None] = lambda entries: None) -> int:
    """Write every hit of the log to `index`, apart from those that it can never hold; returns how many it took."""
    found = 0
    for entries in entries_of(log, "hits"):
        found += _write_hits(log, index, hits_of(entries), {entries[-1].partition: entries[-1].offset + 1})
        advance(len(entries))
    return found


def hits_of(entries: Sequence[Entry]) -> list[Hit]:
    """The hits among entries of the hits log. What does not decode is a dead letter of `watch`."""
    decoder = msgspec.json.Decoder(Hit | Mark)
    hits = []
    for entry in entries:
        try:
            value = decoder.decode(entry.value)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        if isinstance(value, Hit):
            hits.append(value)
    return hits


def entries_of(
    log: Log, topic: Topic, *, between: Mapping[int, tuple[int, int]] | None = None
) -> Iterator[list[Entry]]:
    """The topic up to where it ended at the beginning, batches of one partition each; with `between`, these partitions
    from the one offset up to the other."""
    starts = log.starts(topic)
    wanted = {p: (0, end) for p, end in log.ends(topic).items()} if between is None else between
    for partition, (begin, end) in sorted(wanted.items()):
        reader = log.reader(topic, "refill", partitions=[partition])
        try:
            position = max(begin, starts.get(partition, 0))
            reader.seek({partition: position})
            while position < end:
                entries = reader.poll(limit=min(BATCH, end - position), timeout_s=5.0)
                if entries:
                    position = entries[-1].offset + 1
                    yield entries
        finally:
            reader.close()


def _write_hits(log: Log, index: Index, hits: Sequence[Hit], positions: Mapping[int, int]) -> int:
    while True:
        try:
            index.write_hits(hits, log_id=log.id, positions=positions)
            return len(hits)
        except WriteRefused as refusal:
            hits = [hit for place, hit in enumerate(hits) if place not in refusal.reasons]


def _decoded(entries: Sequence[Entry]) -> tuple[list[Post], list[tuple[int, int]], list[tuple[int, int]]]:
    posts, origins, undecodable = [], [], []
    for entry in entries:
        origin = (entry.partition, entry.offset)
        try:
            posts.append(wire.decode(entry.value, Post))
            origins.append(origin)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            undecodable.append(origin)
    return posts, origins, undecodable


def _assess_alone(posts: Sequence[Post], assess: Assess, index: Index) -> tuple[list[Assessment | None], list[int]]:
    """All at once; when a post makes a step raise, each by itself."""
    first = first_collected(posts, index.get(list(dict.fromkeys(post.key for post in posts))))
    try:
        return list(assess(posts, first)), []
    except (Unavailable, StoreError):  # a store is away: no post is to blame
        raise
    except Exception:  # a dead letter of `analyze`: one of these cannot be assessed
        found: list[Assessment | None] = []
        for post in posts:
            try:
                found += assess([post], first)
            except (Unavailable, StoreError):
                raise
            except Exception:
                found.append(None)
        return found, [place for place, one in enumerate(found) if one is None]


def _write(
    log: Log,
    index: Index,
    sound: Sequence[tuple[Assessment, tuple[int, int]]],
    lost: Sequence[tuple[int, int]],
    positions: Mapping[int, int] | None,
) -> frozenset[int]:
    """Returns the places of those that the index can never hold."""
    refused: frozenset[int] = frozenset()
    while True:
        kept = [one for place, one in enumerate(sound) if place not in refused]
        gone = [*lost, *(sound[place][1] for place in sorted(refused))]
        try:
            index.write(
                [a for a, _ in kept], log_id=log.id, origins=[o for _, o in kept], dead=gone, positions=positions
            )
            return refused
        except WriteRefused as refusal:
            places = [place for place in range(len(sound)) if place not in refused]
            refused |= {places[place] for place in refusal.reasons}
