"""Ten thousand people are attacked at once: what one watch worker carries then, and how soon another goes on for it.

Two hits for each group open an alert each. Then the worker is gone, and a new one rebuilds all windows from the hits in
Elasticsearch and the unsettled alerts in PostgreSQL.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple

from alerts.matcher import Matcher, partition_key
from bench.cluster.passage import Passage, passage
from bench.cluster.world import Deployment, World
from classifiers.pipeline import analysed
from desk import book
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.types import Post
from runtime import build
from runtime.events import open_events
from runtime.workers import watcher_of

__all__ = ["GROUPS", "Storm", "storm"]

GROUPS = 10_000
EACH = 2

RULE = """
[[rule]]
id = "b0000000-0000-4000-8000-000000000002"
name = "storm"
version = 1
state = "active"
owner = "bench"
expires = 2099-12-31
why = "Opens an episode for everybody."
outcome = "alert"
kind = "count"
where = 'needleword'
group_by = ["author"]
window = "1h"
lateness = "10m"
when = { gte = 2 }
episode = { resolve_after = "2h" }
review = "required"
route = { severity = "low", tlp = "GREEN", topics = ["bench"] }

[[rule.test]]
name = "two are told"
posts = [
  { at = "0s", key = "a", author = "x", text = "needleword" },
  { at = "1m", key = "b", author = "x", text = "needleword" },
]
expect = [{ open = { at = "1m" } }]

[[rule.test]]
name = "hay is not"
posts = [{ at = "0s", key = "a", text = "hay" }]
expect = []
"""


class Storm(NamedTuple):
    """Hits through one watch worker, and the seconds until its successor stands where it stood."""

    hits: Passage
    groups: int
    alerts: int
    restore_s: float


def storm(world: World, *, groups: int = GROUPS) -> Storm:
    servers = world.servers_config(kafka=True, elastic=True, postgres=True)
    with world.deployment(servers, rule=RULE) as deployment:
        records = _hits(deployment, groups)
        hits = passage(deployment, world.servers, records, loop="watch")
        return Storm(hits, groups, sum(1 for _ in _alerts(deployment)), _restore_s(deployment))


def _hits(deployment: Deployment, groups: int) -> list[Record]:
    config = deployment.config
    now = SystemClock().now()
    posts = [
        Post(
            source="storm",
            native_id=f"{group}-{number}",
            text="needleword",
            author=f"p-{group:032x}",
            published_at=now - timedelta(minutes=EACH - number),
            collected_at=now,
        )
        for number in range(EACH)
        for group in range(groups)
    ]
    matcher = Matcher(build.rule_set(config, build.vocabulary_of(config)))
    return [Record(partition_key(hit), wire.encode(hit)) for hit in matcher.match(analysed(posts, {}))]


def _alerts(deployment: Deployment) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = book.latest_alerts(deployment.engine, limit=500, after=after)
        found += [alert.id for alert in page.alerts]
        after = page.next
        if after is None:
            return found


def _restore_s(deployment: Deployment) -> float:
    """From opening the log until every window stands, as a worker on another machine would: it has all partitions."""
    began = time.perf_counter()
    with closing(build.open_log(deployment.config, SystemClock())) as log:
        watcher = watcher_of(
            deployment.config,
            log=log,
            index=deployment.index,
            engine=deployment.engine,
            memory=deployment.memory,
            clock=SystemClock(),
            events=open_events(loop="bench", level="error"),
        )
        seconds = time.perf_counter() - began
        watcher.close()
    return seconds
