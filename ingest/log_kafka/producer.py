"""Appending: acknowledged by every in-sync copy, in order, within a bound of bytes on the way.

The client has no bound of its own (`buffer_memory` is gone), and after some errors of a broker its idempotent producer
fails every later send. So bytes are counted here, and a producer that failed is replaced by a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka import errors as kafka

from hustings.clock import Clock, to_ms
from hustings.errors import StoreError, Unavailable
from ingest.log_kafka.clients import made
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.troubles import told, translated

__all__ = ["Appender", "ByteBound", "Placed"]

BATCH_BYTES = 131_072
"""Most bytes of a batch of several records; a larger record goes alone."""
CLOSE_WITHIN_S = 5.0


class Placed(NamedTuple):
    """A record with the partition that it goes to."""

    partition: int
    key: bytes
    value: bytes

    @property
    def size(self) -> int:
        return len(self.key) + len(self.value)


class ByteBound:
    """At most `limit` bytes taken at a time; whoever wants more waits until some are given back."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._changed = threading.Condition()

    def take(self, size: int, *, timeout_s: float) -> bool:
        """Whether there was room within `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= size, timeout_s):
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._changed:
            self._left += size
            self._changed.notify_all()


class Appender:
    """Appends to one topic, from many threads, over one producer at a time."""

    def __init__(self, settings: KafkaSettings, topic: str, *, clock: Clock, bound: ByteBound) -> None:
        self._settings = settings
        self._topic = topic
        self._clock = clock
        self._bound = bound
        self._sending = threading.Lock()
        self._producer: Any = None
        self._last_ms = 0
        self._is_closed = False

    def append(self, records: Sequence[Placed]) -> list[tuple[int, int]]:
        """(partition, offset) of each, once all are acknowledged. Raises `Unavailable` when that takes too long: some
        of them may be in the log all the same, and appending them again is harmless because of the ids in them."""
        doing = f"appending to {self._topic!r}"
        with self._sending:
            producer = self._opened(doing)
            sent, problem = self._send(producer, records)
        places, unacknowledged = self._wait(sent)
        problem = problem or unacknowledged
        if problem is not None:
            self._replace(producer)
            raise told(problem, self._settings, doing) from problem
        return places

    def close(self) -> None:
        with self._sending:
            self._is_closed = True
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=CLOSE_WITHIN_S)

    # ── one append ───────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, producer: Any, records: Sequence[Placed]) -> tuple[list[Any], BaseException | None]:
        """Hand over in the order given; stops at the first that the client does not take. Under the lock, so that the
        times of appending do not fall within a partition."""
        sent: list[Any] = []
        at_ms = self._stamp(self._clock.now())
        for record in records:
            size = record.size
            if not self._bound.take(size, timeout_s=self._settings.deliver_s):
                return sent, kafka.KafkaTimeoutError(f"{self._settings.in_flight_bytes} bytes are on their way")
            try:
                future = producer.send(
                    self._topic, record.value, key=record.key, partition=record.partition, timestamp_ms=at_ms
                )
            except Exception as problem:  # the client raises its own errors, and AssertionError for a closed one
                self._bound.give_back(size)
                return sent, problem
            future.add_both(lambda _, size=size: self._bound.give_back(size))
            sent.append(future)
        return sent, None

    def _wait(self, sent: Sequence[Any]) -> tuple[list[tuple[int, int]], BaseException | None]:
        deadline = time.monotonic() + self._settings.deliver_s + self._settings.answer_s
        places: list[tuple[int, int]] = []
        for future in sent:
            try:
                placed = future.get(timeout=max(0.0, deadline - time.monotonic()))
            except kafka.KafkaError as problem:
                return places, problem
            if placed.offset < 0:
                return places, kafka.UnknownError("acknowledged without an offset")
            places.append((placed.partition, placed.offset))
        return places, None

    def _stamp(self, now: datetime) -> int:
        self._last_ms = max(self._last_ms, to_ms(now))
        return self._last_ms

    # ── the producer ─────────────────────────────────────────────────────────────────────────────────────────────

    def _opened(self, doing: str) -> Any:
        if self._is_closed:
            raise StoreError(f"topic {self._topic!r}: the log is not open")
        if self._producer is None:
            with translated(self._settings, doing):
                self._producer = made(
                    KafkaProducer,
                    self._settings,
                    acks="all",
                    enable_idempotence=True,
                    allow_auto_create_topics=False,
                    batch_size=BATCH_BYTES,
                    metrics_enabled=False,
                    max_request_size=self._settings.batch_bytes,
                    max_block_ms=int(self._settings.answer_s * 1_000),
                    delivery_timeout_ms=int(self._settings.deliver_s * 1_000),
                )
        return self._producer

    def _replace(self, failed: Any) -> None:
        """The next append takes a new producer. What other threads have on the way over the failed one still comes to
        its end, at the latest when it is closed."""
        with self._sending:
            if self._producer is not failed:
                return
            self._producer = None
        try:
            failed.close(timeout=CLOSE_WITHIN_S)
        except kafka.KafkaError as problem:
            raise Unavailable(f"topic {self._topic!r}: a failed producer does not close: {problem}") from problem
