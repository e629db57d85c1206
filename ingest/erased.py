"""Posts that were erased and are not collected again, remembered by a hash of their key alone: a list of keys would
itself name what somebody wanted forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hustings.clock import rfc3339
from hustings.contracts import Memory
from hustings.types import hash_id

__all__ = ["bar", "bar_marked", "barred", "mark_of"]

TABLE = "erased"


def mark_of(key: str) -> str:
    """What an erased post is called where its key shall not stand: in the memory of the machine and in the audit chain.
    Whoever knows the key can find it again, nobody can read it there."""
    return hash_id("erased", key)


def bar(memory: Memory, keys: Iterable[str], *, at: datetime) -> None:
    """From now on `collect` leaves these posts out, for as long as the desk's database is kept."""
    bar_marked(memory, (mark_of(key) for key in keys), at=at)


def bar_marked(memory: Memory, marks: Iterable[str], *, at: datetime) -> None:
    """The same for posts of which only the marks are known."""
    for mark in marks:
        memory.put(TABLE, mark, rfc3339(at).encode())


def barred(memory: Memory) -> frozenset[str]:
    """The marks of every post that is not collected again."""
    return frozenset(memory.entries(TABLE))
