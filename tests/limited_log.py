"""A log on SQLite that takes records up to a limit, as Kafka does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hustings.clock import Clock
from hustings.contracts import Record, Topic
from hustings.errors import BadInput
from ingest.log_sqlite import SqliteLog

__all__ = ["LimitedLog"]


class LimitedLog(SqliteLog):
    """`limits` are the most bytes of key and value together, by topic; a topic that is not in it has none."""

    def __init__(self, path: Path, *, clock: Clock, limits: Mapping[Topic, int], posts_partitions: int = 1) -> None:
        super().__init__(path, clock=clock, posts_partitions=posts_partitions)
        self._limits = limits

    def open(self) -> LimitedLog:
        super().open()
        return self

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        for record in records:
            size = len(record.key.encode()) + len(record.value)
            if topic in self._limits and size > self._limits[topic]:
                raise BadInput("too_large", f"{size:,} bytes; {topic} takes {self._limits[topic]:,}")
        return super().append(topic, records, partition=partition)
