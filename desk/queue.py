"""The review queue: posts that wait for a person, handed out one at a time under a lease.

Several rules may point at one post; it is shown once, with every reason. A lease ends by itself after ten minutes; its
token fences off whoever comes back later: a decision under an old token is a conflict, not a second decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, or_, select, update

from desk import audit
from desk.database.connect import reading, writing
from desk.database.locks import take_turn
from desk.database.tables import queue_entries, queue_posts, queue_skips
from desk.database.upsert import insert, insert_absent
from desk.people import Person
from desk.refusals import Conflict, Refused
from hustings.clock import Clock
from hustings.types import QueueEntry

__all__ = [
    "LEASE",
    "Claim",
    "Depth",
    "Queued",
    "check_lease",
    "check_no_reader_awaited",
    "claim",
    "claim_post",
    "close",
    "depth",
    "enqueue",
    "entries",
    "held",
    "is_waiting",
    "pin",
    "rank",
    "renew",
    "reopen",
    "skip",
    "waiting",
]

LEASE = timedelta(minutes=10)
"""How long a claimed post stays with one person without a sign of life."""

AGEING_PER_HOUR = 0.1
"""Priority that a waiting post gains an hour. Priorities lie between 0 and 1, so the calmest post passes a fresh one of
the highest urgency after ten hours: under any flood the oldest post waits a shift longer than the backlog is deep."""

_RANK_EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
FIRST_SLOT = 0


class Claim(Struct, frozen=True, kw_only=True):
    """A post that one person holds until `leased_until`, and why it is in the queue, most urgent reason first."""

    key: str
    slot: int
    token: int
    reviewer: str
    leased_until: datetime
    entries: tuple[QueueEntry, ...]


class Depth(Struct, frozen=True, kw_only=True):
    """How much waits: posts that nobody holds, posts in somebody's hands, and since when the oldest waits."""

    waiting: int
    claimed: int
    oldest: datetime | None


class Queued(Struct, frozen=True, kw_only=True):
    """A post that waits: since when it has stood in the queue (wall time, not the time of the post), and why."""

    key: str
    queued_at: datetime
    entries: tuple[QueueEntry, ...]


def rank(priority: float, queued_at: datetime) -> float:
    """What the queue is ordered by, highest first.

    Ageing raises all waiting posts at the same speed, so who is ahead of whom never changes: the order by
    `priority + speed × (now - queued_at)` is the order by `priority - speed × queued_at`, which an index can hold."""
    return priority - AGEING_PER_HOUR * (queued_at - _RANK_EPOCH) / timedelta(hours=1)


def enqueue(connection: Connection, found: Iterable[QueueEntry], *, now: datetime) -> int:
    """Add entries in the caller's transaction; one that exists stays as it is. Returns how many were new.

    A further entry raises the post to the higher priority. One that comes after the post was decided (another rule
    found something else in it) opens it again."""
    by_id = {entry.id: entry for entry in found}
    rows = [
        {
            "id": entry_id,
            "key": entry.key,
            "rule": entry.rule,
            "reason": entry.reason,
            "priority": entry.priority,
            "probability": entry.probability,
            "at": entry.at,
        }
        for entry_id, entry in sorted(by_id.items())  # one order for all writers: no deadlock on PostgreSQL
    ]
    new = insert_absent(connection, queue_entries, rows, key=queue_entries.c.id)
    priorities: dict[str, float] = {}
    for entry_id in by_id:
        if entry_id in new:
            entry = by_id[entry_id]
            priorities[entry.key] = max(entry.priority, priorities.get(entry.key, entry.priority))
    if priorities:
        _raise(connection, priorities, now)
    return len(new)


