"""The audit chain: who did what, appended in the transaction that does it, each row sealed by its forerunner.

A chain by itself shows an edited, deleted or moved row. It cannot show that its end was cut off and grown again: that
is what a checkpoint is for, lodged where the desk's own database does not reach (a partner, paper)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, select, update

from desk.database.connect import reading
from desk.database.tables import audit, audit_head
from desk.database.upsert import insert
from hustings.clock import rfc3339
from hustings.errors import StoreError

__all__ = ["AuditRow", "Checkpoint", "Detail", "append", "checkpoint", "latest", "of_action", "verify"]

Detail = Mapping[str, str | int | float | bool | list[str] | None]

ORIGIN = "0" * 64
"""What the first row names as its predecessor."""


class AuditRow(Struct, frozen=True, kw_only=True):
    """One thing that somebody did. `actor` is a pseudonym, or the name of a loop; `detail` holds no post text."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How long the chain was and what it ended in."""

    sequence: int
    hash: str


def append(
    connection: Connection, *, at: datetime, actor: str, action: str, subject: str, detail: Detail | None = None
) -> int:
    """Append one row in the caller's transaction and return its sequence: the act and its trace stand or fall together.

    Writers take turns (the head row is locked until the transaction ends), so the sequence has no gap; call it when
    everything else of the transaction is written, or two writers wait for each other."""
    head = connection.execute(select(audit_head).where(audit_head.c.id == 1).with_for_update()).first()
    if head is None:
        statement = insert(connection, audit_head).values(id=1, sequence=0, hash=ORIGIN)
        connection.execute(statement.on_conflict_do_nothing())
        head = connection.execute(select(audit_head).where(audit_head.c.id == 1).with_for_update()).one()
    sequence: int = head.sequence + 1
    values = {
        "sequence": sequence,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": msgspec.json.encode(detail or {}, order="deterministic").decode(),
        "previous": head.hash,
    }
    sealed = _hash(**values)
    connection.execute(audit.insert().values(**values, hash=sealed))
    connection.execute(update(audit_head).values(sequence=sequence, hash=sealed))
    return sequence


def checkpoint(engine: Engine) -> Checkpoint:
    """The end of the chain now, to be lodged elsewhere."""
    with reading(engine) as connection:
        row = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).first()
    return Checkpoint(sequence=0, hash=ORIGIN) if row is None else Checkpoint(sequence=row.sequence, hash=row.hash)


def verify(engine: Engine, *, lodged: Checkpoint | None = None) -> int:
    """Recompute the whole chain and return how many rows it has.

    Raises `StoreError` that names the first broken row, or says that the chain does not reach or contradicts the
    `lodged` checkpoint."""
    expected, previous, at_checkpoint = 0, ORIGIN, ORIGIN
    with reading(engine) as connection:
        head = connection.execute(select(audit_head)).first()
        for row in _rows(connection):
            expected += 1
            if row.sequence != expected:
                raise StoreError(f"audit: row {expected} is missing, the next one is {row.sequence}")
            if row.previous != previous:
                raise StoreError(f"audit: row {expected} does not follow the row before it")
            if row.hash != _hash_of(row):
                raise StoreError(f"audit: row {expected} ({row.action} of {row.subject}) was changed")
            previous = row.hash
            if lodged is not None and expected == lodged.sequence:
                at_checkpoint = row.hash
    if (head.sequence, head.hash) != (expected, previous) if head is not None else expected != 0:
        raise StoreError(f"audit: the chain ends at row {expected}, but its head says otherwise; rows were cut off")
    if lodged is not None:
        if lodged.sequence > expected:
            raise StoreError(f"audit: {expected} rows, but a checkpoint was lodged at row {lodged.sequence}")
        if at_checkpoint != lodged.hash:
            raise StoreError(f"audit: row {lodged.sequence} is not the one of the lodged checkpoint")
    return expected


def latest(
    engine: Engine, *, limit: int = 100, before: int | None = None, subject: str | None = None
) -> list[AuditRow]:
    """The newest rows, newest first; `before` a sequence, and only about `subject` when given."""
    statement = select(audit).order_by(audit.c.sequence.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.sequence < before)
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    with reading(engine) as connection:
        return [AuditRow(**row._asdict()) for row in connection.execute(statement)]


def of_action(engine: Engine, action: str) -> list[AuditRow]:
    """Every row of one kind of act, oldest first."""
    statement = select(audit).where(audit.c.action == action).order_by(audit.c.sequence)
    with reading(engine) as connection:
        return [AuditRow(**row._asdict()) for row in connection.execute(statement)]


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    """The chain from its first row on. Raises `StoreError` for values that no program of ours wrote."""
    found = connection.execution_options(yield_per=1000).execute(select(audit).order_by(audit.c.sequence))
    last = 0
    try:
        for row in found:
            yield row
            last = row.sequence
    except (ValueError, TypeError, OverflowError) as error:
        raise StoreError(f"audit: a row after row {last} was changed, it cannot be read: {error}") from error


def _hash_of(row: Row[Any]) -> str:
    values = row._asdict()
    del values["hash"]
    return _hash(**values)


def _hash(*, sequence: int, at: datetime, actor: str, action: str, subject: str, detail: str, previous: str) -> str:
    canonical = msgspec.json.encode(
        {
            "action": action,
            "actor": actor,
            "at": rfc3339(at),
            "detail": detail,
            "previous": previous,
            "sequence": sequence,
            "subject": subject,
        },
        order="deterministic",
    )
    return hashlib.sha256(canonical).hexdigest()
