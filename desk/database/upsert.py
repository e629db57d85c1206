"""INSERT … ON CONFLICT, said once for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table
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
    connection: Connection, table: Table, row: Mapping[str, Any], *, where: ColumnElement[bool] | None = None
) -> bool:
    """Insert `row`, or overwrite the one with its primary key where `where` holds for it; says whether it was written.

    `where` may compare the stored columns (`table.c.x`) with literals."""
    keys = [column.name for column in table.primary_key]
    statement = insert(connection, table).values(**row)
    statement = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in row if name not in keys},
        where=where,
    )
    return connection.execute(statement.returning(*table.primary_key)).first() is not None
