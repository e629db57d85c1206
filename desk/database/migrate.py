"""Bring a database to the newest schema, one process at a time."""

from __future__ import annotations

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text

from hustings.errors import StoreError

__all__ = ["migrate", "newest", "present", "upgrade"]

_ADVISORY_LOCK = 4_873_201
"""Any number that nothing else in the database uses."""


def migrate(connection: Connection) -> None:
    """Run every missing migration inside the caller's transaction.

    On SQLite that transaction already holds the write lock; PostgreSQL gets a lock of its own until the commit. Alembic
    is loaded only when there is something to do: five loops start with every `hustings run`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _ADVISORY_LOCK})
    found = present(connection)
    if found == newest():
        return
    if found is not None and found > newest():
        raise StoreError(f"desk database: its schema is {found}, newer than this program's {newest()}; update Hustings")
    upgrade(connection, "head")


def upgrade(connection: Connection, revision: str) -> None:
    """Run the migrations up to this one, whoever else may be at it."""
    from alembic import command
    from alembic.config import Config

    with as_file(files("desk.database") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def newest() -> str:
    """The number of the last migration: files are named `NNNN_what.py` and follow each other."""
    names = (entry.name for entry in (files("desk.database") / "migrations" / "versions").iterdir())
    return max(name[:4] for name in names if name[:4].isdigit())


def present(connection: Connection) -> str | None:
    """The number of the migration that the database has come to; None when it has no table of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
