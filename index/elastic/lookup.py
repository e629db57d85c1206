"""Documents by id, as they are now: what was acknowledged a moment ago is seen, refreshed or not.

A document lies in the index of its month, which its id does not tell. So every month is asked; an id that is not there
costs a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from index.elastic.nodes import Nodes
from index.elastic.troubles import answered

__all__ = ["Found", "find"]

AT_ONCE = 10_000
"""Documents asked for in one request."""


class Found(NamedTuple):
    """One document: the index that it is in, the parts that were asked for, and which writing of it this is."""

    index_name: str
    parts: Mapping[str, Any]
    seq_no: int
    term: int


def find(
    nodes: Nodes, indices: Sequence[str], ids: Sequence[str], *, parts: Sequence[str], doing: str = "looking up"
) -> dict[str, Found]:
    """By id, those that are there. An index that was pruned meanwhile holds nothing any more."""
    found: dict[str, Found] = {}
    for wanted in _at_once([{"_index": index, "_id": id_} for index in reversed(indices) for id_ in ids]):
        answer = nodes.ask(doing, lambda client: client.mget, docs=wanted, source_includes=list(parts))
        for document in answer["docs"]:
            if "error" in document:
                _check(nodes, document["error"], doing)
            elif document["found"]:
                writing = document["_seq_no"], document["_primary_term"]
                found[document["_id"]] = Found(document["_index"], document["_source"], *writing)
    return found


def _at_once(wanted: Sequence[dict[str, str]]) -> Iterator[Sequence[dict[str, str]]]:
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]


def _check(nodes: Nodes, error: Mapping[str, Any], doing: str) -> None:
    """Whatever else keeps a document from being read, it may be there: a node that has just come up says so of what it
    has not opened yet."""
    if error.get("type") != "index_not_found_exception":
        status = 403 if error.get("type") == "security_exception" else 503
        raise answered(status, {"error": error}, nodes.settings, doing)
