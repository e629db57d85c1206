"""`ElasticIndex`: the contract `Index` over Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from hustings.clock import Clock
from hustings.contracts import Outcome, Page, PositionsAndBooks, Topic
from hustings.query import Query
from hustings.types import Assessment, Hit
from index.books import BOOKS
from index.elastic import hits as hit_documents
from index.elastic import search, state
from index.elastic.bulk import BulkWriter
from index.elastic.names import Live, alias_of
from index.elastic.nodes import Nodes
from index.elastic.prune import prune
from index.elastic.recent import Recent
from index.elastic.settings import ElasticSettings
from index.elastic.versions import check_versions
from index.elastic.write import write

__all__ = ["ElasticIndex"]


class ElasticIndex:
    """The index on the cluster that `settings` name. Safe from many threads and processes."""

    def __init__(self, settings: ElasticSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._nodes = Nodes(settings, clock=clock)
        self._writer = BulkWriter(self._nodes)
        self._recent = Recent()

    def open(self) -> ElasticIndex:
        """Look whether the indices are there and made with this program's mapping. Raises `StoreError` when not,
        `ConfigError` when the login fails, `Unavailable` when nobody answers."""
        self._nodes.open()
        try:
            check_versions(self._nodes, self._nodes.live())
        except BaseException:
            self._nodes.close()
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
        with self._nothing_known_after_trouble():
            return write(
                self._nodes,
                self._writer,
                self._recent,
                assessments,
                log_id=log_id,
                origins=origins,
                dead=dead,
                dropped=dropped or {},
                positions=positions or {},
            )

    def write_hits(
        self, hits: Sequence[Hit], *, log_id: str, positions: Mapping[int, int] | None = None
    ) -> list[Outcome]:
        with self._nothing_known_after_trouble():
            return hit_documents.write_hits(
                self._nodes, self._writer, self._recent, hits, log_id=log_id, positions=positions or {}
            )

    @contextmanager
    def _nothing_known_after_trouble(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._recent.forget()
            raise

    # ── what it holds ────────────────────────────────────────────────────────────────────────────────────────────

    def positions(self, topic: Topic) -> dict[int, int]:
        if topic == "dead-letters":
            return {}
        found = state.read_all(self._nodes, self._nodes.live().state, topic)
        return {partition: known.position for partition, known in found.items()}

    def log_id(self) -> str | None:
        return state.read_log_id(self._nodes, self._nodes.live().state)

    def books(self) -> dict[str, int]:
        return self.positions_and_books().books

    def positions_and_books(self) -> PositionsAndBooks:
        found = state.read_all(self._nodes, self._nodes.live().state, "posts")
        books = {name: sum(known.books.get(name, 0) for known in found.values()) for name in BOOKS}
        return PositionsAndBooks({partition: known.position for partition, known in found.items()}, books)

    # ── assessments ──────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return search.get(self._nodes, self._recent, keys)

    def search(self, query: Query, *, limit: int = 50, after: str | None = None) -> Page:
        return search.find_page(self._nodes, query, limit=limit, after=after)

    def count(self, query: Query) -> int:
        return search.count(self._nodes, query)

    def counts(self, query: Query, field: str, *, limit: int = 1000) -> dict[str, int]:
        return search.count_by_field(self._nodes, query, field, limit=limit)

    def histogram(self, query: Query, *, step: timedelta) -> dict[datetime, int]:
        return search.count_by_time(self._nodes, query, step=step)

    # ── hits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def hits(self, rule: str, logic: str, *, since: datetime | None = None) -> Iterator[Hit]:
        return hit_documents.hits_of_rule(self._nodes, rule, logic, since=since)

    def former_hits(self, keys: Sequence[str]) -> list[Hit]:
        return hit_documents.former_hits(self._nodes, keys)

    # ── upkeep ───────────────────────────────────────────────────────────────────────────────────────────────────

    def prune(self, *, before: datetime) -> int:
        """Also has the server write anew what still holds traces of something erased."""
        return prune(self._nodes, before=before)

    def refresh(self) -> None:
        live: Live = self._nodes.live()
        prefix = self._settings.prefix
        aliases = [alias_of(prefix, "posts")] * bool(live.posts) + [alias_of(prefix, "hits")] * bool(live.hits)
        if aliases:
            self._nodes.refresh(aliases)

    def close(self) -> None:
        self._writer.close()
        self._nodes.close()
