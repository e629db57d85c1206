"""`KafkaLog`: the contract `Log` over the topics of a Kafka cluster."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime

from kafka import TopicPartition

from hustings.clock import Clock
from hustings.contracts import Record, Topic
from hustings.errors import BadInput, StoreError
from ingest.log_kafka.offsets import Offsets
from ingest.log_kafka.producer import Appender, ByteBound, Placed
from ingest.log_kafka.reader import KafkaLogReader
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.topics import find_topics, id_of, open_admin, partition_counts

__all__ = ["KafkaLog"]


class KafkaLog:
    """A log whose topics exist (`create_topics`).

    Without `worker`, a reader has all partitions of its topic to itself and begins at once. With it, readers share the
    partitions with the workers of other names: a worker that is gone for `session_s` loses its own to them, one that
    comes back sooner under the same name finds them as it left them.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        clock: Clock,
        posts_partitions: int = 1,
        hits_partitions: int = 1,
        worker: str | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._partitions = partition_counts(posts=posts_partitions, hits=hits_partitions)
        self._worker = worker
        self._id = ""
        self._offsets = Offsets(settings, self._partitions)
        self._appenders: dict[Topic, Appender] = {}

    def open(self) -> KafkaLog:
        """Find the topics. Raises `Unavailable` when no broker answers, `StoreError` when a topic is missing or has
        another number of partitions."""
        self._id = id_of(find_topics(self._settings, self._partitions))
        bound = ByteBound(self._settings.in_flight_bytes)
        self._appenders = {
            topic: Appender(self._settings, self._settings.topic(topic), clock=self._clock, bound=bound)
            for topic in self._partitions
        }
        return self

    @property
    def id(self) -> str:
        return self._id

    def append(self, topic: Topic, records: Sequence[Record], *, partition: int | None = None) -> list[tuple[int, int]]:
        appender = self._appender(topic)
        if not records:
            return []
        if partition is not None:
            self._check_partitions(topic, [partition])
        return appender.append([self._placed(topic, record, partition) for record in records])

    def reader(self, topic: Topic, name: str, *, partitions: Sequence[int] | None = None) -> KafkaLogReader:
        self._appender(topic)
        if partitions is not None:
            self._check_partitions(topic, partitions)
        shared = partitions is None and self._worker is not None
        assigned = range(self._partitions[topic]) if partitions is None else sorted(set(partitions))
        reader = KafkaLogReader(
            self._settings,
            topic,
            name,
            offsets=self._offsets,
            assigned=[] if shared else assigned,
            worker=self._worker if shared else None,
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
        self._appender(topic)
        return self._offsets.ends(topic)

    def starts(self, topic: Topic) -> dict[int, int]:
        self._appender(topic)
        return self._offsets.starts(topic)

    def drop_before(self, topic: Topic, when: datetime) -> int:
        """Drops exactly what was appended before `when`; the disk is free when the segment's day is over."""
        self._appender(topic)
        ends, starts = self._offsets.ends(topic), self._offsets.starts(topic)
        since = self._offsets.since(topic, when)
        until = {p: since.get(p, ends[p]) for p in ends}
        dropped = {p: offset for p, offset in until.items() if offset > starts[p]}
        if dropped:
            name = self._settings.topic(topic)
            with open_admin(self._settings, f"dropping entries of {name!r}") as admin:
                admin.delete_records({TopicPartition(name, p): offset for p, offset in dropped.items()})
        return sum(offset - starts[p] for p, offset in dropped.items())

    def close(self) -> None:
        for appender in self._appenders.values():
            appender.close()
        self._appenders = {}
        self._offsets.close()

    # ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _placed(self, topic: Topic, record: Record, partition: int | None) -> Placed:
        try:
            key = record.key.encode()
        except UnicodeEncodeError as problem:
            raise BadInput("lone_surrogate", f"a key that no encoding can carry: {record.key!a}") from problem
        placed = Placed(
            zlib.crc32(key) % self._partitions[topic] if partition is None else partition, key, record.value
        )
        if placed.size > self._settings.max_record_bytes:
            raise BadInput(
                "too_large",
                f"{placed.size:,} bytes with key {record.key[:80]!r}; kafka.max_record_bytes takes"
                f" {self._settings.max_record_bytes:,}",
            )
        return placed

    def _check_partitions(self, topic: Topic, partitions: Sequence[int]) -> None:
        unknown = [p for p in partitions if not 0 <= p < self._partitions[topic]]
        if unknown:
            raise StoreError(
                f"topic {self._settings.topic(topic)!r} has no partitions {unknown};"
                f" it has 0 to {self._partitions[topic] - 1}"
            )

    def _appender(self, topic: Topic) -> Appender:
        appender = self._appenders.get(topic)
        if appender is None:
            raise StoreError(f"Kafka at {', '.join(self._settings.servers)}: the log is not open")
        return appender
