"""The two files of an index: made, opened, written under one lock, read through a pool of connections."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from hustings.errors import StoreError
from hustings.sqlite_file import connect, stamp, sync_folder, transaction, translated, verify
from index.sqlite.schema import Tables
from index.sqlite.scores import SCORE_FUNCTION, score_of

__all__ = ["IndexFile", "check_log", "claim_for_log", "store_positions", "stored_log_id", "stored_positions"]

WRITER_CACHE_KIB = 64 * 1024
READER_CACHE_KIB = 8 * 1024
IDLE_READERS = 8
"""Connections kept for the next reader; in a rush more are opened, and closed again."""


class IndexFile:
    """One SQLite file. Threads of one process share it; other processes open their own."""

    def __init__(self, path: Path, tables: Tables) -> None:
        self.path = path
        self._tables = tables
        self._write_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._is_open = False

    def open(self) -> None:
        """Raises `StoreError` when the file is something else or of a newer Hustings."""
        with translated(self.path):
            if not self.path.exists():
                self._make()
            connection = connect(self.path)
            try:
                verify(connection, self.path, self._tables.version, self._tables.what)
                self._prepare(connection, WRITER_CACHE_KIB)
            except BaseException:
                connection.close()
                raise
        self._writer = connection
        self._is_open = True

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: everything or nothing, durable when it ends."""
        with self._write_lock, translated(self.path):
            if self._writer is None:
                raise StoreError(f"{self.path}: the index is not open")
            with transaction(self._writer):
                yield self._writer

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one unchanging state from its first question to the end."""
        with translated(self.path):
            connection = self._idle_connection()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.execute("ROLLBACK")
                self._give_back(connection)

    def checkpoint(self) -> None:
        """Move everything from the write-ahead file into the file proper and empty it, as far as readers let it."""
        with self._write_lock, translated(self.path):
            if self._writer is not None:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._write_lock, self._idle_lock:
            self._is_open = False
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            while self._idle:
                self._idle.pop().close()

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────

    def _make(self) -> None:
        """Make the file whole under a name of its own, then link it into place: of two makers one wins."""
        draft = self.path.with_name(f"{self.path.name}.new-{uuid.uuid4().hex}")
        connection = connect(draft, create=True)
        try:
            connection.execute("BEGIN")
            stamp(connection, self._tables.version)
            for statement in self._tables.statements:
                connection.execute(statement)
            connection.execute("COMMIT")
        finally:
            connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(draft, self.path)
        draft.unlink()
        sync_folder(self.path.parent)

    def _prepare(self, connection: sqlite3.Connection, cache_kib: int) -> None:
        connection.execute(f"PRAGMA cache_size = -{cache_kib:d}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function(SCORE_FUNCTION, 2, score_of, deterministic=True)

    def _idle_connection(self) -> sqlite3.Connection:
        with self._idle_lock:
            if not self._is_open:
                raise StoreError(f"{self.path}: the index is not open")
            if self._idle:
                return self._idle.pop()
        connection = connect(self.path)
        try:
            self._prepare(connection, READER_CACHE_KIB)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if self._is_open and len(self._idle) < IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()


def stored_log_id(connection: sqlite3.Connection) -> str | None:
    row = connection.execute("SELECT log_id FROM filled_by").fetchone()
    return None if row is None else str(row[0])


def claim_for_log(connection: sqlite3.Connection, path: Path, log_id: str) -> None:
    """Remember which log fills this file; another one is an error."""
    found = stored_log_id(connection)
    if found is None:
        connection.execute("INSERT INTO filled_by VALUES (?)", (log_id,))
    else:
        check_log(path, found, log_id)


def check_log(path: Path, found: str, log_id: str) -> None:
    """Raise `StoreError` unless the file was filled from this log: the offsets of another one mean other posts."""
    if found != log_id:
        raise StoreError(
            f"{path}: was filled from log {found}, but the log is now {log_id}; restore the log that belongs to it,"
            " or rebuild the index from the new one (`hustings index rebuild`)"
        )


def stored_positions(connection: sqlite3.Connection) -> dict[int, int]:
    return dict(connection.execute("SELECT part, next_offset FROM positions ORDER BY part"))


def store_positions(connection: sqlite3.Connection, positions: Mapping[int, int]) -> None:
    """Never backwards: a redo of old offsets does not make the newer ones unknown again."""
    connection.executemany(
        "INSERT INTO positions VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)",
        list(positions.items()),
    )
