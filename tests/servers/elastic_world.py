"""What the tests on Elasticsearch share: a node, or a skip that says why; settings of a test's own; cleaning up."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hustings.clock import SystemClock
from hustings.contracts import Index
from hustings.query import Query
from hustings.query.tree import Everything
from hustings.types import Assessment, Hit, Post
from index.elastic import ElasticIndex, ElasticSettings
from tests.servers.elastic_node import ADMIN, ElasticMissing, ElasticNode, server_home
from tests.servers.faulting_proxy import Fault, FaultingProxy, Passing

__all__ = [
    "ALL",
    "LOG",
    "START",
    "admin",
    "books",
    "hit",
    "indices_of",
    "keys_of",
    "opened",
    "opened_through",
    "post",
    "running_node",
    "settings_for",
    "wiped",
]

START = datetime(2026, 10, 1, 12, tzinfo=UTC)

LOG = "the log"
ALL = Query(text="*", node=Everything())

_numbers = itertools.count(1)


@contextmanager
def running_node(*, secure: bool = False) -> Iterator[ElasticNode]:
    """A node; where there can be none, the test says so and is left out, or fails under CI."""
    try:
        home = server_home()
    except ElasticMissing as missing:
        said = f"the index on Elasticsearch is not tested: {missing}"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    with ElasticNode(home=home, secure=secure) as node:
        yield node


def settings_for(server: str, **more: Any) -> ElasticSettings:
    """Indices of this test's own on a single node. It gives up early where a server would be waited for."""
    given = {"prefix": f"t{os.getpid()}-{next(_numbers)}-", "replicas": 0, "overload_s": 5.0, **more}
    return ElasticSettings.model_validate({"servers": [server], **given})


@contextmanager
def admin(node: ElasticNode) -> Iterator[httpx.Client]:
    """A plain HTTP client that may do everything."""
    login = (ADMIN, node.password) if node.password else None
    with httpx.Client(base_url=node.server, auth=login, timeout=60) as client:
        yield client


@contextmanager
def wiped(node: ElasticNode, settings: ElasticSettings) -> Iterator[ElasticSettings]:
    """Takes away what the test made; shards are few."""
    yield settings
    with admin(node) as client:
        found = client.get(f"/{settings.prefix}*", params={"expand_wildcards": "all"}).json()
        for index in found:
            client.delete(f"/{index}")
        for template in client.get(f"/_index_template/{settings.prefix}*").json().get("index_templates", []):
            client.delete(f"/_index_template/{template['name']}")


@contextmanager
def opened(settings: ElasticSettings) -> Iterator[ElasticIndex]:
    index = ElasticIndex(settings, clock=SystemClock()).open()
    try:
        yield index
    finally:
        index.close()


@contextmanager
def opened_through(
    settings: ElasticSettings, fault: Callable[[Passing], Fault], **changes: Any
) -> Iterator[ElasticIndex]:
    """The index behind a proxy that does this to its requests."""
    with ExitStack() as stack:
        proxy = stack.enter_context(FaultingProxy(settings.servers[0], fault))
        behind = settings.model_copy(update={"servers": (proxy.server,), **changes})
        yield stack.enter_context(opened(behind))


def post(name: str, text: str, *, revision: int = 0, days: float = 0, author: str = "") -> Assessment:
    """A post of so many days after `START`."""
    when = START + timedelta(days=days)
    return Assessment(
        post=Post(
            source="src",
            native_id=name,
            text=text,
            revision=revision,
            author=author,
            published_at=when,
            collected_at=when,
        ),
        tokens=tuple(text.split()),
        first_collected_at=when,
    )


def hit(name: str, *, days: float = 0, revision: int = 0) -> Hit:
    when = START + timedelta(days=days)
    return Hit(rule="rule", logic="logic", key=f"src:{name}", revision=revision, t=when, g=when, revised_at=when)


def books(**counted: int) -> dict[str, int]:
    return {"new": 0, "revised": 0, "unchanged": 0, "conflicting": 0, "dead_letters": 0, "dropped": 0, **counted}


def keys_of(index: Index, query: Query) -> list[str]:
    page = index.search(query, limit=200)
    assert page.next is None
    return sorted(one.key for one in page.assessments)


def indices_of(node: ElasticNode, settings: ElasticSettings) -> dict[str, int]:
    """By the part of the name behind the prefix: how many documents."""
    with admin(node) as client:
        client.post(f"/{settings.prefix}*/_refresh")
        rows = client.get(f"/_cat/indices/{settings.prefix}*", params={"format": "json"}).json()
    return {row["index"].removeprefix(settings.prefix): int(row["docs.count"]) for row in rows}
