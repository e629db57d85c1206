"""Open the desk's database, brought up to date, and begin transactions on it.

Two ways in and no third: `writing` and `reading` (a consistent snapshot that blocks nobody). On SQLite one writer is at
work at a time, decided at BEGIN, so nobody fails half-way with "database is locked". On PostgreSQL several are, each
seeing what others committed before the statement; whoever looks before it writes locks what it looks at
(`desk.database.locks`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from desk.database import sqlite
from desk.database.migrate import migrate
from hustings.errors import ConfigError, HustingsError, Unavailable

__all__ = ["open_database", "reading", "writing"]

_WRITES = "hustings_writes"


def open_database(url: str, password_file: Path | None = None) -> Engine:
    """The engine of the database at `url`, migrated to the newest schema: `sqlite:////var/lib/hustings/desk.db` or
    `postgresql+pg8000://USER@HOST:5432/NAME` with the user's password in a file (or in the URL, not in both).

    Several processes may open it at once: one migrates, the others wait. Raises `ConfigError` for what an operator must
    change (no database URL, a wrong password, a database that is not there, a missing right), `Unavailable` when the
    database cannot be reached, `StoreError` when a newer Hustings has migrated it."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"desk database: {_without_password(url)!r} is not a database URL "
            "(sqlite:///path/desk.db, postgresql+pg8000://USER@HOST:5432/NAME)"
        ) from error
    dialect = parsed.get_backend_name()
    if dialect == "sqlite":
        engine = sqlite.make_engine(parsed, writes=_WRITES)
        _bring_up_to_date(engine)
    elif dialect == "postgresql":
        from desk.database import postgres  # with its driver, which nobody on SQLite should wait for

        migrating = postgres.make_engine(parsed, writes=_WRITES, password_file=password_file, migrating=True)
        _bring_up_to_date(migrating)
        migrating.dispose()
        engine = postgres.make_engine(parsed, writes=_WRITES, password_file=password_file)
    else:
        raise ConfigError(f"desk database: {dialect!r} is not supported; known are sqlite, postgresql")
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back on an exception."""
    with _connected(engine, writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with _connected(engine, writes=False) as connection, connection.begin():
        yield connection


@contextmanager
def _connected(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    try:
        connection = engine.connect()
    except NoConnectionFree as error:
        raise Unavailable(f"desk database: every connection of this process is in use: {error}") from error
    with connection.execution_options(**{_WRITES: writes}):
        yield connection


def _bring_up_to_date(engine: Engine) -> None:
    try:
        with writing(engine) as connection:
            migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        raise Unavailable(f"desk database: {engine.url.render_as_string()} does not open: {error.orig}") from error
    except HustingsError:
        engine.dispose()
        raise


def _without_password(url: str) -> str:
    """What may be shown of something that should have been a URL."""
    before, found, after = url.rpartition("@")
    return f"…@{after}" if found and before else url
