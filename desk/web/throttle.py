"""How much one sender may send: a bucket that fills again with time."""

from __future__ import annotations

import threading

from hustings.clock import Clock

__all__ = ["Throttle"]

MOST_SENDERS = 10_000
"""Buckets remembered; beyond it those that are full again are forgotten."""


class Throttle:
    """At most `burst` at once and `per_minute` over time, for each sender. Lives with the application: a restart
    begins with full buckets."""

    def __init__(self, *, burst: int, per_minute: float, clock: Clock) -> None:
        self._burst = float(burst)
        self._per_second = per_minute / 60
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, sender: str) -> int:
        """0 when this one may go through, which it then has; else after how many seconds the next one may."""
        now = self._clock.monotonic()
        with self._lock:
            left = self._left(sender, now)
            if left < 1:
                return int((1 - left) / self._per_second) + 1
            self._buckets[sender] = (left - 1, now)
            if len(self._buckets) > MOST_SENDERS:
                self._forget(now)
            return 0

    def _left(self, sender: str, now: float) -> float:
        left, at = self._buckets.get(sender, (self._burst, now))
        return min(self._burst, left + (now - at) * self._per_second)

    def _forget(self, now: float) -> None:
        self._buckets = {
            sender: bucket for sender, bucket in self._buckets.items() if self._left(sender, now) < self._burst
        }
