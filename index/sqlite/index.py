"""`SqliteIndex`: the contract `Index` over two SQLite files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hustings.contracts import Outcome, Page, PositionsAndBooks, Topic
from hustings.errors import StoreError
from hustings.query import Query
from hustings.sqlite_file import translated
from hustings.types import Assessment, Hit
from index.books import BOOKS
from index.sqlite import hits as hit_rows
from index.sqlite import search
from index.sqlite.compile_query import compile_query
from index.sqlite.files import IndexFile, check_log, claim_for_log, store_positions, stored_log_id, stored_positions
from index.sqlite.prune import prune_assessments, prune_hits, purge
from index.sqlite.schema import ASSESSMENTS, HITS
from index.sqlite.write import write_assessments, write_books, write_dropped

__all__ = ["SqliteIndex"]

HITS_AT_ONCE = 1_000
"""Hits read in one go while somebody iterates: no transaction stays open between them."""


class SqliteIndex:
    """The index in the folder `path`. Safe from many threads and processes; acknowledged writes are seen at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._assessments = IndexFile(path / "assessments.db", ASSESSMENTS)
        self._hits = IndexFile(path / "hits.db", HITS)
        self._checked_log_id = ""

    def open(self) -> SqliteIndex:
        """Open the index, making it when the folder is new. Raises `StoreError` when the folder cannot hold one, or
        holds the index of a newer Hustings."""
        with translated(self._path):
            if not self._path.exists():
                if not self._path.parent.is_dir():
                    raise StoreError(f"{self._path}: cannot be made, its parent folder is missing")
                self._path.mkdir(exist_ok=True)
            if not self._path.is_dir():
                raise StoreError(f"{self._path}: must be a folder; an index is two files")
        self._assessments.open()
        try:
            self._hits.open()
        except BaseException:
            self._assessments.close()
            raise
        return self

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    def write(
        self,
        assessments: Sequence[Assessment],
        *,
        log_id: str,
        origins: Sequence[tuple[int, int]] = (),
        dead: Sequence[tuple[int, int]] = (),
        dropped: Mapping[int, int] | None = None,
        positions: Mapping[int, int] | None = None,
    ) -> list[Outcome]:
        self._check_log(log_id)
        with self._assessments.writing() as connection:
            claim_for_log(connection, self._assessments.path, log_id)
            counted_to = stored_positions(connection)
            if dropped:
                write_dropped(connection, dropped, counted_to=counted_to)
                counted_to = stored_positions(connection)
            outcomes = write_assessments(connection, assessments)
            write_books(connection, outcomes, origins=origins, dead=dead, counted_to=counted_to)
            store_positions(connection, positions or {})
        return outcomes

    def write_hits(
        self, hits: Sequence[Hit], *, log_id: str, positions: Mapping[int, int] | None = None
    ) -> list[Outcome]:
        self._check_log(log_id)
        with self._hits.writing() as connection:
            claim_for_log(connection, self._hits.path, log_id)
            outcomes = hit_rows.write_hits(connection, hits)
            store_positions(connection, positions or {})
        return outcomes

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────────

    def positions(self, topic: Topic) -> dict[int, int]:
        if topic == "dead-letters":
            return {}
        with (self._assessments if topic == "posts" else self._hits).reading() as connection:
            return stored_positions(connection)

    def log_id(self) -> str | None:
        return next((found for _, found in self._log_ids()), None)

    def books(self) -> dict[str, int]:
        return self.positions_and_books().books

    def positions_and_books(self) -> PositionsAndBooks:
        with self._assessments.reading() as connection:
            counted = dict(connection.execute("SELECT name, posts FROM books"))
            positions = stored_positions(connection)
        return PositionsAndBooks(positions, {name: counted.get(name, 0) for name in BOOKS})

    def _log_ids(self) -> Iterator[tuple[Path, str]]:
        for file in (self._assessments, self._hits):
            with file.reading() as connection:
                found = stored_log_id(connection)
            if found is not None:
                yield file.path, found

    def _check_log(self, log_id: str) -> None:
        """The two files must be of one log, also before the second of them was ever written."""
        if log_id == self._checked_log_id:
            return
        for path, found in self._log_ids():
            check_log(path, found, log_id)
        self._checked_log_id = log_id

    # ── assessments ──────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        with self._assessments.reading() as connection:
            return search.get(connection, keys)

    def search(self, query: Query, *, limit: int = 50, after: str | None = None) -> Page:
        matching = compile_query(query)
        with self._assessments.reading() as connection:
            return search.find_page(connection, matching, limit=limit, after=after)

    def count(self, query: Query) -> int:
        matching = compile_query(query)
        with self._assessments.reading() as connection:
            return search.count(connection, matching)

    def counts(self, query: Query, field: str, *, limit: int = 1000) -> dict[str, int]:
        matching = compile_query(query)
        with self._assessments.reading() as connection:
            return search.count_by_field(connection, matching, field, limit=limit)

    def histogram(self, query: Query, *, step: timedelta) -> dict[datetime, int]:
        matching = compile_query(query)
        with self._assessments.reading() as connection:
            return search.count_by_time(connection, matching, step=step)

    # ── hits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hits(self, rule: str, logic: str, *, since: datetime | None = None) -> Iterator[Hit]:
        place = hit_rows.place_before(since)
        while True:
            with self._hits.reading() as connection:
                found = hit_rows.hits_after(connection, rule, logic, after=place, limit=HITS_AT_ONCE)
            for place, hit in found:  # noqa: B007 - the last place is where the next go begins
                yield hit
            if len(found) < HITS_AT_ONCE:
                return

    def former_hits(self, keys: Sequence[str]) -> list[Hit]:
        with self._hits.reading() as connection:
            return hit_rows.former_hits(connection, keys)

    # ── upkeep ───────────────────────────────────────────────────────────────────────────────────────────────────

    def prune(self, *, before: datetime) -> int:
        """Also leaves no trace in the files of anything erased or overwritten until now."""
        forgotten = prune_assessments(self._assessments, before=before)
        prune_hits(self._hits, before=before)
        purge(self._assessments)
        return forgotten

    def refresh(self) -> None:
        """Nothing to do: a search sees every committed transaction."""

    def close(self) -> None:
        self._assessments.close()
        self._hits.close()
