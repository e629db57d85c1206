"""`log.db`: the log's id, its topics, and how far every reader has come."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

from hustings.contracts import Topic
from hustings.errors import StoreError
from hustings.sqlite_file import connect, stamp, sync_folder, transaction, translated, verify
from ingest.log_sqlite.segments import SCHEMA

__all__ = ["Register"]

_TABLES = (
    "CREATE TABLE log (id TEXT NOT NULL)",
    "CREATE TABLE topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE positions (topic TEXT, reader TEXT, part INTEGER, next_offset INTEGER NOT NULL,"
    " PRIMARY KEY (topic, reader, part)) WITHOUT ROWID",
)


class Register:
    """The one small file beside the segments. Safe from many threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log_id = ""
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @staticmethod
    def make(path: Path, partitions: Mapping[Topic, int], log_id: str) -> None:
        """Write a new register whole under another name, then give it its own: with it the log exists."""
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        connection = connect(draft, create=True)
        try:
            connection.execute("BEGIN")
            stamp(connection, SCHEMA)
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("INSERT INTO log VALUES (?)", (log_id,))
            connection.executemany("INSERT INTO topics VALUES (?, ?)", list(partitions.items()))
            connection.execute("COMMIT")
        finally:
            connection.close()
        draft.rename(path)
        sync_folder(path.parent)

    @staticmethod
    def new_id() -> str:
        return uuid.uuid4().hex

    def open(self) -> None:
        with translated(self.path):
            connection = connect(self.path)
            try:
                verify(connection, self.path, SCHEMA, "the register of a log")
                (self.log_id,) = connection.execute("SELECT id FROM log").fetchone()
            except BaseException:
                connection.close()
                raise
        self._connection = connection

    def topics(self) -> dict[str, int]:
        """How many partitions each topic was made with."""
        with self._lock, translated(self.path):
            return dict(self._open_connection().execute("SELECT topic, partitions FROM topics"))

    def positions(self, topic: Topic, reader: str) -> dict[int, int]:
        """What `reader` last committed, of the partitions where it ever did."""
        with self._lock, translated(self.path):
            return dict(
                self._open_connection().execute(
                    "SELECT part, next_offset FROM positions WHERE topic = ? AND reader = ?", (topic, reader)
                )
            )

    def store_positions(self, topic: Topic, reader: str, positions: Mapping[int, int]) -> None:
        """Make them durable, all or none. Raises `StoreError` when one of them goes backwards."""
        with self._lock, translated(self.path), transaction(self._open_connection()):
            connection = self._open_connection()
            for partition, offset in positions.items():
                moved = connection.execute(
                    "INSERT INTO positions VALUES (?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset"
                    " WHERE excluded.next_offset >= next_offset",
                    (topic, reader, partition, offset),
                ).rowcount
                if moved == 0:
                    (found,) = connection.execute(
                        "SELECT next_offset FROM positions WHERE topic = ? AND reader = ? AND part = ?",
                        (topic, reader, partition),
                    ).fetchone()
                    raise StoreError(
                        f"reader {reader!r} of topic {topic!r}, partition {partition}: commits {offset}, but {found} is"
                        " committed already; two processes read under one name, or the caller mixed up its batches"
                    )

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path}: the log is closed")
        return self._connection
