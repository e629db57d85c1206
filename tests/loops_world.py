"""A deployment of two rules over real stores, with loops that tests start, stop and start again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine

from alerts.evaluator import Evaluator
from alerts.matcher import Matcher, partition_key
from alerts.rule import RuleSet
from alerts.rules import load_rules
from classifiers.pipeline import Pipeline
from desk import book, queue
from desk.book import DeskBook
from desk.database.connect import open_database
from desk.dispatch import Dispatcher
from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import Clock, VirtualClock
from hustings.contracts import Index, Log, Outcome, Record
from hustings.errors import WriteRefused
from hustings.query import Vocabulary
from hustings.query.tree import Everything, Query
from hustings.roster import Roster
from hustings.types import Alert, Assessment, DeadLetter, Flag, Hit, Mark, Post
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime import build
from runtime.events import open_events
from runtime.loops.analyze import Analyzer
from runtime.loops.arrivals import Arrivals, Passing
from runtime.loops.progress import Archive, Progress
from runtime.loops.watch import Watcher
from runtime.rule_changes import EditedRules

__all__ = ["ALL", "CALM", "QUIET", "START", "SUNDAY", "LoopsWorld", "Poisonous", "Refusing", "at", "post"]

START = datetime(2027, 3, 10, 12, tzinfo=UTC)
ALL = Query(text="*", node=Everything())
QUIET = open_events(loop="test", level="error")
RULES = """
[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3a01"
name = "many-warn"
version = 1
kind = "count"
where = "sunday"
window = "1h"
lateness = "10m"
when = { gte = 3 }
episode = { resolve_after = "2h" }
review = "none"
route = { severity = "high", tlp = "GREEN", topics = ["voting-information"] }

[[rule]]
id = "6a1f4a9e-52f6-4f5e-8d3a-0b9b8a3f3a02"
name = "look-at-it"
version = 1
kind = "match"
outcome = "review"
where = "sunday"
"""


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def post(number: int | str, text: str, *, minutes: float = 0.0, revision: int = 0, collector: str = "c") -> Post:
    when = at(minutes)
    return Post(
        source="net",
        native_id=str(number),
        text=text,
        published_at=when,
        collected_at=when + timedelta(seconds=1) if not revision else at(minutes + revision),
        revision=revision,
        collector=collector,
    )


class Poisonous:
    """A step with a bug: it fails on one word."""

    name, version = "poisonous", "1"

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        if any("poison" in a.tokens for a in assessments):
            raise ZeroDivisionError("a bug in this step")
        flag = Flag(code="N-PROC-DATE", score=0.9, threshold=0.5, classifier="poisonous@1")
        return [msgspec.structs.replace(a, flags=(flag,)) if "sunday" in a.tokens else a for a in assessments]


class Refusing:
    """An index that never takes a hit of one post."""

    def __init__(self, inner: Any, key: str) -> None:
        self._inner, self._key = inner, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write_hits(self, hits: Sequence[Hit], **others: Any) -> list[Outcome]:
        refused = {place: "too odd" for place, hit in enumerate(hits) if hit.key == self._key}
        if refused:
            self._inner.write_hits([hit for hit in hits if hit.key != self._key], log_id=others["log_id"])
            raise WriteRefused("hits", refused)
        written: list[Outcome] = self._inner.write_hits(hits, **others)
        return written


class LoopsWorld:
    """A deployment in one folder, with loops that can be started, stopped and started again."""

    def __init__(
        self,
        folder: Path,
        desk_url: str,
        closing: ExitStack,
        *,
        posts: int = 1,
        hits: int = 1,
        rules: str = RULES,
        log: Callable[[Clock], Log] | None = None,
    ) -> None:
        self.folder = folder
        self.closing = closing
        self.clock = VirtualClock(at(0))
        made = log(self.clock) if log is not None else None
        self.log: Log = (
            made or SqliteLog(folder / "log", clock=self.clock, posts_partitions=posts, hits_partitions=hits).open()
        )
        closing.callback(self.log.close)
        self.index: Index = self.open_index()
        self.engine: Engine = open_database(desk_url)
        closing.callback(self.engine.dispose)
        self.rules = self.rules_of(rules)
        self.archives: dict[str, Archive] = {}
        self.arrivals: Callable[[], Arrivals] = Passing

    def rules_of(self, text: str) -> RuleSet:
        vocabulary = Vocabulary(codebook=build.codebook(), roster=Roster(), phases=())
        return load_rules({"r.toml": text}, vocabulary=vocabulary, now=at(0), required=False)

    def open_index(self) -> Index:
        index = SqliteIndex(self.folder / "index").open()
        self.closing.callback(index.close)
        return index

    def lose_index(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder / "index")
        self.index = self.open_index()

    def append(self, *posts: Post) -> None:
        self.log.append("posts", [Record(p.key, wire.encode(p)) for p in posts])

    def analyzer(self, **changes: Any) -> Analyzer:
        given: dict[str, Any] = {
            "log": self.log,
            "reader": self.log.reader("posts", "analyze"),
            "index": self.index,
            "assess": Pipeline([Poisonous()]).assess,
            "matching": Matcher(self.rules),
            "partition_key": partition_key,
            "progress": Progress(settle_after=timedelta(hours=4)),
            "archives": (lambda: self.archives) if self.archives else None,
            "clock": self.clock,
            "events": QUIET,
            "batch": 100,
            "wait_s": 0.0,
            "code_version": "test",
        }
        made = Analyzer(**(given | changes))
        self.closing.callback(made.close)
        made.start()
        return made

    def watcher(self, **changes: Any) -> Watcher:
        memory = DeskMemory(self.engine)
        given: dict[str, Any] = {
            "log": self.log,
            "reader": self.log.reader("hits", "watch"),
            "index": self.index,
            "book": DeskBook(self.engine, Dispatcher((), index=self.index, roster=Roster()), self.clock),
            "evaluator": lambda p: Evaluator(self.rules, partition=p, posts_partitions=self.log.partitions("posts")),
            "arrivals": self.arrivals,
            "rules": [(r.id, r.logic) for r in self.rules.rules if r.outcome == "alert"],
            "edited": lambda: EditedRules(self.rules, index=self.index, log=self.log, memory=memory, events=QUIET),
            "partition_key": partition_key,
            "epoch": lambda: build.next_epoch(memory),
            "clock": self.clock,
            "events": QUIET,
            "wait_s": 0.0,
            "code_version": "test",
        }
        made = Watcher(**(given | changes))
        self.closing.callback(made.close)
        made.start()
        return made

    def run_to_the_end(self) -> None:
        """A fresh analyze and a fresh watch, until neither has anything left to do."""
        analyzer, watcher = self.analyzer(), self.watcher()
        while analyzer.step():
            pass
        analyzer.send_marks()
        while watcher.step():
            pass
        analyzer.close()
        watcher.close()

    def hits(self) -> list[Hit]:
        return [value for value in self.entries("hits") if isinstance(value, Hit)]

    def marks(self) -> list[Mark]:
        return [value for value in self.entries("hits") if isinstance(value, Mark)]

    def entries(self, topic: Any, partition: int | None = None) -> list[Hit | Mark | DeadLetter]:
        kind: Any = DeadLetter if topic == "dead-letters" else Hit | Mark
        reader = self.log.reader(topic, "test")
        try:
            found = reader.poll(limit=100_000, timeout_s=0)
        finally:
            reader.close()
        return [msgspec.json.decode(e.value, type=kind) for e in found if partition in (None, e.partition)]

    def alerts(self) -> tuple[Alert, ...]:
        return book.latest_alerts(self.engine).alerts

    def everything(self) -> dict[str, object]:
        """All that the stores say, apart from when they were told."""
        page = self.index.search(ALL, limit=1000)
        alerts = sorted(self.alerts(), key=lambda alert: alert.id)
        return {
            "assessments": {a.key: a for a in page.assessments},
            "books": self.index.books(),
            "hits": {h.id: h for r in self.rules.rules for h in self.index.hits(r.id, r.logic)},
            "alerts": alerts,
            "notices": [book.alert_notices(self.engine, alert.id) for alert in alerts],
            "queue": queue.depth(self.engine, clock=self.clock).waiting,
        }


SUNDAY = [post(n, "vote on sunday they say", minutes=n) for n in range(4)]
CALM = [post(f"calm-{n}", "a fine day for a walk", minutes=n) for n in range(4)]
