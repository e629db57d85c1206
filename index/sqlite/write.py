"""Assessments into the index: what each one does to the stored post, the books, and the inverted index."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hustings import wire
from hustings.contracts import Outcome
from hustings.query.fields import keyword_values
from hustings.types import Assessment
from index.books import BOOK_OF, DEAD_LETTERS, DROPPED
from index.sqlite import terms
from index.sqlite.files import store_positions
from index.sqlite.schema import FIELD_COLUMNS, STRETCH_BITS, tail_of
from index.sqlite.scores import packed
from index.times import from_us, to_us

__all__ = [
    "POSTS_BY_KEYS",
    "forget_rows",
    "keys_parameter",
    "read_contents",
    "write_assessments",
    "write_books",
    "write_dropped",
]

POSTS_BY_KEYS = (
    "json_each(?) AS wanted CROSS JOIN posts ON posts.tail = wanted.value ->> 0 AND posts.key = wanted.value ->> 1"
)
"""What stands after FROM to find posts by key; its parameter is made by `keys_parameter`."""


def keys_parameter(keys: Iterable[str]) -> str:
    return msgspec.json.encode([(tail_of(key), key) for key in keys]).decode()


class _Stored(NamedTuple):
    """What is known of a key: its row (None while it is only in this batch), and the assessment that will stand."""

    row: int | None
    revision: int
    first_collected_us: int
    standing: Assessment | None


def write_assessments(connection: sqlite3.Connection, assessments: Sequence[Assessment]) -> list[Outcome]:
    """One outcome each, in order. Of several revisions of one key in a batch only the last is written."""
    stored = _stored(connection, {assessment.key for assessment in assessments})
    outcomes = []
    for assessment in assessments:
        known = stored.get(assessment.key)
        outcome = _outcome(connection, known, assessment)
        outcomes.append(outcome)
        if outcome is Outcome.NEW:
            stored[assessment.key] = _Stored(
                None, assessment.post.revision, to_us(assessment.ingested_at), standing=assessment
            )
        elif outcome is Outcome.REVISED and known is not None:
            stored[assessment.key] = known._replace(revision=assessment.post.revision, standing=assessment)
    _replace(connection, [entry for entry in stored.values() if entry.standing is not None])
    return outcomes


def write_books(
    connection: sqlite3.Connection,
    outcomes: Sequence[Outcome],
    *,
    origins: Sequence[tuple[int, int]],
    dead: Sequence[tuple[int, int]],
    counted_to: Mapping[int, int],
) -> None:
    """Count what came from the log at or above `counted_to`; below, it was counted before."""
    counts: Counter[str] = Counter()
    for outcome, (partition, offset) in zip(outcomes, origins, strict=bool(origins)):
        if offset >= counted_to.get(partition, 0):
            counts[BOOK_OF[outcome]] += 1
    counts[DEAD_LETTERS] += sum(offset >= counted_to.get(partition, 0) for partition, offset in dead)
    _count(connection, counts)


def write_dropped(connection: sqlite3.Connection, begins: Mapping[int, int], *, counted_to: Mapping[int, int]) -> None:
    """Count what lies below where partitions of the log begin and was not counted, and go on from there."""
    _count(connection, {DROPPED: sum(max(0, at - counted_to.get(partition, 0)) for partition, at in begins.items())})
    store_positions(connection, begins)


def _count(connection: sqlite3.Connection, counts: Mapping[str, int]) -> None:
    connection.executemany(
        "INSERT INTO books VALUES (?, ?) ON CONFLICT DO UPDATE SET posts = posts + excluded.posts",
        [(name, posts) for name, posts in counts.items() if posts],
    )


def read_contents(text: str, title: str, body: bytes) -> Assessment:
    """The assessment as it was written; its tokens stand beside the body, where they are searched."""
    return msgspec.structs.replace(wire.decode(body, Assessment), tokens=_tokens(text), title_tokens=_tokens(title))


def _tokens(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(" ")) if joined else ()


# ── what becomes of one ──────────────────────────────────────────────────────────────────────────────────────────


def _stored(connection: sqlite3.Connection, keys: set[str]) -> dict[str, _Stored]:
    found = connection.execute(
        f"SELECT posts.key, posts.id, revision, first_collected_us FROM {POSTS_BY_KEYS}", (keys_parameter(keys),)
    )
    return {key: _Stored(row, revision, first_us, None) for key, row, revision, first_us in found}


def _outcome(connection: sqlite3.Connection, known: _Stored | None, assessment: Assessment) -> Outcome:
    if known is None:
        return Outcome.NEW
    if assessment.post.revision > known.revision:
        return Outcome.REVISED
    if assessment.post.revision < known.revision:
        return Outcome.STALE
    same = _says(known.standing or _standing(connection, known.row)) == _says(assessment)
    return Outcome.UNCHANGED if same else Outcome.CONFLICTING


def _says(assessment: Assessment) -> tuple[str, str, bool]:
    """What the source said: two collectors see other reach and other times, and it is the same post all the same."""
    post = assessment.post
    return post.text, post.title, post.deleted


def _standing(connection: sqlite3.Connection, row: int | None) -> Assessment:
    (body,) = connection.execute("SELECT body FROM contents WHERE id = ?", (row,)).fetchone()
    return wire.decode(body, Assessment)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_POST_COLUMNS = (
    *("id", "key", "tail", "revision", "published_us", "collected_us", "first_collected_us"),
    *("reach", "has_text", "has_title"),
    *FIELD_COLUMNS,
    *("terms", "scores"),
)
_PUBLISHED = _POST_COLUMNS.index("published_us")
_TERMS = _POST_COLUMNS.index("terms")
_INSERT_POST = f"INSERT INTO posts ({', '.join(_POST_COLUMNS)}) VALUES ({', '.join('?' for _ in _POST_COLUMNS)})"
_FORGET_WORDS = (
    "INSERT INTO words (words, rowid, text, title, terms)"
    " SELECT 'delete', id, text, title, terms FROM word_contents WHERE id = ?"
)


def forget_rows(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Take posts out of all tables. Their words are only marked in the inverted index until it is merged (prune.py)."""
    by_row = [(row,) for row in rows]
    connection.executemany(_FORGET_WORDS, by_row)
    connection.executemany("DELETE FROM contents WHERE id = ?", by_row)
    connection.executemany("DELETE FROM posts WHERE id = ?", by_row)
    connection.execute("UPDATE state SET erased = erased + ?", (len(rows),))


