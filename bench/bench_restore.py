"""How long a watch worker needs to rebuild its windows: after a restart, or when it takes over partitions.

    python -m bench.bench_restore [--groups 10000] [--hits 20] [--elastic http://127.0.0.1:9200]

Every group has an open episode. The hits go into the index and the alerts into the desk the way that the watch loop
puts them there; then a new worker starts with no memory.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from alerts.evaluator import Evaluator
from alerts.matcher import partition_key
from alerts.rules import load_rules
from desk.book import DeskBook
from desk.database.connect import open_database
from desk.dispatch import Dispatcher
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import SystemClock, VirtualClock
from hustings.contracts import Index, Log, Record
from hustings.query import Vocabulary
from hustings.roster import Roster
from hustings.types import Hit, Mark
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime import build
from runtime.events import open_events
from runtime.loops.arrivals import Passing
from runtime.loops.watch import Watcher
from runtime.rule_changes import EditedRules

__all__ = ["Restored", "restore_seconds"]

START = datetime(2027, 3, 10, 12, tzinfo=UTC)
RULE = """
[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3c01"
name = "busy-author"
version = 1
kind = "count"
where = "sunday"
group_by = ["author"]
window = "1h"
lateness = "10m"
when = { gte = 3 }
episode = { resolve_after = "12h" }
review = "none"
route = { severity = "high", tlp = "GREEN", topics = ["voting-information"] }
"""


class Restored(NamedTuple):
    """What a worker rebuilt, and how long it took."""

    hits: int
    open_alerts: int
    seconds: float


def restore_seconds(folder: Path, *, groups: int, hits_each: int, elastic: str = "") -> Restored:
    """Fill a deployment in `folder` with open groups, and rebuild their windows once."""
    with ExitStack() as closing:
        clock = VirtualClock(START)
        log = SqliteLog(folder / "log", clock=clock).open()
        closing.callback(log.close)
        index = closing.enter_context(_index(folder, elastic))
        engine = open_database(f"sqlite:///{folder / 'desk.db'}")
        closing.callback(engine.dispose)
        vocabulary = Vocabulary(codebook=build.codebook(), roster=Roster(), phases=())
        rules = load_rules({"r.toml": RULE}, vocabulary=vocabulary, now=START, required=False)
        (rule,) = rules.rules
        memory, events = DeskMemory(engine), open_events(loop="bench", level="error")

        def watcher() -> Watcher:
            made = Watcher(
                log=log,
                reader=log.reader("hits", "watch"),
                index=index,
                book=DeskBook(engine, Dispatcher((), index=index, roster=Roster()), clock),
                evaluator=lambda partition: Evaluator(rules, partition=partition),
                arrivals=Passing,
                rules=[(rule.id, rule.logic)],
                edited=lambda: EditedRules(rules, index=index, log=log, memory=memory, events=events),
                partition_key=partition_key,
                epoch=lambda: build.next_epoch(memory),
                clock=clock,
                events=events,
                wait_s=0.0,
                code_version="bench",
            )
            made.start()
            return made

        _append(log, rule.id, rule.logic, groups=groups, hits_each=hits_each)
        first = watcher()
        while first.step():
            pass
        first.close()
        open_alerts = len(DeskBook(engine, Dispatcher((), index=index, roster=Roster()), clock).unsettled())
        began = time.perf_counter()
        watcher().close()
        return Restored(groups * hits_each, open_alerts, time.perf_counter() - began)


@contextmanager
def _index(folder: Path, elastic: str) -> Iterator[Index]:
    if not elastic:
        index: Index = SqliteIndex(folder / "index").open()
        yield index
        index.close()
        return
    from index.elastic import ElasticIndex, ElasticSettings, create
    from index.elastic.remove import remove

    settings = ElasticSettings(servers=(elastic,), prefix=f"bench-{secrets.token_hex(4)}-", replicas=0)
    create(settings)
    index = ElasticIndex(settings, clock=SystemClock()).open()
    yield index
    index.close()
    remove(settings)


def _append(log: Log, rule: str, logic: str, *, groups: int, hits_each: int) -> None:
    """Hit after hit of every group, a few minutes apart, so that all windows fill side by side."""
    for number in range(hits_each):
        t = START + timedelta(minutes=2 * number)
        records = []
        for group in range(groups):
            hit = Hit(
                rule=rule,
                logic=logic,
                group=(("author", f"author-{group}"),),
                key=f"net:{group}-{number}",
                t=t,
                g=t + timedelta(seconds=1),
                revised_at=t + timedelta(seconds=1),
            )
            records.append(Record(partition_key(hit), wire.encode(hit)))
        log.append("hits", records)
        log.append("hits", [Record("mark", wire.encode(Mark(partition=0, offset=0, at=t)))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groups", type=int, default=10_000)
    parser.add_argument("--hits", type=int, default=20, help="of each group")
    parser.add_argument("--elastic", default="", help="a node's address; without it the index is on SQLite")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hustings-bench-") as folder:
        found = restore_seconds(Path(folder), groups=given.groups, hits_each=given.hits, elastic=given.elastic)
    print(
        f"{found.hits:,} hits and {found.open_alerts:,} open alerts of {given.groups:,} groups"
        f" on {'Elasticsearch' if given.elastic else 'SQLite'}: windows rebuilt in {found.seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
