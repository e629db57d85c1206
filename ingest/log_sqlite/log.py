"""`SqliteLog`: the contract `Log` over the files in one folder."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from hustings.clock import Clock
from hustings.contracts import Record, Topic
from hustings.errors import BadInput, StoreError
from hustings.sqlite_file import translated
from ingest.log_sqlite.appender import Appender, Placed
from ingest.log_sqlite.reader import SqliteLogReader
from ingest.log_sqlite.register import Register
from ingest.log_sqlite.segments import MAKING_LOCK, SegmentFolder, is_ours

__all__ = ["SqliteLog"]

SEGMENT_ENTRIES = 1_000_000
"""Entries of one partition after which a segment ends even within a day: about 1 GB of posts."""


class SqliteLog:
    """A durable log in `path`. The number of partitions is fixed when the log is made."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        posts_partitions: int = 1,
        hits_partitions: int = 1,
        segment_entries: int = SEGMENT_ENTRIES,
    ) -> None:
        self._path = path
        self._clock = clock
        self._partitions: dict[Topic, int] = {"posts": posts_partitions, "hits": hits_partitions, "dead-letters": 1}
        self._segment_entries = segment_entries
        self._register = Register(path / "log.db")
        self._segments: dict[Topic, SegmentFolder] = {}
        self._appenders: dict[Topic, Appender] = {}

    def open(self) -> SqliteLog:
        """Open the log, making it when the folder is new or empty. Raises `StoreError` when the folder holds something
        else, cannot be written, or is the log of a newer Hustings or of another number of partitions."""
        with translated(self._path):
            if not self._path.exists():
                if not self._path.parent.is_dir():
                    raise StoreError(f"{self._path}: cannot be made, its parent folder is missing")
                self._path.mkdir(exist_ok=True)
            if not self._path.is_dir():
                raise StoreError(f"{self._path}: must be a folder; a log is several files")
            if not os.access(self._path, os.W_OK | os.X_OK):
                raise StoreError(f"{self._path}: is read-only for this user or on this mount; a log must be writable")
            self._make_unless_made()
        self._register.open()
        try:
            self._check_partitions(self._register.topics())
        except BaseException:
            self._register.close()
            raise
        for topic in self._partitions:
            self._segments[topic] = self._folder(topic, self._register.log_id)
            self._appenders[topic] = Appender(
                self._segments[topic], segment_entries=self._segment_entries, clock=self._clock
            )
        return self

    @property
    def id(self) -> str:
        return self._register.log_id

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        if not records:
            return []
        count = self._partitions[topic]
        if partition is not None and not 0 <= partition < count:
            raise StoreError(f"{self._path}: topic {topic!r} has no partition {partition}; it has 0 to {count - 1}")
        try:
            by_key = [self.partition_of(topic, key) for key, _ in records]
        except UnicodeEncodeError as problem:
            raise BadInput("lone_surrogate", f"a key that no encoding can carry: {problem.object!a}") from problem
        return self._appender(topic).append(
            [
                Placed(of_key if partition is None else partition, key, value)
                for of_key, (key, value) in zip(by_key, records, strict=True)
            ]
        )

    def reader(self, topic: Topic, name: str, *, partitions: Sequence[int] | None = None) -> SqliteLogReader:
        assigned = list(range(self._partitions[topic])) if partitions is None else sorted(set(partitions))
        unknown = [p for p in assigned if not 0 <= p < self._partitions[topic]]
        if unknown:
            raise StoreError(
                f"{self._path}: topic {topic!r} has no partitions {unknown}; it has 0 to {self._partitions[topic] - 1}"
            )
        self._appender(topic)
        reader = SqliteLogReader(
            topic, name, assigned, segments=self._segments[topic], register=self._register, clock=self._clock
        )
        try:
            reader.start()
        except BaseException:
            reader.close()
            raise
        return reader

    def partitions(self, topic: Topic) -> int:
        return self._partitions[topic]

    def partition_of(self, topic: Topic, key: str) -> int:
        return zlib.crc32(key.encode()) % self._partitions[topic]

    def ends(self, topic: Topic) -> dict[int, int]:
        return self._appender(topic).ends()

    def starts(self, topic: Topic) -> dict[int, int]:
        self._appender(topic)
        with translated(self._path):
            oldest = self._segments[topic].open_oldest()
            oldest.close()
            return dict(enumerate(oldest.bases))

    def drop_before(self, topic: Topic, when: datetime) -> int:
        return self._appender(topic).drop_before(when)

    def close(self) -> None:
        for appender in self._appenders.values():
            appender.close()
        self._appenders.clear()
        self._register.close()

    # ── making and checking ──────────────────────────────────────────────────────────────────────────────────────

    def _make_unless_made(self) -> None:
        """Segments first, the register last: the log exists from the moment that `log.db` has its name. The lock is for
        the five loops that start at once on an empty folder."""
        if self._register.path.exists():
            return
        foreign = sorted(name for name in os.listdir(self._path) if not is_ours(name))
        if foreign:
            raise StoreError(f"{self._path}: is not a log, it holds {foreign[0]!r}; name a new or an empty folder")
        with (self._path / MAKING_LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._register.path.exists():
                return
            log_id = Register.new_id()
            for topic, count in self._partitions.items():
                folder = self._folder(topic, log_id)
                self._clear_unfinished(folder)
                folder.make(1, [0] * count)
            Register.make(self._register.path, self._partitions, log_id)

    def _clear_unfinished(self, folder: SegmentFolder) -> None:
        """Remove the empty segments of a making that was cut short. Never one that holds anything."""
        for number in folder.numbers():
            if number > 1 or folder.holds_entries(number):
                raise StoreError(
                    f"{self._path}: {self._register.path.name} is missing but {folder.path(number).name} holds entries:"
                    " restore it from the same backup, or move the folder away to begin a new log"
                )
            folder.remove(number)

    def _check_partitions(self, made: Mapping[str, int]) -> None:
        if made != self._partitions:
            raise StoreError(
                f"{self._path}: this log was made with partitions {dict(sorted(made.items()))}, the configuration says"
                f" {dict(sorted(self._partitions.items()))}; a log keeps the number that it was made with"
            )

    def _folder(self, topic: Topic, log_id: str) -> SegmentFolder:
        return SegmentFolder(self._path, topic, partitions=self._partitions[topic], log_id=log_id)

    def _appender(self, topic: Topic) -> Appender:
        appender = self._appenders.get(topic)
        if appender is None:
            raise StoreError(f"{self._path}: the log is not open")
        return appender
