"""What keeps two writers of one PostgreSQL apart where looking and writing are two steps. On SQLite there is one writer
at a time and nothing here does anything.

Everybody locks in the same order, or two writers wait for each other: alerts, queue, releases, outbox, and the audit
chain last, which a writer holds until its transaction ends."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, select, text

__all__ = ["lock_rows", "sweep", "take_turn"]


def take_turn(connection: Connection, *about: str) -> None:
    """Wait until no other transaction has called this with the same words, and keep others from it until this one ends:
    for what no row stands for."""
    if connection.dialect.name == "postgresql":
        digest = hashlib.sha256("\x1f".join(about).encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def lock_rows(connection: Connection, key: Column[Any], values: Collection[Any]) -> None:
    """Lock the rows whose unique `key` is one of these, in its order, as far as they are there."""
    if values and connection.dialect.name == "postgresql":
        connection.execute(select(key).where(key.in_(values)).order_by(key).with_for_update()).all()


def sweep(connection: Connection, key: Column[Any], expired: ColumnElement[bool]) -> None:
    """Delete what is past its time, without waiting for anybody: a row that somebody else has locked stays for the next
    sweep. So it fits anywhere into the order in which a writer locks."""
    free = select(key).where(expired).with_for_update(skip_locked=True)
    connection.execute(delete(key.table).where(key.in_(free), expired))
