"""Times and durations as whole microseconds since 1970 UTC: what windows compute with, exactly and fast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_us", "span_us", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(when: datetime) -> int:
    """Microseconds from the epoch to an aware time; nothing is lost."""
    return (when - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The aware UTC time; inverse of `to_us`."""
    return _EPOCH + timedelta(microseconds=microseconds)


def span_us(span: timedelta) -> int:
    """A duration in microseconds."""
    return span // _MICROSECOND
