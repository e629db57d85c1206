"""One deployment runs once: two supervisors over one data folder would fight for the same positions."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hustings.errors import ConfigError

__all__ = ["only_one"]


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the deployment in `data`. The lock ends with the process, however it ends. Raises `ConfigError` when
    another process holds it, or the folder cannot be made."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "running.lock").open("w")
    except OSError as error:
        raise ConfigError(f"{error.filename or data}: cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{data}: another `hustings run` is at work on this deployment") from None
        yield
