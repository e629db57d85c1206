"""INSERT … ON CONFLICT, said once for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, and_
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["insert", "insert_absent", "upsert"]


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the connection's dialect, which knows ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def insert_absent(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, key: Column[Any]
) -> set[Any]:
    """Insert the rows whose `key` (a unique column) is not there yet; returns the keys that were inserted."""
    if not rows:
        return set()
    unique = list({row[key.name]: row for row in reversed(rows)}.values())[::-1]
    statement = insert(connection, table).on_conflict_do_nothing(index_elements=[key]).returning(key)
    return set(connection.execute(statement, unique).scalars())


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, not_below: Sequence[Column[Any]] = ()
) -> set[tuple[Any, ...]]:
    """Insert the rows, of different primary keys, or overwrite those that are there; returns the keys of what was
    written. A row that would lower one of the columns `not_below` is not written.

    One statement for all of them: making one costs the processor more than a database takes to write its row."""
    if not rows:
        return set()
    keys = [column.name for column in table.primary_key]
    statement = insert(connection, table)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: new[name] for name in rows[0] if name not in keys},
        where=and_(*(column <= new[column.name] for column in not_below)) if not_below else None,
    )
    return {tuple(key) for key in connection.execute(statement.returning(*table.primary_key), [*rows])}
