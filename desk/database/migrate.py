"""Bring a database to the newest schema, one process at a time."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

__all__ = ["migrate"]

_ADVISORY_LOCK = 4_873_201
"""Any number that nothing else in the database uses."""


def migrate(connection: Connection) -> None:
    """Run every missing migration inside the caller's transaction.

    On SQLite that transaction already holds the write lock; PostgreSQL gets a lock of its own until the commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _ADVISORY_LOCK})
    with as_file(files("desk.database") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
