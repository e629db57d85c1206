"""What a reader owns while workers come and go.

The client calls a listener on its own thread, at any moment: here it only notes what happened. The reader takes the
notes in its own `poll`, so between two polls the partitions stand still for whoever uses it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kafka import TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener

__all__ = ["Membership"]


class Membership(ConsumerRebalanceListener):  # type: ignore[misc] # the client has no types
    """Partitions by what the group says; `generation` counts the changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: set[int] = set()
        self._taken_away: set[int] = set()
        self.generation = 0

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._owned |= {tp.partition for tp in assigned}
            self.generation += 1

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._lose(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._lose(lost)

    def take(self) -> tuple[int, set[int], set[int]]:
        """(generation, owned now, taken away since the last call, even if given back meanwhile)."""
        with self._lock:
            taken_away, self._taken_away = self._taken_away, set()
            return self.generation, set(self._owned), taken_away

    def taken_away(self) -> set[int]:
        """Partitions taken away since the last `take`: nothing that was read of them may be committed."""
        with self._lock:
            return set(self._taken_away)

    def _lose(self, partitions: Iterable[TopicPartition]) -> None:
        with self._lock:
            gone = {tp.partition for tp in partitions}
            self._owned -= gone
            self._taken_away |= gone
            self.generation += 1
