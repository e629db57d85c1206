"""Reading assessments: newest-first search, exact counts, counts by value, histogram."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from hustings.clock import from_ms
from hustings.contracts import Page
from hustings.errors import StoreError, Unavailable
from hustings.query import Query
from hustings.query.fields import FIELDS
from hustings.types import Assessment
from index.elastic.compile_query import compile_query
from index.elastic.cursor import Place, read_cursor, write_cursor
from index.elastic.documents import ASSESSMENT_PARTS, document_id, read_assessment
from index.elastic.lookup import find
from index.elastic.mapping import VALUE_FIELDS
from index.elastic.names import alias_of
from index.elastic.nodes import Nodes
from index.elastic.recent import Recent
from index.elastic.write import stored_in

__all__ = ["count", "count_by_field", "count_by_time", "find_page", "get"]

AT_ONCE = 500
"""Assessments in one answer: some may hold long texts."""
BUCKETS = 5_000
"""Values, or steps of time, in one answer."""


def get(nodes: Nodes, recent: Recent, keys: Sequence[str]) -> dict[str, Assessment]:
    """Sees every acknowledged write."""
    by_id = {document_id(key): key for key in keys}
    live = nodes.live()
    found = find(nodes, live.posts, list(by_id), parts=[*ASSESSMENT_PARTS, "standing"])
    recent.looked_up(live, keys, {by_id[id_]: stored_in(document) for id_, document in found.items()})
    return {by_id[id_]: read_assessment(document.parts) for id_, document in found.items()}


def find_page(nodes: Nodes, query: Query, *, limit: int, after: str | None) -> Page:
    """One page of results. Asks for one more than it gives, to know whether there is a next page."""
    place = None if after is None else read_cursor(after)
    wanted = limit + 1
    hits: list[dict[str, Any]] = []
    while len(hits) < wanted:
        size = min(AT_ONCE, wanted - len(hits))
        body: dict[str, Any] = {
            "query": compile_query(query),
            "sort": [{"published_us": "desc"}, {"key": "desc"}],
            "source_includes": ASSESSMENT_PARTS,
            "track_total_hits": False,
            "size": size,
        }
        if place is not None:
            body["search_after"] = list(place)
        found = _search(nodes, body)["hits"]["hits"]
        hits += found
        if len(found) < size:
            break
        place = Place(*found[-1]["sort"])
    shown = hits[:limit]
    next_page = write_cursor(Place(*shown[-1]["sort"])) if len(hits) > limit and shown else None
    return Page([read_assessment(hit["_source"]) for hit in shown], next_page)


def count(nodes: Nodes, query: Query) -> int:
    answer = _search(nodes, {"query": compile_query(query), "size": 0, "track_total_hits": True})
    return int(answer["hits"]["total"]["value"])


def count_by_field(nodes: Nodes, query: Query, field: str, *, limit: int) -> dict[str, int]:
    if field not in VALUE_FIELDS:
        known = ", ".join(name for name, row in FIELDS.items() if row.groupable)
        raise StoreError(f"posts cannot be counted by {field!r}; the fields that have values are {known}")
    counts: dict[str, int] = {}
    for bucket in _buckets(nodes, query, {"terms": {"field": field}}, at_once=min(BUCKETS, limit + 1)):
        counts[bucket["key"]["by"]] = bucket["doc_count"]
        if len(counts) > limit:
            raise StoreError(f"field {field!r} has more than {limit} values here; narrow the query or raise the limit")
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def count_by_time(nodes: Nodes, query: Query, *, step: timedelta) -> dict[datetime, int]:
    """Elasticsearch counts dates exactly by whole milliseconds."""
    step_ms, rest = divmod(step, timedelta(milliseconds=1))
    if step_ms <= 0 or rest:
        raise StoreError(f"a histogram needs a step of whole milliseconds above 0, not {step!r}")
    by_time = {"date_histogram": {"field": "published", "fixed_interval": f"{step_ms}ms"}}
    return {
        from_ms(bucket["key"]["by"]): bucket["doc_count"] for bucket in _buckets(nodes, query, by_time, at_once=BUCKETS)
    }


def _buckets(nodes: Nodes, query: Query, source: dict[str, Any], *, at_once: int) -> Iterator[dict[str, Any]]:
    """Every bucket there is, page by page: the server never decides which ones are worth showing."""
    composite: dict[str, Any] = {"size": at_once, "sources": [{"by": source}]}
    while True:
        body = {"query": compile_query(query), "size": 0, "track_total_hits": False}
        found = _search(nodes, {**body, "aggregations": {"all": {"composite": composite}}})["aggregations"]["all"]
        yield from found["buckets"]
        if len(found["buckets"]) < at_once or "after_key" not in found:
            return
        composite["after"] = found["after_key"]


def _search(nodes: Nodes, body: dict[str, Any]) -> dict[str, Any]:
    """The whole answer or an error: never the part that some shards had ready in time."""
    alias = alias_of(nodes.settings.prefix, "posts")
    timeout_s = nodes.settings.timeout_s
    answer: dict[str, Any] = nodes.ask(
        "searching",
        lambda client: client.search,
        ignore_status=404,
        index=alias,
        timeout=f"{int(timeout_s * 1000)}ms",
        allow_partial_search_results=False,
        **body,
    )
    if answer.get("status") == 404:
        return _nothing(nodes, answer)
    if answer["timed_out"]:
        raise Unavailable(f"the search took longer than elasticsearch.timeout_s = {timeout_s:g}; narrow it")
    return answer


def _nothing(nodes: Nodes, answer: dict[str, Any]) -> dict[str, Any]:
    """Before the first post there is no month, and so no alias."""
    if nodes.live().posts:
        raise Unavailable(f"an index went away while it was searched: {answer['error']}")
    return {"hits": {"hits": [], "total": {"value": 0}}, "aggregations": {"all": {"buckets": []}}}
