"""Time as a parameter: nothing below `runtime` reads the wall clock by itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "SystemClock", "VirtualClock", "from_ms", "rfc3339", "to_ms"]


class Clock(Protocol):
    """Tells and spends time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; a virtual clock returns at once."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualClock:
    """A clock that stands still until told: for tests, rule tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`."""
        self._now += by
        self._monotonic += by.total_seconds()

    def set(self, to: datetime) -> None:
        """Jump to `to`; the monotonic clock never goes back."""
        self._monotonic += max(0.0, (to - self._now).total_seconds())
        self._now = to


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(when: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00Z, rounded down."""
    return (when - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """The aware UTC time of `milliseconds` since 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def rfc3339(when: datetime) -> str:
    """RFC 3339 in UTC with `Z` and no trailing zero fraction: `2026-10-01T12:00:00Z`."""
    text = when.astimezone(UTC).replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text + "Z"
