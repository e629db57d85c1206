"""Runs the synthetic election through the real five loops and waits until it is through."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Engine

from desk import book, outbox, people, waiting
from hustings.clock import SystemClock
from hustings.contracts import Index, Log, Memory
from hustings.errors import Unavailable
from hustings.query.tree import Everything, Query
from hustings.types import Alert
from runtime import build
from runtime.config import Config, load_config
from runtime.coverage import Silence
from runtime.demo.generate import Election, generate
from runtime.demo.person import ScriptedPerson
from runtime.demo.prepare import prepare, read_truth
from runtime.demo.receiver import Receiver
from runtime.demo.score import Score, score
from runtime.demo.servers import demo_tables
from runtime.events import Events, open_events
from runtime.status import books_of
from runtime.stop import Stop
from runtime.supervisor import Supervisor

__all__ = ["Demo", "DemoResult", "Progress"]

PATIENCE_S = 600.0
"""A demo that is not through after this long has failed; it says how far it came."""
EVERYTHING = Query(text="*", node=Everything())


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo found; `--json` prints it. `posts` are those in the log, `deliveries` distinct messages that the
    partner's webhook accepted, `seconds` from the first start of a loop to the last delivery, the ten seconds of grace
    after a release included; `posts_per_second` counts until the last post was analysed, start-up included. The same
    election gives the same `alert_ids`, whatever it ran over."""

    posts: int
    languages: dict[str, int]
    flags: dict[str, int]
    stories: int
    alerts: int
    alerts_by_state: dict[str, int]
    deliveries: int
    dead_letters: int
    seconds: float
    posts_per_second: float
    balanced: bool
    score: Score
    silences: list[str]
    alert_ids: list[str]
    desk: str


class Progress(NamedTuple):
    """How far a running demo is."""

    collected: int
    analysed: int
    expected: int
    alerts: int
    delivered: int


