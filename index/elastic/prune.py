"""Forgetting: whole months are dropped, the month in which the time falls post by post.

Dropping an index frees its disk at once. Of documents that were deleted or replaced the server keeps traces until the
piece of the index that holds them is written again; that is asked for too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from index.elastic.names import Kind, Live
from index.elastic.nodes import Nodes
from index.times import to_us

__all__ = ["prune"]

AT_ONCE = 10_000
"""Documents deleted in one request, so that each takes seconds."""

_TIME: dict[Kind, str] = {"posts": "first_collected_us", "hits": "g_us"}


def prune(nodes: Nodes, *, before: datetime) -> int:
    """Forget posts and hits of posts first collected before that time; how many posts."""
    live = nodes.live()
    forgotten = _prune(nodes, live, "posts", before)
    _prune(nodes, live, "hits", before)
    return forgotten


def _prune(nodes: Nodes, live: Live, kind: Kind, before: datetime) -> int:
    forgotten = 0
    for index in live.posts if kind == "posts" else live.hits:
        nodes.refresh([index])
        start, end = _month_of(index)
        if end <= before:
            forgotten += nodes.ask("pruning", lambda client: client.count, index=index)["count"]
            nodes.ask(
                "pruning",
                lambda client: client.indices.delete,
                ignore_status=404,
                index=index,
            )
        elif start < before:
            forgotten += _delete_before(nodes, index, {"range": {_TIME[kind]: {"lt": to_us(before)}}})
        if end > before:
            _rewrite(nodes, index)
    return forgotten


def _delete_before(nodes: Nodes, index: str, query: dict[str, Any]) -> int:
    """A post that is written meanwhile stays for the next time (`conflicts`)."""
    forgotten = 0
    while True:
        answer = nodes.ask(
            "pruning",
            lambda client: client.delete_by_query,
            index=index,
            query=query,
            max_docs=AT_ONCE,
            conflicts="proceed",
            refresh=True,
        )
        forgotten += int(answer["deleted"])
        if answer["deleted"] == 0 or answer["total"] < AT_ONCE:
            return forgotten


def _rewrite(nodes: Nodes, index: str) -> None:
    """Leave no trace of what was deleted or replaced. Takes its time with a large index, and none without a trace."""
    wait_s = max(3600.0, nodes.settings.timeout_s)
    nodes.ask(
        "pruning",
        lambda client: client.indices.forcemerge,
        timeout_s=wait_s,
        index=index,
        only_expunge_deletes=True,
    )


def _month_of(index: str) -> tuple[datetime, datetime]:
    """When the month in an index's name begins and ends."""
    year, month = index.rsplit("-", 1)[1].split(".")
    start = datetime(int(year), int(month), 1, tzinfo=UTC)
    if start.month < 12:
        return start, start.replace(month=start.month + 1)
    return start, start.replace(year=start.year + 1, month=1) if start.year < 9999 else datetime.max.replace(tzinfo=UTC)
