"""Reading the index: newest-first search, counts, histogram."""

from __future__ import annotations

import base64
import binascii
import heapq
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from hustings.contracts import Page
from hustings.errors import StoreError
from hustings.query.fields import FIELDS
from hustings.types import Assessment
from index.sqlite import terms
from index.sqlite.compile_query import Matching
from index.sqlite.schema import FIELD_COLUMNS, STRETCH_BITS
from index.sqlite.write import POSTS_BY_KEYS, keys_parameter, read_contents
from index.times import from_us

__all__ = ["count", "count_by_field", "count_by_time", "find_page", "get"]


MAX_ROW = 2**63 - 1


class _Place(NamedTuple):
    """Where a post stands in the order of results: by time of publication, ties by key."""

    published_us: int
    key: str


def get(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Assessment]:
    found = connection.execute(
        f"SELECT posts.key, text, title, body FROM {POSTS_BY_KEYS} JOIN contents ON contents.id = posts.id",
        (keys_parameter(keys),),
    )
    return {key: read_contents(text, title, body) for key, text, title, body in found}


def find_page(connection: sqlite3.Connection, matching: Matching, *, limit: int, after: str | None) -> Page:
    """One page of results. Asks for one more than it gives, to know whether there is a next page."""
    below = None if after is None else _read_cursor(after)
    places = (
        _by_time(connection, matching, limit + 1, below)
        if matching.match is None
        else _by_words(connection, matching, limit + 1, below)
    )
    shown = places[:limit]
    found = get(connection, [place.key for place in shown])
    next_page = _cursor(shown[-1]) if len(places) > limit and shown else None
    return Page([found[place.key] for place in shown], next_page)


def count(connection: sqlite3.Connection, matching: Matching) -> int:
    if matching.match is not None and matching.condition == "1":
        found = connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (matching.match,))
    else:
        found = connection.execute(f"SELECT count(*) FROM {matching.source()}", matching.all_parameters())
    return int(found.fetchone()[0])


def count_by_field(connection: sqlite3.Connection, matching: Matching, field: str, *, limit: int) -> dict[str, int]:
    if field in FIELD_COLUMNS or field == "key":
        counts = dict(
            connection.execute(
                f"SELECT p.{field}, count(*) FROM {matching.source()} AND p.{field} <> '' GROUP BY 1 LIMIT ?",
                (*matching.all_parameters(), limit + 1),
            )
        )
    elif field in terms.MULTI_FIELDS:
        rows = connection.execute(f"SELECT p.terms FROM {matching.source()}", matching.all_parameters())
        counts = Counter(value for (of_post,) in rows for value in terms.values_in(of_post, field))
    else:
        known = ", ".join(name for name, row in FIELDS.items() if row.groupable)
        raise StoreError(f"posts cannot be counted by {field!r}; the fields that have values are {known}")
    if len(counts) > limit:
        raise StoreError(f"field {field!r} has more than {limit} values here; narrow the query or raise the limit")
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def count_by_time(connection: sqlite3.Connection, matching: Matching, *, step: timedelta) -> dict[datetime, int]:
    step_us = step // timedelta(microseconds=1)
    if step_us <= 0:
        raise StoreError(f"a histogram needs a step above 0, not {step!r}")
    found = connection.execute(
        "SELECT p.published_us - ((p.published_us % ?) + ?) % ?, count(*)"
        f" FROM {matching.source()} GROUP BY 1 ORDER BY 1",
        (step_us, step_us, step_us, *matching.all_parameters()),
    )
    return {from_us(start): posts for start, posts in found}


# ── newest first ─────────────────────────────────────────────────────────────────────────────────────────────────


def _by_time(connection: sqlite3.Connection, matching: Matching, limit: int, below: _Place | None) -> list[_Place]:
    """Without words: along the index of times, until enough rows met the condition."""
    start = "" if below is None else " AND (p.published_us, p.key) < (?, ?)"
    found = connection.execute(
        f"SELECT p.published_us, p.key FROM {matching.source()}{start}"
        " ORDER BY p.published_us DESC, p.key DESC LIMIT ?",
        (*matching.all_parameters(), *(below or ()), limit),
    )
    return [_Place(*row) for row in found]


def _by_words(connection: sqlite3.Connection, matching: Matching, limit: int, below: _Place | None) -> list[_Place]:
    """With words: along the row ids, newest first, which is nearly the order of publication. The stretches tell from
    which row on all posts are newer than the page, and from where on none can be as new as what was found."""
    end = _end_of_rows(connection, below)
    found = connection.execute(
        f"SELECT p.id, p.published_us, p.key FROM {matching.source()} AND words.rowid < ? ORDER BY words.rowid DESC",
        (*matching.all_parameters(), end),
    )
    best: list[_Place] = []  # a heap, the oldest on top
    stretch, newest_left_us = -1, 0
    for row, published_us, key in found:
        if row >> STRETCH_BITS != stretch:
            stretch = row >> STRETCH_BITS
            newest_left_us = _newest_up_to(connection, stretch)
        if len(best) == limit and best[0].published_us > newest_left_us:
            break
        place = _Place(published_us, key)
        if below is not None and place >= below:
            continue
        if len(best) < limit:
            heapq.heappush(best, place)
        elif place > best[0]:
            heapq.heapreplace(best, place)
    return sorted(best, reverse=True)


def _newest_up_to(connection: sqlite3.Connection, stretch: int) -> int:
    """The newest time of publication in a stretch and all before it."""
    found = connection.execute("SELECT newest_so_far_us FROM stretches WHERE number = ?", (stretch,))
    return int(found.fetchone()[0])


def _end_of_rows(connection: sqlite3.Connection, below: _Place | None) -> int:
    """The row id before which a page begins: every post from it on is newer than where the page before ended."""
    end = MAX_ROW
    if below is not None:
        for number, oldest_us in connection.execute("SELECT number, oldest_us FROM stretches ORDER BY number DESC"):
            if oldest_us <= below.published_us:
                break
            end = number << STRETCH_BITS
    return end


# ── cursors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _cursor(place: _Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(cursor: str) -> _Place:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=_Place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as problem:
        raise StoreError(f"{cursor[:80]!r} is not where a page of results ended; begin again without it") from problem
