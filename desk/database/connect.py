"""Open the desk's database, brought up to date, and begin transactions on it.

Two ways in and no third: `writing` (one writer at a time on SQLite, decided at BEGIN, so nobody fails half-way with
"database is locked") and `reading` (a consistent snapshot that blocks nobody).
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InternalError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from desk.database.migrate import migrate
from hustings.errors import ConfigError, HustingsError, Unavailable
from hustings.sqlite_file import as_store_problem

__all__ = ["open_database", "reading", "writing"]

BUSY_TIMEOUT_MS = 60_000
"""How long a writer waits for its turn on SQLite. A turn takes milliseconds; only a broken disk makes it this long."""

PAUSE_S = (0.001, 0.003)
"""Between two looks whether it is a writer's turn: a turn takes about 4 ms, a look some microseconds."""

_WRITES = "hustings_writes"


def open_database(url: str) -> Engine:
    """The engine of the database at `url` (`sqlite:////var/lib/hustings/desk.db`), migrated to the newest schema.

    Several processes may open it at once: one migrates, the others wait. Raises `ConfigError` for a URL that is none,
    `Unavailable` when the database cannot be reached, `StoreError` when a newer Hustings has migrated it."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError(f"desk database: {url!r} is not a database URL (sqlite:///path/desk.db)") from error
    dialect = parsed.get_backend_name()
    if dialect == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError(f"desk database: {url!r} names no file; several processes must see the same database")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=8, max_overflow=56)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif dialect == "postgresql":
        engine = create_engine(parsed, pool_size=8, max_overflow=24, pool_pre_ping=True)
    else:
        raise ConfigError(f"desk database: {dialect!r} is not supported; known are sqlite, postgresql")
    try:
        with writing(engine) as connection:
            migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        raise Unavailable(f"desk database: {parsed.render_as_string()} does not open: {error.orig}") from error
    except HustingsError:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: committed at the end, rolled back on an exception."""
    with (
        _translated(engine),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads."""
    with _translated(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """Turn what goes wrong outside of our statements (a full disk, a server that is gone, a damaged file) into our own
    errors, so that a loop waits for what may pass. What a statement does wrong stays SQLAlchemy's."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError:
            raise _problem(engine, error) from error
        raise


def _problem(engine: Engine, error: DatabaseError) -> HustingsError:
    if isinstance(error.orig, sqlite3.Error) and engine.url.database:
        if error.orig.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            waited_s = BUSY_TIMEOUT_MS / 1000
            return Unavailable(f"{engine.url.database}: others have held its write lock for over {waited_s:g} s")
        return as_store_problem(error.orig, Path(engine.url.database))
    return Unavailable(f"desk database: {engine.url.render_as_string()}: {error.orig}")


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get(_WRITES, False):
        connection.exec_driver_sql("BEGIN")
    elif not _take_turn(connection.connection.driver_connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises what is wrong, in SQLAlchemy's words


def _take_turn(connection: Any) -> bool:
    """Begin to write as soon as nobody else does. SQLite's own waiting doubles its pauses up to 100 ms, which makes a
    long tail under five writers (measured: p99 200 ms, 110 ms with short pauses); False when it will not be."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        while time.monotonic() < deadline:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    return False
                time.sleep(random.uniform(*PAUSE_S))
            else:
                return True
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
