"""A new mapping: everything is copied into a new index set, which then takes the place of the old one.

Each document is made anew from the value that it keeps, by this program, so a new mapping may hold fields that the old
one had not. Writing waits meanwhile (workers get `Unavailable` and come back); reading goes on. A crash leaves the old
set live; begun again, the copy starts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import msgspec

from hustings.clock import Clock
from hustings.errors import StoreError
from index.elastic.bulk import BulkWriter, Operation
from index.elastic.documents import ASSESSMENT_PARTS, HIT_PARTS, hit_document, post_document, read_assessment, read_hit
from index.elastic.indices import create, opened
from index.elastic.mapping import MAPPING_VERSION
from index.elastic.names import Live, set_of, state_index
from index.elastic.nodes import Nodes
from index.elastic.sets import block_writing, drop, settings_of, switch, unblock_writing
from index.elastic.settings import ElasticSettings
from index.elastic.standing import Standing
from index.elastic.versions import mapping_versions
from index.elastic.write import external

__all__ = ["Migrated", "migrate"]

AT_ONCE = 1_000
KEEP_ALIVE = "10m"

_encoder = msgspec.json.Encoder()


class Migrated(NamedTuple):
    """What was copied, and the set that is live now."""

    posts: int
    hits: int
    live: str


def migrate(settings: ElasticSettings, *, clock: Clock | None = None) -> Migrated | None:
    """Copy the live indices into new ones of this program's mapping and put those in their place; None when they have
    it already. The old ones are deleted once every document has been counted in the new ones."""
    name = f"m{MAPPING_VERSION}"
    with opened(settings, clock) as nodes:
        live = nodes.live()
        if set(mapping_versions(nodes, (live.state, *live.posts, *live.hits)).values()) == {MAPPING_VERSION}:
            return None
        drop(settings, name, clock=clock)  # what an attempt before this one may have left
        create(settings_of(settings, name), clock=clock)
        try:
            block_writing(nodes, live)
            copied = _copy(nodes, live, set_of(settings.prefix, name))
            former = switch(settings, to=name, clock=clock)
        except BaseException:
            unblock_writing(nodes, [live.state, *live.posts, *live.hits])
            raise
    drop(settings, former, clock=clock)
    return copied


def _copy(nodes: Nodes, live: Live, to: str) -> Migrated:
    with closing(BulkWriter(nodes)) as writer:
        return _copy_all(nodes, writer, live, to)


def _copy_all(nodes: Nodes, writer: BulkWriter, live: Live, to: str) -> Migrated:
    posts = sum(_copy_index(nodes, writer, index, _renamed(index, live.set, to), _post) for index in live.posts)
    hits = sum(_copy_index(nodes, writer, index, _renamed(index, live.set, to), _hit) for index in live.hits)
    _copy_index(nodes, writer, live.state, state_index(to), _kept)
    return Migrated(posts, hits, to)


def _renamed(index: str, of_set: str, to: str) -> str:
    return to + index.removeprefix(of_set)


def _copy_index(
    nodes: Nodes, writer: BulkWriter, index: str, target: str, made: Callable[[Mapping[str, Any]], tuple[bytes, int]]
) -> int:
    """How many documents; all of them are in the target then."""
    if not target.endswith(state_index("")):
        nodes.ask("making an index", lambda client: client.indices.create, index=target)
    copied = 0
    for documents in _scan(nodes, index):
        operations = []
        for one in documents:
            document, version = made(one["_source"])
            operations.append(Operation(external(target, one["_id"], version), document))
        for one, answer in zip(documents, writer.send(operations, doing="copying"), strict=True):
            if not answer.is_written:
                raise StoreError(f"{target}: {one['_id']!r} cannot be copied: {answer.status} {answer.reason}")
        copied += len(documents)
    nodes.refresh([index, target])
    counts = [nodes.ask("copying", lambda client: client.count, index=of)["count"] for of in (index, target)]
    if counts != [copied, copied]:
        raise StoreError(f"{target}: holds {counts[1]} documents, {index} {counts[0]}, {copied} were copied")
    return copied


def _scan(nodes: Nodes, index: str) -> Iterator[Sequence[Mapping[str, Any]]]:
    nodes.refresh([index])
    view = nodes.ask("copying", lambda client: client.open_point_in_time, index=index, keep_alive=KEEP_ALIVE)["id"]
    after: list[Any] | None = None
    try:
        while True:
            body: dict[str, Any] = {
                "pit": {"id": view, "keep_alive": KEEP_ALIVE},
                "sort": ["_shard_doc"],
                "size": AT_ONCE,
                "track_total_hits": False,
                "allow_partial_search_results": False,
                **({"search_after": after} if after else {}),
            }
            answer = nodes.ask("copying", lambda client: client.search, **body)
            view, documents = answer["pit_id"], answer["hits"]["hits"]
            if documents:
                yield documents
            if len(documents) < AT_ONCE:
                return
            after = documents[-1]["sort"]
    finally:
        nodes.ask("copying", lambda client: client.close_point_in_time, ignore_status=404, id=view)


def _post(source: Mapping[str, Any]) -> tuple[bytes, int]:
    standing = msgspec.convert(source["standing"], Standing)
    return post_document(
        read_assessment({part: source.get(part, "") for part in ASSESSMENT_PARTS}), standing
    ), standing.revision


def _hit(source: Mapping[str, Any]) -> tuple[bytes, int]:
    hit = read_hit({part: source[part] for part in HIT_PARTS})
    return hit_document(hit, source["body"]), hit.revision


def _kept(source: Mapping[str, Any]) -> tuple[bytes, int]:
    return _encoder.encode(source), int(source.get("position", 0))
