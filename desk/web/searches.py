"""Searches by an opaque id: what somebody looked for stands in no address and so in no access log."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from hustings.contracts import Memory

__all__ = ["KEPT", "StoredSearch", "find", "recent", "store"]

TABLE = "searches"
KEPT = timedelta(days=30)
"""Whom a monitor looked for is personal data too: it is forgotten after this."""


class StoredSearch(Struct, frozen=True, kw_only=True):
    """One query as it was typed, by whom (a pseudonym) and when."""

    text: str
    by: str
    at: datetime


def store(memory: Memory, *, text: str, by: str, now: datetime) -> str:
    """Keep the query and return its id; the same person's same query keeps the id it has. Old ones are forgotten."""
    found = ""
    for key, search in _all(memory).items():
        if now - search.at > KEPT:
            memory.delete(TABLE, key)
        elif (search.text, search.by) == (text, by):
            found = key
    key = found or secrets.token_urlsafe(12)
    memory.put(TABLE, key, msgspec.json.encode(StoredSearch(text=text, by=by, at=now)))
    return key


def find(memory: Memory, key: str) -> StoredSearch | None:
    """The query of this id."""
    raw = memory.get(TABLE, key)
    return None if raw is None else msgspec.json.decode(raw, type=StoredSearch)


def recent(memory: Memory, *, by: str, limit: int = 6) -> list[tuple[str, StoredSearch]]:
    """The person's latest searches, newest first."""
    mine = [(key, search) for key, search in _all(memory).items() if search.by == by]
    return sorted(mine, key=lambda pair: pair[1].at, reverse=True)[:limit]


def _all(memory: Memory) -> dict[str, StoredSearch]:
    return {key: msgspec.json.decode(raw, type=StoredSearch) for key, raw in memory.entries(TABLE).items()}
