"""Hits of rules: highest revision wins, and they come back by rule or by post."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from hustings import wire
from hustings.contracts import Outcome
from hustings.errors import HustingsError, Unavailable, WriteRefused
from hustings.types import Hit
from index.elastic import state
from index.elastic.bulk import BulkWriter, Operation
from index.elastic.documents import HIT_PARTS, hit_document, read_hit
from index.elastic.lookup import find
from index.elastic.months import make_missing
from index.elastic.names import Live, alias_of, month_index
from index.elastic.nodes import Nodes
from index.elastic.recent import Recent
from index.elastic.write import external
from index.times import to_us

__all__ = ["former_hits", "hits_of_rule", "write_hits"]

TRIES = 5
"""As for assessments (write.py)."""
AT_ONCE = 2_000
"""Hits in one answer."""
KEYS_AT_ONCE = 5_000
"""Posts whose hits are asked for in one request; the server takes 65,536."""
KEEP_ALIVE = "5m"
"""How long the server keeps the view of a reader that does not come back; each request begins it anew."""


class _Stored(NamedTuple):
    """Of a hit: the index that it is in, its revision and its wire form."""

    index_name: str
    revision: int
    body: str


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────


def write_hits(
    nodes: Nodes, writer: BulkWriter, recent: Recent, hits: Sequence[Hit], *, log_id: str, positions: Mapping[int, int]
) -> list[Outcome]:
    """What the contract's `write_hits` says: documents first, then positions."""
    live = nodes.live()
    states = recent.begin(nodes, writer, live, "hits", positions.keys(), log_id=log_id)
    outcomes = _write_documents(nodes, writer, live, hits)
    states = state.store(nodes, writer, live.state, "hits", known=states, positions=positions, counted=())
    recent.stored(live, "hits", states)
    return outcomes


def _write_documents(nodes: Nodes, writer: BulkWriter, live: Live, hits: Sequence[Hit]) -> list[Outcome]:
    outcomes = [Outcome.NEW] * len(hits)
    bodies = [wire.encode(hit).decode() for hit in hits]
    places_by_id: dict[str, list[int]] = {}
    for place, hit in enumerate(hits):
        places_by_id.setdefault(hit.id, []).append(place)
    months = set(live.hits)
    refused: dict[int, str] = {}
    pending: Collection[str] = places_by_id
    for _ in range(TRIES):
        stored = _stored(nodes, months, pending)
        sent: list[tuple[str, int]] = []
        operations: list[Operation] = []
        wanted: set[str] = set()
        for id_ in pending:
            known = stored.get(id_)
            last: int | None = None
            for place in places_by_id[id_]:
                outcomes[place] = _outcome(known, hits[place].revision, bodies[place])
                if outcomes[place] in (Outcome.NEW, Outcome.REVISED):
                    index = known.index_name if known else month_index(live.set, "hits", hits[place].g)
                    known, last = _Stored(index, hits[place].revision, bodies[place]), place
            if last is None or known is None:
                continue
            operations.append(
                Operation(external(known.index_name, id_, known.revision), hit_document(hits[last], known.body))
            )
            sent.append((id_, last))
            wanted.add(known.index_name)
        make_missing(nodes, live, "hits", wanted - months)
        months |= wanted
        answers = list(zip(sent, writer.send(operations, doing="writing hits"), strict=True))
        refused |= {place: answer.reason for (_, place), answer in answers if answer.is_refused}
        pending = [id_ for (id_, _), answer in answers if answer.is_conflict]
        if not pending:
            break
    else:
        raise Unavailable(f"{live.set}hits: others keep writing the same hits, {sorted(pending)[:3]} for example")
    if refused:
        raise WriteRefused(f"{live.set}hits", refused)
    return outcomes


def _stored(nodes: Nodes, months: Collection[str], ids: Collection[str]) -> dict[str, _Stored]:
    found = find(nodes, sorted(months), list(ids), parts=["revision", "body"])
    return {
        id_: _Stored(document.index_name, document.parts["revision"], document.parts["body"])
        for id_, document in found.items()
    }


def _outcome(known: _Stored | None, revision: int, body: str) -> Outcome:
    if known is None:
        return Outcome.NEW
    if revision > known.revision:
        return Outcome.REVISED
    if revision < known.revision:
        return Outcome.STALE
    return Outcome.UNCHANGED if body == known.body else Outcome.CONFLICTING


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def hits_of_rule(nodes: Nodes, rule: str, logic: str, *, since: datetime | None) -> Iterator[Hit]:
    """By (t, key), as they were when the reading began."""
    asked: list[dict[str, Any]] = [{"term": {"rule": rule}}, {"term": {"logic": logic}}]
    if since is not None:
        asked.append({"range": {"t_us": {"gte": to_us(since)}}})
    yield from _walk(nodes, asked)


def former_hits(nodes: Nodes, keys: Sequence[str]) -> list[Hit]:
    """Sees every acknowledged write: hits are found by their post's key, which only a refreshed index knows."""
    wanted = sorted(set(keys))
    found: list[Hit] = []
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        of_these = {"terms": {"key": wanted[start : start + KEYS_AT_ONCE]}}
        found += _walk(nodes, [of_these, {"term": {"withdrawn": False}}])
    return sorted(found, key=lambda hit: (hit.key, hit.id))


def _walk(nodes: Nodes, asked: list[dict[str, Any]]) -> Iterator[Hit]:
    """All hits that meet the filters, over a view of the index that later writes do not change."""
    alias = alias_of(nodes.settings.prefix, "hits")
    if not nodes.live().hits:
        return
    nodes.refresh([alias])
    view = nodes.ask("reading hits", lambda client: client.open_point_in_time, index=alias, keep_alive=KEEP_ALIVE)["id"]
    try:
        after: list[Any] | None = None
        while True:
            body = _page(asked, view, after)
            answer = nodes.ask("reading hits", lambda client: client.search, **body)
            view = answer["pit_id"]
            found = answer["hits"]["hits"]
            for one in found:
                yield read_hit(one["_source"])
            if len(found) < AT_ONCE:
                return
            after = found[-1]["sort"]
    finally:
        _give_up(nodes, view)


def _give_up(nodes: Nodes, view: str) -> None:
    """Not worth an error: the server forgets the view by itself soon."""
    with suppress(HustingsError):
        nodes.ask("reading hits", lambda client: client.close_point_in_time, ignore_status=404, id=view)


def _page(asked: list[dict[str, Any]], view: str, after: list[Any] | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "pit": {"id": view, "keep_alive": KEEP_ALIVE},
        "query": {"bool": {"filter": asked}},
        # a third order, by place in the view, is added by the server, so that hits of one post are told apart
        "sort": [{"t_us": "asc"}, {"key": "asc"}],
        "source_includes": HIT_PARTS,
        "track_total_hits": False,
        "allow_partial_search_results": False,
        "size": AT_ONCE,
    }
    if after is not None:
        body["search_after"] = after
    return body
