"""Durations as rules write them: a number and `s`, `m`, `h` or `d`."""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["read_duration", "show_duration"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=3_650)
"""No election lasts longer; beyond it sums of times would leave the calendar."""


def read_duration(text: object) -> timedelta | None:
    """The duration, zero included; None when it is none."""
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) and text.isascii() else None
    if found is None or len(found.group(1)) > 12:
        return None
    span = float(found.group(1)) * _UNITS[found.group(2)] if float(found.group(1)) < 1e9 else LONGEST * 2
    return span if span <= LONGEST else None


def show_duration(span: timedelta) -> str:
    """The shortest way to write it: `90m`, `2h`, `0s`."""
    for unit in ("d", "h", "m"):
        if span and span % _UNITS[unit] == timedelta(0):
            return f"{span // _UNITS[unit]}{unit}"
    return f"{span.total_seconds():g}s"