def claim(engine: Engine, *, reviewer: Person, clock: Clock) -> Claim | None:
    """The post that this person should read now: the one they already hold, else the most urgent free one that they
    have not skipped; None when nothing is left. Safe from any number of threads and processes."""
    now = clock.now()
    with writing(engine) as connection:
        take_turn(connection, "claim", reviewer.pseudonym)  # a second page of the same person waits
        row = _held_row(connection, reviewer, now)
        if row is not None:
            return _claim(connection, row, leased_until=row.leased_until, token=row.token, reviewer=reviewer)
        skipped = select(queue_skips.c.key).where(
            queue_skips.c.key == queue_posts.c.key,
            queue_skips.c.slot == queue_posts.c.slot,
            queue_skips.c.reviewer == reviewer.pseudonym,
        )
        free = (
            select(queue_posts)
            .where(_is_free(now), ~skipped.exists())
            .order_by(queue_posts.c.pinned.desc(), queue_posts.c.rank.desc(), queue_posts.c.key)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = connection.execute(free).first()
        return None if row is None else _lease(connection, row, reviewer, now)


def claim_post(engine: Engine, *, key: str, reviewer: Person, clock: Clock) -> Claim:
    """Hold one certain post, wherever it stands in the queue (opened from a list or from search). Raises `Conflict`
    when somebody else holds it, `Refused` when it is not in the queue or is decided."""
    now = clock.now()
    with writing(engine) as connection:
        row = connection.execute(select(queue_posts).where(_is(key, FIRST_SLOT)).with_for_update()).first()
        if row is None or row.done_at is not None:
            raise Refused(f"the post {key!r} does not wait for review")
        if row.leased_until is not None and row.leased_until > now:
            if row.reviewer != reviewer.pseudonym:
                raise Conflict("somebody else is reading this post")
            return _claim(connection, row, leased_until=row.leased_until, token=row.token, reviewer=reviewer)
        return _lease(connection, row, reviewer, now)


def held(engine: Engine, *, reviewer: Person, clock: Clock, key: str | None = None) -> Claim | None:
    """What this person holds now (on `key` when given), read without changing anything; None when nothing."""
    with reading(engine) as connection:
        row = _held_row(connection, reviewer, clock.now(), key)
        if row is None:
            return None
        return _claim(connection, row, leased_until=row.leased_until, token=row.token, reviewer=reviewer)


def is_waiting(engine: Engine, key: str) -> bool:
    """Whether a post is in the queue and undecided, in whoever's hands."""
    wanted = select(queue_posts.c.key).where(queue_posts.c.key == key, queue_posts.c.done_at.is_(None))
    with reading(engine) as connection:
        return connection.execute(wanted.limit(1)).first() is not None


def renew(engine: Engine, held: Claim, *, clock: Clock) -> Claim:
    """The same claim for ten minutes from now. Raises `Conflict` when the lease was lost."""
    now = clock.now()
    with writing(engine) as connection:
        check_lease(connection, key=held.key, token=held.token, now=now)
        connection.execute(update(queue_posts).where(_is(held.key, held.slot)).values(leased_until=now + LEASE))
    return Claim(
        key=held.key,
        slot=held.slot,
        token=held.token,
        reviewer=held.reviewer,
        leased_until=now + LEASE,
        entries=held.entries,
    )


def skip(engine: Engine, *, key: str, token: int, reviewer: Person, clock: Clock) -> None:
    """Give the post back and never show it to this person again. No reason is asked, and a lost lease is no error: then
    somebody else has the post already."""
    with writing(engine) as connection:
        _free(connection, key, token)
        values = {"key": key, "slot": FIRST_SLOT, "reviewer": reviewer.pseudonym, "at": clock.now()}
        connection.execute(insert(connection, queue_skips).values(values).on_conflict_do_nothing())


def pin(engine: Engine, *, key: str, pinned: bool, by: Person, clock: Clock) -> None:
    """A lead puts a post before everything that the machine ranked, or takes that back."""
    if by.role != "lead":
        raise Refused(f"a {by.role} may not pin posts; a lead may")
    with writing(engine) as connection:
        changed = connection.execute(update(queue_posts).where(_is(key, FIRST_SLOT)).values(pinned=pinned))
        if changed.rowcount == 0:
            raise Refused(f"the post {key!r} is not in the queue")
        audit.append(connection, at=clock.now(), actor=by.pseudonym, action="pin" if pinned else "unpin", subject=key)


def waiting(engine: Engine, *, limit: int = 25, clock: Clock) -> list[Queued]:
    """The posts at the head of the queue with their reasons, for lists; nobody holds them."""
    with reading(engine) as connection:
        head = (
            select(queue_posts.c.key, queue_posts.c.queued_at)
            .where(_is_free(clock.now()))
            .order_by(queue_posts.c.pinned.desc(), queue_posts.c.rank.desc(), queue_posts.c.key)
            .limit(limit)
        )
        return [
            Queued(key=row.key, queued_at=row.queued_at, entries=_entries(connection, row.key))
            for row in connection.execute(head).all()
        ]


def entries(engine: Engine, key: str) -> tuple[QueueEntry, ...]:
    """Every reason why a post is, or was, in the queue."""
    with reading(engine) as connection:
        return _entries(connection, key)


def depth(engine: Engine, *, clock: Clock) -> Depth:
    """How much waits now."""
    now = clock.now()
    with reading(engine) as connection:
        free, oldest = connection.execute(
            select(func.count(), func.min(queue_posts.c.queued_at)).where(_is_free(now))
        ).one()
        held = connection.execute(
            select(func.count()).where(queue_posts.c.done_at.is_(None), queue_posts.c.leased_until > now)
        ).scalar_one()
    return Depth(waiting=free, claimed=held, oldest=oldest)


def check_lease(connection: Connection, *, key: str, token: int, now: datetime) -> None:
    """Raise `Conflict` unless `token` is the live lease of the post; for `desk.reviews`, in its transaction."""
    row = connection.execute(select(queue_posts).where(_is(key, FIRST_SLOT)).with_for_update()).first()
    if row is None or row.token != token or row.reviewer is None:
        raise Conflict("this post was handed to somebody else meanwhile")
    if row.done_at is not None:
        raise Conflict("this post was decided meanwhile")
    if row.leased_until is None or row.leased_until <= now:
        raise Conflict("your ten minutes with this post are over; open it again")


def check_no_reader_awaited(connection: Connection, *, key: str) -> None:
    """Raise `Conflict` while the post is in the queue and undecided; for `desk.reviews`, in its transaction."""
    waits = select(queue_posts.c.key).where(queue_posts.c.key == key, queue_posts.c.done_at.is_(None))
    if connection.execute(waits.with_for_update()).first() is not None:
        raise Conflict("this post waits for a reader: take it, then decide")


def close(connection: Connection, *, key: str, now: datetime) -> None:
    """Take a decided post out of the queue, in the caller's transaction."""
    connection.execute(update(queue_posts).where(_is(key, FIRST_SLOT)).values(done_at=now, leased_until=None))


def reopen(connection: Connection, *, key: str, closed_at: datetime, reviewer: str, now: datetime) -> None:
    """Hand a post back to the person who undid the decision of `closed_at`, in the caller's transaction. One that
    another decision took out of the queue stays out, and one that came in again since waits for whoever takes it."""
    connection.execute(
        update(queue_posts)
        .where(_is(key, FIRST_SLOT), queue_posts.c.done_at == closed_at)
        .values(done_at=None, reviewer=reviewer, token=queue_posts.c.token + 1, leased_until=now + LEASE)
    )


def _raise(connection: Connection, priorities: dict[str, float], now: datetime) -> None:
    known = _locked(connection, priorities)
    fresh = [
        {"key": key, "slot": FIRST_SLOT, "token": 0, "pinned": False, "priority": priority, "queued_at": now}
        | {"rank": rank(priority, now)}
        for key, priority in sorted(priorities.items())
        if key not in known
    ]
    if fresh:
        statement = insert(connection, queue_posts).on_conflict_do_nothing().returning(queue_posts.c.key)
        inserted = set(connection.execute(statement, fresh).scalars())
        if len(inserted) < len(fresh):  # another writer was quicker with some of them
            known |= _locked(connection, priorities.keys() - known.keys() - inserted)
    for key, row in sorted(known.items()):
        highest = max(priorities[key], row.priority)
        queued_at = row.queued_at if row.done_at is None else now
        connection.execute(
            update(queue_posts)
            .where(_is(key, FIRST_SLOT))
            .values(priority=highest, queued_at=queued_at, rank=rank(highest, queued_at), done_at=None)
        )


def _locked(connection: Connection, keys: Iterable[str]) -> dict[str, Row[Any]]:
    found = (
        select(queue_posts)
        .where(queue_posts.c.key.in_(list(keys)), queue_posts.c.slot == FIRST_SLOT)
        .order_by(queue_posts.c.key)
        .with_for_update()
    )
    return {row.key: row for row in connection.execute(found)}


def _held_row(connection: Connection, reviewer: Person, now: datetime, key: str | None = None) -> Row[Any] | None:
    mine = select(queue_posts).where(
        queue_posts.c.reviewer == reviewer.pseudonym,
        queue_posts.c.leased_until > now,
        queue_posts.c.done_at.is_(None),
    )
    return connection.execute((mine if key is None else mine.where(queue_posts.c.key == key)).limit(1)).first()


def _lease(connection: Connection, row: Row[Any], reviewer: Person, now: datetime) -> Claim:
    connection.execute(
        update(queue_posts)
        .where(_is(row.key, row.slot))
        .values(reviewer=reviewer.pseudonym, token=row.token + 1, leased_until=now + LEASE)
    )
    return _claim(connection, row, leased_until=now + LEASE, token=row.token + 1, reviewer=reviewer)


def _claim(connection: Connection, row: Row[Any], *, leased_until: datetime, token: int, reviewer: Person) -> Claim:
    return Claim(
        key=row.key,
        slot=row.slot,
        token=token,
        reviewer=reviewer.pseudonym,
        leased_until=leased_until,
        entries=_entries(connection, row.key),
    )


def _free(connection: Connection, key: str, token: int) -> None:
    connection.execute(
        update(queue_posts)
        .where(_is(key, FIRST_SLOT), queue_posts.c.token == token, queue_posts.c.done_at.is_(None))
        .values(reviewer=None, leased_until=None)
    )


def _entries(connection: Connection, key: str) -> tuple[QueueEntry, ...]:
    found = (
        select(queue_entries)
        .where(queue_entries.c.key == key)
        .order_by(queue_entries.c.priority.desc(), queue_entries.c.rule)
    )
    return tuple(
        QueueEntry(
            key=row.key,
            rule=row.rule,
            reason=row.reason,
            priority=row.priority,
            probability=row.probability,
            at=row.at,
        )
        for row in connection.execute(found)
    )


def _is(key: str, slot: int) -> ColumnElement[bool]:
    return and_(queue_posts.c.key == key, queue_posts.c.slot == slot)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return and_(
        queue_posts.c.done_at.is_(None),
        or_(queue_posts.c.leased_until.is_(None), queue_posts.c.leased_until <= now),
    )
