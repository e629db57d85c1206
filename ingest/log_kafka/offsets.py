"""Where the partitions of a topic begin and end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from hustings.clock import to_ms
from hustings.contracts import Topic
from hustings.errors import HustingsError
from ingest.log_kafka.clients import made
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.troubles import translated

__all__ = ["Offsets"]


class Offsets:
    """Asks the leaders, from any thread. A client that failed once is not asked again: the next question takes a new
    one, which finds the new leaders."""

    def __init__(self, settings: KafkaSettings, partitions: Mapping[Topic, int]) -> None:
        self._settings = settings
        self._partitions = partitions
        self._lock = threading.Lock()
        self._client: Any = None

    def ends(self, topic: Topic) -> dict[int, int]:
        """`{partition: next offset to be written}`."""
        return self._ask(topic, lambda client, asked: client.end_offsets(asked, timeout_ms=self._timeout_ms))

    def starts(self, topic: Topic) -> dict[int, int]:
        """`{partition: oldest offset still held}`."""
        return self._ask(topic, lambda client, asked: client.beginning_offsets(asked, timeout_ms=self._timeout_ms))

    def since(self, topic: Topic, when: datetime) -> dict[int, int]:
        """`{partition: offset of the first entry appended at or after `when`}`, absent where there is none."""

        def first(client: Any, asked: list[TopicPartition]) -> dict[TopicPartition, int]:
            found = client.offsets_for_times({tp: to_ms(when) for tp in asked}, timeout_ms=self._timeout_ms)
            return {tp: at.offset for tp, at in found.items() if at is not None}

        return self._ask(topic, first)

    def close(self) -> None:
        with self._lock:
            self._drop()

    @property
    def _timeout_ms(self) -> int:
        return int(self._settings.answer_s * 1_000)

    def _ask(
        self, topic: Topic, question: Callable[[Any, list[TopicPartition]], dict[TopicPartition, int]]
    ) -> dict[int, int]:
        asked = [TopicPartition(self._settings.topic(topic), p) for p in range(self._partitions[topic])]
        with self._lock:
            try:
                with translated(self._settings, f"looking for the offsets of {asked[0].topic!r}"):
                    if self._client is None:
                        self._client = made(
                            KafkaConsumer, self._settings, enable_auto_commit=False, metrics_enabled=False
                        )
                    found = question(self._client, asked)
            except HustingsError:
                self._drop()
                raise
        return {tp.partition: offset for tp, offset in sorted(found.items())}

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(autocommit=False, timeout_ms=0)
