"""Forgetting: posts beyond their retention, and the last traces of everything that was erased.

A post that is deleted or revised leaves its rows at once (`secure_delete` overwrites them). In the inverted index its
words are only marked, until the pieces that hold the words and the mark are merged into one: `purge` does that.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime

from index.sqlite.files import IndexFile
from index.sqlite.write import forget_rows
from index.times import to_us

__all__ = ["prune_assessments", "prune_hits", "purge"]

ROWS_AT_ONCE = 500
"""Posts forgotten in one transaction: other writers wait for some tens of milliseconds at most."""
PAGES_AT_ONCE = 200
"""Pages of the inverted index merged in one transaction, for the same reason."""
PAUSE_S = 0.02
"""Between two transactions. SQLite has no queue for its write lock: without a pause nobody else would get it."""


def prune_assessments(file: IndexFile, *, before: datetime) -> int:
    """Forget posts first collected before that time; how many."""
    forgotten = 0
    while True:
        with file.writing() as connection:
            rows = _rows_before(connection, before)
            forget_rows(connection, rows)
        forgotten += len(rows)
        if len(rows) < ROWS_AT_ONCE:
            return forgotten
        time.sleep(PAUSE_S)


def prune_hits(file: IndexFile, *, before: datetime) -> None:
    """Forget hits on posts first collected before that time."""
    with file.writing() as connection:
        connection.execute("DELETE FROM hits WHERE g_us < ?", (to_us(before),))
    file.checkpoint()


def purge(file: IndexFile) -> None:
    """Leave no trace of erased posts: merge the inverted index until no mark is left, then empty the write-ahead file.
    Costs nothing when nothing was erased since the last time."""
    with file.reading() as connection:
        (owed,) = connection.execute("SELECT erased FROM state").fetchone()
    if not owed:
        return
    for pages in _merge_steps():
        with file.writing() as connection:
            before = connection.total_changes
            connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
            if connection.total_changes - before < 2:  # documented by FTS5: nothing was left to merge
                connection.execute("UPDATE state SET erased = max(0, erased - ?)", (owed,))
                break
        time.sleep(PAUSE_S)
    file.checkpoint()


def _merge_steps() -> Iterator[int]:
    """A negative number first puts all pieces on one level, so that all of them are merged."""
    yield -PAGES_AT_ONCE
    while True:
        yield PAGES_AT_ONCE


def _rows_before(connection: sqlite3.Connection, before: datetime) -> list[int]:
    found = connection.execute(
        "SELECT id FROM posts WHERE first_collected_us < ? ORDER BY id LIMIT ?", (to_us(before), ROWS_AT_ONCE)
    )
    return [row for (row,) in found]
