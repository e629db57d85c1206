"""The tables, and why they are so.

`posts` is narrow: what conditions, grouping and order read. `contents` is wide: what is shown. `words` finds: an
inverted index over the analyser's tokens (columns `text`, `title`) and over the keyword values (column `terms`, one
token per value, see terms.py). It keeps no copy of its own: its rows are those of the view `word_contents`.
Row ids rise with every new post, which FTS5 needs to be fast.

`stretches` sums up the times of publication of 256 row ids each: with it a search walks the newest row ids first and
knows when nothing newer can follow (search.py). Row ids are never used again, so a stretch is final once it is full.

Posts are found by key through (`tail`, `key`). The tail is what follows the last slash or colon, which on most
platforms rises with time: new posts go to the end of that index, where a tree in order of the key alone would dirty
another page for almost every post.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ASSESSMENTS", "FIELD_COLUMNS", "HITS", "STRETCH_BITS", "Tables", "tail_of"]

STRETCH_BITS = 8
"""A stretch is 2**8 row ids: so many rows, at most, a search reads in vain before it knows that it is done."""

FIELD_COLUMNS = ("lang", "source", "collector", "medium", "stream", "outlet", "author", "story")
"""Fields with at most one value: columns of `posts` of the same name, empty when there is none."""


class Tables(NamedTuple):
    """The contents of one file. `version` rises when a former program could not read it."""

    what: str
    version: int
    statements: tuple[str, ...]


def tail_of(key: str) -> str:
    """What follows the last slash or colon of a post's key."""
    return key[max(key.rfind("/"), key.rfind(":")) + 1 :]


def _token_characters() -> str:
    """Every ASCII character but NUL and the space, as an argument inside an argument of FTS5: quotes doubled twice.
    The `ascii` tokenizer takes all other characters as parts of tokens by itself."""
    characters = "".join(chr(code) for code in range(1, 128) if chr(code) != " ")
    return characters.replace("'", "''").replace('"', '""')


_SHARED = (
    "CREATE TABLE filled_by (log_id TEXT NOT NULL)",
    "CREATE TABLE positions (part INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL)",
)

ASSESSMENTS = Tables(
    what="an index of assessments",
    version=1,
    statements=(
        *_SHARED,
        "CREATE TABLE books (name TEXT PRIMARY KEY, posts INTEGER NOT NULL) WITHOUT ROWID",
        f"""CREATE TABLE posts (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            tail TEXT NOT NULL,
            revision INTEGER NOT NULL,
            published_us INTEGER NOT NULL,
            collected_us INTEGER NOT NULL,
            first_collected_us INTEGER NOT NULL,
            reach INTEGER NOT NULL,
            has_text INTEGER NOT NULL,
            has_title INTEGER NOT NULL,
            {" ".join(f"{name} TEXT NOT NULL," for name in FIELD_COLUMNS)}
            terms TEXT NOT NULL,
            scores BLOB)""",
        "CREATE UNIQUE INDEX posts_by_key ON posts (tail, key)",
        "CREATE INDEX posts_by_time ON posts (published_us)",
        "CREATE TABLE contents (id INTEGER PRIMARY KEY, text TEXT NOT NULL, title TEXT NOT NULL, body BLOB NOT NULL)",
        """CREATE VIEW word_contents AS
            SELECT posts.id AS id, contents.text AS text, contents.title AS title, posts.terms AS terms
            FROM posts JOIN contents ON contents.id = posts.id""",
        f"""CREATE VIRTUAL TABLE words USING fts5 (
            text, title, terms, content = 'word_contents', content_rowid = 'id', columnsize = 0,
            tokenize = "ascii tokenchars '{_token_characters()}'")""",
        # oldest: of the stretch itself; newest: of it and all before it
        """CREATE TABLE stretches (
            number INTEGER PRIMARY KEY, oldest_us INTEGER NOT NULL, newest_so_far_us INTEGER NOT NULL)""",
        # the last row id ever given; posts erased since the inverted index was last merged as a whole
        "CREATE TABLE state (last_row INTEGER NOT NULL, erased INTEGER NOT NULL)",
        "INSERT INTO state VALUES (0, 0)",
    ),
)

HITS = Tables(
    what="an index of hits",
    version=1,
    statements=(
        *_SHARED,
        """CREATE TABLE hits (
            id TEXT PRIMARY KEY,
            rule TEXT NOT NULL,
            logic TEXT NOT NULL,
            key TEXT NOT NULL,
            revision INTEGER NOT NULL,
            withdrawn INTEGER NOT NULL,
            t_us INTEGER NOT NULL,
            g_us INTEGER NOT NULL,
            body BLOB NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX hits_by_rule ON hits (rule, logic, t_us, key)",
        "CREATE INDEX hits_by_post ON hits (key)",
    ),
)