def _replace(connection: sqlite3.Connection, entries: Sequence[_Stored]) -> None:
    """A revised post gets a new row: row ids rise with every write, as FTS5 wants them."""
    former = sorted(entry.row for entry in entries if entry.row is not None)
    if former:
        forget_rows(connection, former)
    (last,) = connection.execute("SELECT last_row FROM state").fetchone()
    connection.execute("UPDATE state SET last_row = ?", (last + len(entries),))
    posts, contents, words = [], [], []
    stretches: dict[int, tuple[int, int]] = {}
    for row, entry in enumerate(entries, last + 1):
        assert entry.standing is not None  # noqa: S101 - the caller keeps only entries that stand
        content = _content_row(row, entry.standing, entry.first_collected_us)
        _, text, title, _ = content
        post = _post_row(row, entry.standing, entry.first_collected_us, words=text + title)
        posts.append(post)
        contents.append(content)
        words.append((row, text, title, post[_TERMS]))
        _widen(stretches, row >> STRETCH_BITS, post[_PUBLISHED])
    connection.executemany(_INSERT_POST, posts)
    connection.executemany("INSERT INTO contents (id, text, title, body) VALUES (?, ?, ?, ?)", contents)
    connection.executemany("INSERT INTO words (rowid, text, title, terms) VALUES (?, ?, ?, ?)", words)
    connection.executemany(
        "INSERT INTO stretches VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
        " oldest_us = min(oldest_us, excluded.oldest_us),"
        " newest_so_far_us = max(newest_so_far_us, excluded.newest_so_far_us)",
        _with_newest_so_far(connection, stretches),
    )


def _with_newest_so_far(
    connection: sqlite3.Connection, stretches: Mapping[int, tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    """Rows of `stretches`: they rise, so what is the newest until now only grows."""
    found = connection.execute("SELECT newest_so_far_us FROM stretches ORDER BY number DESC LIMIT 1").fetchone()
    newest_so_far = None if found is None else int(found[0])
    for number, (oldest, newest) in stretches.items():
        newest_so_far = newest if newest_so_far is None else max(newest_so_far, newest)
        yield number, oldest, newest_so_far


def _widen(stretches: dict[int, tuple[int, int]], number: int, published_us: int) -> None:
    oldest, newest = stretches.get(number, (published_us, published_us))
    stretches[number] = (min(oldest, published_us), max(newest, published_us))


def _post_row(row: int, assessment: Assessment, first_collected_us: int, *, words: str) -> tuple[Any, ...]:
    """In the order of `_POST_COLUMNS`."""
    post = assessment.post
    key = post.key
    singles = {name: "".join(keyword_values(assessment, name)) for name in FIELD_COLUMNS}
    return (
        row,
        key,
        tail_of(key),
        post.revision,
        to_us(post.published_at),
        to_us(post.collected_at),
        first_collected_us,
        post.reach,
        bool(assessment.tokens),
        bool(assessment.title_tokens),
        *singles.values(),
        terms.of_assessment(assessment, singles, words),
        packed(assessment),
    )


def _content_row(row: int, assessment: Assessment, first_collected_us: int) -> tuple[int, str, str, bytes]:
    """The tokens stand beside the body, not in it."""
    body = msgspec.structs.replace(
        assessment, tokens=(), title_tokens=(), first_collected_at=from_us(first_collected_us)
    )
    return row, " ".join(assessment.tokens), " ".join(assessment.title_tokens), wire.encode(body)
