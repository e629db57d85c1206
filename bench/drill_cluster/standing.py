"""What a worker that wakes up must not set back: the revisions of posts and alerts, and how far the index is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

import httpx
from sqlalchemy import select

from bench.drill_cluster.election import Election
from desk.database.connect import reading
from desk.database.tables import alerts
from index.elastic.names import alias_of
from runtime import stores

__all__ = ["SetBack", "Standing"]

PAGE = 5_000


class SetBack(Exception):
    """Something that stood was replaced by something older, or is gone."""


class Standing(NamedTuple):
    """`alerts`: epoch and revision by id. `posts`, `hits`: the version of each document. `positions`: by topic and
    partition."""

    alerts: Mapping[str, tuple[int, int]]
    posts: Mapping[str, int]
    hits: Mapping[str, int]
    positions: Mapping[str, int]

    @classmethod
    def of(cls, election: Election) -> Self:
        demo = election.demo
        with reading(demo.engine) as connection:
            rows = connection.execute(select(alerts.c.id, alerts.c.epoch, alerts.c.revision)).all()
        settings = stores.elastic_settings(demo.config)
        prefix = "" if settings is None else settings.prefix
        demo.index.refresh()
        server = election.servers.elastic.server
        return cls(
            alerts={row.id: (row.epoch, row.revision) for row in rows},
            posts=dict(_versions(server, alias_of(prefix, "posts"))),
            hits=dict(_versions(server, alias_of(prefix, "hits"))),
            positions={
                f"{topic}-{partition}": offset
                for topic in ("posts", "hits")
                for partition, offset in demo.index.positions(topic).items()
            },
        )

    def not_behind(self, before: Standing) -> Self:
        """Itself, when nothing is behind what stood before; else raises `SetBack` that names the first of it."""
        for name in self._fields:
            now, then = getattr(self, name), getattr(before, name)
            for key, stood in then.items():
                if key not in now or now[key] < stood:
                    raise SetBack(f"{name}: {key}: {stood} stood there, and now {now.get(key)}")
        return self


def _versions(server: str, index: str) -> Iterator[tuple[str, int]]:
    """By document id, straight from the server."""
    with httpx.Client(base_url=server, timeout=30) as client:
        found = client.get(
            f"/{index}/_search", params={"scroll": "1m", "size": PAGE, "version": True, "_source": False}
        )
        if found.status_code == 404:  # no hit yet
            return
        while documents := found.raise_for_status().json()["hits"]["hits"]:
            yield from ((document["_id"], document["_version"]) for document in documents)
            again = {"scroll": "1m", "scroll_id": found.json()["_scroll_id"]}
            found = client.post("/_search/scroll", json=again)
        client.request("DELETE", "/_search/scroll", json={"scroll_id": found.json()["_scroll_id"]})
