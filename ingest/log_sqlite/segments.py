"""The files of one topic: their names, how one is made, opened and found."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hustings.contracts import Topic
from hustings.errors import StoreError
from hustings.sqlite_file import connect, stamp, sync_folder, translated, verify

__all__ = ["MAKING_LOCK", "SCHEMA", "Segment", "SegmentFolder", "is_ours", "table"]

SCHEMA = 1
"""Version of the tables in `log.db` and in the segments."""

MAKING_LOCK = "making.lock"
"""Held by who makes a new log."""

_OURS = re.compile(r"^(log|[a-z-]+-\d{8})\.(db|new)(-wal|-shm|-journal)?$")
_NAME = re.compile(r"^(?P<topic>[a-z-]+)-(?P<number>\d{8})\.db$")


def is_ours(name: str) -> bool:
    """Whether a file of this name belongs to a log, a half-made one included."""
    return name == MAKING_LOCK or _OURS.match(name) is not None


def table(partition: int) -> str:
    """The table of a partition inside a segment. Offsets are row ids: an append goes to the end of the tree."""
    return f"p{partition:d}"


class Segment(NamedTuple):
    """One open file. `bases[p]` is the offset at which partition p begins in it."""

    number: int
    path: str
    successor: str
    connection: sqlite3.Connection
    bases: tuple[int, ...]
    file_id: tuple[int, int]

    def is_in_place(self) -> bool:
        """Whether the file that is open still stands under its name: false once it was dropped or taken away."""
        return _file_id(self.path) == self.file_id  # plain strings: an idle reader asks hundreds of times a second

    def end(self, partition: int) -> int:
        """The offset after the last entry that this segment holds of a partition."""
        (last,) = self.connection.execute(f"SELECT max(offset) FROM {table(partition)}").fetchone()
        return self.bases[partition] if last is None else int(last) + 1

    def close(self) -> None:
        self.connection.close()


class SegmentFolder:
    """All segments of one topic, on disk. Holds no connection; every question looks at the folder again, because
    other processes make and drop files."""

    def __init__(self, folder: Path, topic: Topic, *, partitions: int, log_id: str) -> None:
        self.folder = folder
        self.topic = topic
        self.partitions = partitions
        self._log_id = log_id

    def path(self, number: int) -> Path:
        return self.folder / f"{self.topic}-{number:08d}.db"

    def numbers(self) -> list[int]:
        """The numbers of the segments that exist, oldest first."""
        found = (_NAME.match(name) for name in os.listdir(self.folder))
        return sorted(int(match["number"]) for match in found if match and match["topic"] == self.topic)

    def has_successor(self, segment: Segment) -> bool:
        """Whether nothing can be appended to `segment` any more. Ask before reading to its end, not after."""
        return os.path.exists(segment.successor) or not segment.is_in_place()

    def make(self, number: int, bases: Sequence[int]) -> None:
        """Make a segment whole under another name, then give it its own: it is there completely or not at all.

        Called only by who holds the write lock of the segment before (or the lock of the log being made)."""
        final = self.path(number)
        draft = final.with_suffix(".new")
        for leftover in (draft, *_companions(draft)):
            leftover.unlink(missing_ok=True)
        connection = connect(draft, create=True)
        try:
            connection.execute("BEGIN")
            stamp(connection, SCHEMA)
            connection.execute(
                "CREATE TABLE segment (log_id TEXT NOT NULL, topic TEXT NOT NULL, number INTEGER NOT NULL)"
            )
            connection.execute("INSERT INTO segment VALUES (?, ?, ?)", (self._log_id, self.topic, number))
            connection.execute("CREATE TABLE bases (part INTEGER PRIMARY KEY, base INTEGER NOT NULL)")
            connection.executemany("INSERT INTO bases VALUES (?, ?)", enumerate(bases))
            for partition in range(self.partitions):
                connection.execute(
                    f"CREATE TABLE {table(partition)} (offset INTEGER PRIMARY KEY, appended_ms INTEGER NOT NULL,"
                    " key TEXT NOT NULL, value BLOB NOT NULL)"
                )
            connection.execute("COMMIT")
        finally:
            connection.close()
        draft.rename(final)
        sync_folder(self.folder)

    def holds_entries(self, number: int) -> bool:
        """Whether a segment of whatever log has an entry."""
        with translated(self.path(number)):
            connection = connect(self.path(number))
            try:
                verify(connection, self.path(number), SCHEMA, "a segment of a log")
                (parts,) = connection.execute("SELECT count(*) FROM bases").fetchone()
                return any(
                    connection.execute(f"SELECT 1 FROM {table(p)} LIMIT 1").fetchone() is not None for p in range(parts)
                )
            finally:
                connection.close()

    def open(self, number: int) -> Segment | None:
        """The segment, or None when it was dropped meanwhile. Raises `StoreError` when the file is another log's."""
        path = self.path(number)
        file_id = _file_id(str(path))
        if file_id is None:
            return None
        with translated(path):
            connection = connect(path)
            try:
                verify(connection, path, SCHEMA, "a segment of a log")
                log_id, topic = connection.execute("SELECT log_id, topic FROM segment").fetchone()
                bases = tuple(base for (base,) in connection.execute("SELECT base FROM bases ORDER BY part"))
            except BaseException:
                connection.close()
                raise
        if (log_id, topic, len(bases)) != (self._log_id, self.topic, self.partitions):
            connection.close()
            raise StoreError(
                f"{path}: belongs to log {log_id} (topic {topic!r}, {len(bases)} partitions), not to log {self._log_id}"
                f" (topic {self.topic!r}, {self.partitions}): files of two logs were mixed in one folder"
            )
        return Segment(number, str(path), str(self.path(number + 1)), connection, bases, file_id)

    def open_newest(self) -> Segment:
        """The segment that takes the appends."""
        while numbers := self.numbers():
            segment = self.open(numbers[-1])
            if segment is not None:
                return segment
        raise StoreError(f"{self.folder}: holds no segment of topic {self.topic!r}; a log always has one. Restore it")

    def open_oldest(self) -> Segment:
        """The segment with the oldest entries that are still held."""
        while numbers := self.numbers():
            segment = self.open(numbers[0])
            if segment is not None:
                return segment
        raise StoreError(f"{self.folder}: holds no segment of topic {self.topic!r}; a log always has one. Restore it")

    def remove(self, number: int) -> None:
        """Drop a file for good. The name goes first: after that nobody can open what is left of it."""
        path = self.path(number)
        for name in (path, *_companions(path)):
            name.unlink(missing_ok=True)
        sync_folder(self.folder)


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _file_id(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
