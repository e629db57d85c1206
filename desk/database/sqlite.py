"""The desk's database in one SQLite file: how a connection is set up and how writers take turns."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from hustings.errors import ConfigError, HustingsError, Unavailable
from hustings.sqlite_file import as_store_problem

__all__ = ["BUSY_TIMEOUT_MS", "PAUSE_S", "make_engine"]

BUSY_TIMEOUT_MS = 60_000
"""How long a writer waits for its turn. A turn takes milliseconds; only a broken disk makes it this long."""

PAUSE_S = (0.001, 0.003)
"""Between two looks whether it is a writer's turn: a turn takes about 4 ms, a look some microseconds."""


def make_engine(url: URL, *, writes: str) -> Engine:
    """An engine on one file, whose folder is made for this user alone. A transaction of a connection with the execution
    option `writes` takes the write lock when it begins."""
    if not url.database or url.database == ":memory:":
        raise ConfigError(
            f"desk database: {url.render_as_string()!r} names no file; several processes must see the same database"
        )
    Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=8, max_overflow=56, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", lambda connection: _begin(connection, writes))
    event.listen(engine, "handle_error", _in_our_words)
    return engine


def _set_up(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what was forgotten is not to be found in free pages
    cursor.close()


def _begin(connection: Connection, writes: str) -> None:
    if not connection.get_execution_options().get(writes, False):
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


def _in_our_words(context: ExceptionContext) -> HustingsError | None:
    """What is wrong with the file (a full disk, damage, a lock that is never given back). What a statement does wrong
    stays SQLAlchemy's."""
    error = context.original_exception
    database = context.engine.url.database if context.engine is not None else None
    outside = type(error) in {sqlite3.OperationalError, sqlite3.InternalError, sqlite3.DatabaseError}
    if not isinstance(error, sqlite3.Error) or not outside or not database:
        return None
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
        return Unavailable(f"{database}: others have held its write lock for over {BUSY_TIMEOUT_MS / 1000:g} s")
    return as_store_problem(error, Path(database))
