"""A folder for the small indexes that a test makes by the hundred."""

from __future__ import annotations

import tempfile
from pathlib import Path

__all__ = ["memory_folder"]

_IN_MEMORY = "/dev/shm"


def memory_folder() -> tempfile.TemporaryDirectory[str]:
    """In memory where the system has such a place: on a disk, flushes would take most of the time."""
    return tempfile.TemporaryDirectory(dir=_IN_MEMORY if Path(_IN_MEMORY).is_dir() else None)
