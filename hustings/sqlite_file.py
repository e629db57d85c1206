"""One SQLite file of our own: how log and index open it, lock it, and say what is wrong with it.

Both stores keep their promises through the same few settings, and a caller of either must never see a bare
`sqlite3.Error`. The desk has its database through SQLAlchemy and does not come here.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from hustings.errors import HustingsError, StoreError, Unavailable

__all__ = ["as_store_problem", "connect", "stamp", "sync_folder", "transaction", "translated", "verify"]

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another process's transaction; ours take milliseconds, so this means a stuck process."""
RETRY_S = 0.0003
"""Between two attempts to take the write lock: a short transaction of ours takes about this long."""
APPLICATION_ID = 0x48757374  # "Hust"
"""Stands in the header of every file that we make, so that another program's database is told apart."""
WAL_LIMIT_BYTES = 64 * 2**20
"""A write-ahead file that grew beyond this is cut back at the next checkpoint."""


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, WAL with synchronous=FULL: a committed transaction survives a power cut.

    Without `create` a missing file is an error, never a new empty database. The connection may be handed from thread
    to thread, but only one at a time may use it.
    """
    mode = "rwc" if create else "rw"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if create:
            connection.execute("PRAGMA page_size = 8192")
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def stamp(connection: sqlite3.Connection, schema: int) -> None:
    """Mark a new file as ours, with the version of its tables."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
    connection.execute(f"PRAGMA user_version = {schema:d}")


def verify(connection: sqlite3.Connection, path: Path, schema: int, what: str) -> None:
    """Raise `StoreError` unless the file is ours and its tables have this version."""
    (found,) = connection.execute("PRAGMA application_id").fetchone()
    if found != APPLICATION_ID:
        raise StoreError(f"{path}: is a SQLite database, but not one that Hustings made as {what}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != schema:
        age = "a newer" if version > schema else "an older"
        raise StoreError(
            f"{path}: {what} of {age} Hustings: its tables have version {version}, this program knows {schema}"
        )


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside or nothing; the write lock is taken at the start, so that what is read inside stays true."""
    _begin(connection)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite or the file system says about `path` into our own errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as problem:
        raise as_store_problem(problem, path) from problem


def as_store_problem(problem: sqlite3.Error | OSError, path: Path) -> HustingsError:
    """`Unavailable` for what may pass by waiting or making room, `StoreError` for what needs a person."""
    if isinstance(problem, OSError):
        return _of_file_system(problem, path)
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return Unavailable(f"{path}: no space left on the disk; nothing of this write was kept. Make room, then go on")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(f"{path}: another process has held its write lock for over {BUSY_TIMEOUT_S:g} s")
    if code == sqlite3.SQLITE_IOERR:
        return Unavailable(f"{path}: the disk fails ({problem}); nothing of this write was kept")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{path}: is read-only for this user or on this mount; its owner must be who runs Hustings")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"{path}: cannot be opened ({problem}); it was removed, or this user may not read its folder")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{path}: is not a SQLite database")
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{path}: is damaged ({problem}); restore it from a backup (an index can be rebuilt)")
    return StoreError(f"{path}: {problem}")


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable: a new file is only there after a power cut when this was called."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _begin(connection: sqlite3.Connection) -> None:
    """Take the write lock. SQLite's own way of waiting sleeps longer and longer, up to 100 ms, and so lets a busy
    neighbour win every time; asking again at once keeps the wait near the length of a transaction."""
    connection.execute("PRAGMA busy_timeout = 0").fetchall()
    try:
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as problem:
                if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}").fetchall()


_NEEDS_A_PERSON = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError)


def _of_file_system(problem: OSError, path: Path) -> HustingsError:
    where = problem.filename or path
    reason = problem.strerror or str(problem)
    if isinstance(problem, _NEEDS_A_PERSON):
        return StoreError(f"{where}: {reason}")
    return Unavailable(f"{where}: {reason}")
