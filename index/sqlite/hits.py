"""Hits of rules: highest revision wins, and they come back by rule or by post."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from hustings import wire
from hustings.contracts import Outcome
from hustings.types import Hit
from index.times import to_us

__all__ = ["former_hits", "hits_after", "place_before", "write_hits"]

START = ("", "")
"""Before every (key, id)."""


def write_hits(connection: sqlite3.Connection, hits: Sequence[Hit]) -> list[Outcome]:
    """One outcome each, in order."""
    ids = [hit.id for hit in hits]
    found = connection.execute(
        "SELECT id, revision, body FROM hits WHERE id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(sorted(set(ids))).decode(),),
    )
    stored: dict[str, tuple[int, bytes]] = {id_: (revision, body) for id_, revision, body in found}
    outcomes = []
    standing: dict[str, Hit] = {}
    for id_, hit in zip(ids, hits, strict=True):
        body = wire.encode(hit)
        outcome = _outcome(stored.get(id_), hit.revision, body)
        outcomes.append(outcome)
        if outcome in (Outcome.NEW, Outcome.REVISED):
            stored[id_] = (hit.revision, body)
            standing[id_] = hit
    connection.executemany(
        "INSERT OR REPLACE INTO hits (id, rule, logic, key, revision, withdrawn, t_us, g_us, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (id_, hit.rule, hit.logic, hit.key, hit.revision, hit.withdrawn, to_us(hit.t), to_us(hit.g), stored[id_][1])
            for id_, hit in standing.items()
        ],
    )
    return outcomes


def hits_after(
    connection: sqlite3.Connection, rule: str, logic: str, *, after: tuple[int, str, str], limit: int
) -> list[tuple[tuple[int, str, str], Hit]]:
    """At most `limit` hits with their places (t, key, id), in that order, behind `after`."""
    found = connection.execute(
        "SELECT t_us, key, id, body FROM hits WHERE rule = ? AND logic = ? AND (t_us, key, id) > (?, ?, ?)"
        " ORDER BY t_us, key, id LIMIT ?",
        (rule, logic, *after, limit),
    )
    return [((t_us, key, id_), wire.decode(body, Hit)) for t_us, key, id_, body in found]


def place_before(since: datetime | None) -> tuple[int, str, str]:
    """The place before every hit with t at or after `since`."""
    return (-(2**63) if since is None else to_us(since), *START)


def former_hits(connection: sqlite3.Connection, keys: Sequence[str]) -> list[Hit]:
    found = connection.execute(
        "SELECT body FROM hits WHERE key IN (SELECT value FROM json_each(?)) AND NOT withdrawn ORDER BY key, id",
        (msgspec.json.encode(sorted(set(keys))).decode(),),
    )
    return [wire.decode(body, Hit) for (body,) in found]


def _outcome(known: tuple[int, bytes] | None, revision: int, body: bytes) -> Outcome:
    if known is None:
        return Outcome.NEW
    if revision > known[0]:
        return Outcome.REVISED
    if revision < known[0]:
        return Outcome.STALE
    return Outcome.UNCHANGED if body == known[1] else Outcome.CONFLICTING
