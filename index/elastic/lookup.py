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
    """By id, those that are there. An index that was pruned meanwhile holds nothing any more; one that another worker
    has just made is asked again until it is open, as long as the settings allow. Then raises `Unavailable`."""
    found: dict[str, Found] = {}
    patience = nodes.patience()
    for wanted in _at_once([{"_index": index, "_id": id_} for index in reversed(indices) for id_ in ids]):
        while wanted:
            answer = nodes.ask(doing, lambda client: client.mget, docs=wanted, source_includes=list(parts))
            unread: list[tuple[dict[str, str], Any]] = []
            for asked, document in zip(wanted, answer["docs"], strict=True):
                if "error" in document:
                    if _may_be_there(nodes, document["error"], doing):
                        unread.append((asked, document["error"]))
                elif document["found"]:
                    writing = document["_seq_no"], document["_primary_term"]
                    found[document["_id"]] = Found(document["_index"], document["_source"], *writing)
            if unread and not patience.wait():
                raise answered(503, {"error": unread[0][1]}, nodes.settings, doing)
            wanted = [asked for asked, _ in unread]
    return found


def _at_once(wanted: Sequence[dict[str, str]]) -> Iterator[Sequence[dict[str, str]]]:
    for start in range(0, len(wanted), AT_ONCE):
        yield wanted[start : start + AT_ONCE]


def _may_be_there(nodes: Nodes, error: Mapping[str, Any], doing: str) -> bool:
    """Whether a document that could not be read may be there for all that: a node says so of an index that it has not
    opened yet, because the node has just come up or the index has just been made. Raises where asking again is vain."""
    if error.get("type") == "security_exception":
        raise answered(403, {"error": error}, nodes.settings, doing)
    return error.get("type") != "index_not_found_exception"