class Demo:
    """One demo in `folder`: `run`, then `result`. What it opened ends with `closing`. With `servers`, a configuration,
    its stores are on those servers, and its workers as many as that says."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        posts: int,
        desk_port: int,
        closing: ExitStack,
        servers: Config | None = None,
        supervise: Callable[[Path, Events], Supervisor] | None = None,
    ) -> None:
        self.clock = SystemClock()
        self.receiver = Receiver()
        closing.callback(self.receiver.close)
        election: Election = generate(seed=seed, posts=posts)
        self.expected = sum(map(len, election.posts.values()))
        path = prepare(
            folder,
            election,
            desk_port=desk_port or _free_port(),
            webhook_port=self.receiver.port,
            tables=demo_tables(servers, closing) if servers else {},
        )
        self.receiver.secret = (folder / "partner.whsec").read_text().strip()
        self.folder = folder
        self.config: Config = load_config(path)
        self.engine: Engine = build.open_engine(self.config)
        closing.callback(self.engine.dispose)
        self.log: Log = build.open_log(self.config, self.clock)
        closing.callback(self.log.close)
        self.index: Index = build.open_index(self.config)
        closing.callback(self.index.close)
        self.memory: Memory = build.open_memory(self.engine)
        rules = build.rule_set(self.config, build.vocabulary_of(self.config))
        self.person = ScriptedPerson(
            self.engine,
            dispatcher=build.dispatcher(self.config, index=self.index, rules=rules),
            codebook=build.codebook(),
            clock=self.clock,
        )
        events = open_events(loop="demo", style="console", level=self.config.logging.level)
        self.supervisor = (supervise or _all_loops)(path, events)
        closing.callback(self.supervisor.stop)
        self._silences: Callable[[], list[Silence]] = build.silence_finder(self.config, self.memory)
        self.seconds = 0.0
        self.analysed_seconds = 0.0

    def run(
        self,
        *,
        stop: Stop,
        tell: Callable[[Progress], None],
        disturbed: Callable[[], bool] = lambda: False,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Start the loops and wait until every post is analysed, every alert settled and everything delivered, and
        nobody disturbs any more. Raises `TimeoutError` after `patience_s`."""
        began = time.monotonic()
        self.supervisor.start()
        through_since: float | None = None
        seen: Progress | str = "nothing was seen yet"
        while not stop.asked:
            self.supervisor.look()
            is_through = False
            try:
                self.person.release_waiting()
                seen = progress = self.progress()
                tell(progress)
                if not self.analysed_seconds and progress.analysed >= self.expected:
                    self.analysed_seconds = time.monotonic() - began
                is_through = not disturbed() and self._is_through(progress)
            except Unavailable as trouble:  # a server is away: the loops wait for it too
                seen = str(trouble)
            if not is_through:
                through_since = None
            elif through_since is None:
                through_since = time.monotonic()
            # The last marks make the last alerts: what settles them arrives within one mark and one step.
            elif time.monotonic() - through_since > 1.5:
                break
            if time.monotonic() - began > patience_s:
                raise TimeoutError(f"the demo is not through after {patience_s:.0f} s: {seen}")
            stop.wait(0.1)
        last = max((received.at for received in self.receiver.received), default=time.time())
        self.seconds = max(0.1, time.monotonic() - began - max(0.0, time.time() - last))

    def progress(self) -> Progress:
        return Progress(
            collected=sum(self.log.ends("posts").values()),
            analysed=sum(self.index.positions("posts").values()),
            expected=self.expected,
            alerts=len(self.alerts()),
            delivered=self.receiver.distinct,
        )

    def alerts(self) -> list[Alert]:
        """All alerts, newest first."""
        found: list[Alert] = []
        after: str | None = None
        while True:
            page = book.latest_alerts(self.engine, limit=500, after=after)
            found.extend(page.alerts)
            after = page.next
            if after is None:
                return found

    def score(self) -> Score:
        """What was found against what was planted."""
        truth = read_truth(self.folder)
        total = self.index.count(EVERYTHING)
        assessments = build.pages(self.index, EVERYTHING, limit=total)
        return score(truth, self.alerts(), assessments, self._silences())

    def result(self) -> DemoResult:
        posts = sum(self.log.ends("posts").values())
        alerts = self.alerts()
        by_state: dict[str, int] = {}
        for alert in alerts:
            by_state[alert.state] = by_state.get(alert.state, 0) + 1
        return DemoResult(
            posts=posts,
            languages=self.index.counts(EVERYTHING, "lang"),
            flags=self.index.counts(EVERYTHING, "flag"),
            stories=len(self.index.counts(EVERYTHING, "story", limit=1_000_000)),
            alerts=sum(by_state.values()),
            alerts_by_state=by_state,
            deliveries=self.receiver.distinct,
            dead_letters=sum(self.log.ends("dead-letters").values()),
            seconds=round(self.seconds, 2),
            posts_per_second=round(posts / self.analysed_seconds, 1) if self.analysed_seconds else 0.0,
            balanced=books_of(self.log, self.index).balanced and self._all_is_there(),
            score=self.score(),
            silences=[f"{s.region} {s.start:%Y-%m-%d %H:%M}–{s.end:%H:%M}" for s in self._silences()],
            alert_ids=sorted(alert.id for alert in alerts),
            desk=self.config.base_url,
        )

    def invite(self) -> str:
        """A one-time link that makes whoever opens it a lead of this desk."""
        token = people.invite(self.engine, role="lead", by=self.person.people[0], clock=self.clock)
        return f"{self.config.base_url}/welcome/{token}"

    # ── what it takes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _is_through(self, progress: Progress) -> bool:
        unsent = outbox.counts(self.engine)
        busy = sum(unsent.get(state, 0) for state in ("queued", "sending", "retrying"))
        hits_end = sum(self.log.ends("hits").values())
        hits_read = sum(self.index.positions("hits").values())
        return (
            progress.collected >= self.expected
            and progress.analysed >= progress.collected
            and hits_read >= hits_end
            and waiting.count(self.engine) == 0
            and busy == 0
        )

    def _all_is_there(self) -> bool:
        return sum(self.log.ends("posts").values()) == self.expected


def _all_loops(path: Path, events: Events) -> Supervisor:
    return Supervisor.of_loops(load_config(path), events=events)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
