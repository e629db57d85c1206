"""Puts each loop together and runs it in this process until it is asked to stop."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hustings.clock import SystemClock
from runtime import build
from runtime.config import Config, load_config
from runtime.events import Events, open_events
from runtime.loops.frame import Pulse, run_loop
from runtime.stop import Stop

if TYPE_CHECKING:
    from runtime.loops.analyze import Analyzer

__all__ = ["START", "analyze"]

WAIT_FOR_HITS_S = 0.02
"""How long one poll of the watch loop waits."""
LEAST_REST_S = 0.002
"""The collect loop's shortest pause, so that a source that is always due does not spin."""


class Frame:
    """What every loop starts with: configuration, clock, events, the end."""

    def __init__(self, name: str, path: Path, parent: int | None, closing: ExitStack) -> None:
        self.config: Config = load_config(path)
        self.clock = SystemClock()
        self.stop = Stop().on_signals()
        self.events: Events = open_events(loop=name, style=self.config.logging.format, level=self.config.logging.level)
        self.engine = build.open_engine(self.config)
        closing.callback(self.engine.dispose)
        self.memory = build.open_memory(self.engine)
        self.pulse = Pulse(name, memory=self.memory, clock=self.clock)
        self._parent = parent

    def run(self, step: Callable[[], int], *, idle_s: float = 0.0) -> None:
        # What is loaded now lives as long as the process: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        run_loop(step, pulse=self.pulse, stop=self.stop, events=self.events, parent=self._parent, idle_s=idle_s)


@contextmanager
def _frame(name: str, path: Path, parent: int | None) -> Iterator[tuple[Frame, ExitStack]]:
    with ExitStack() as closing:
        yield Frame(name, path, parent, closing), closing


def collect(path: Path, parent: int | None) -> None:
    """sources → evidence → posts log → cursors."""
    with _frame("collect", path, parent) as (frame, closing):
        build.require_charter(frame.config)
        log = build.open_log(frame.config, frame.clock)
        closing.callback(log.close)
        collector = build.collector(frame.config, log=log, memory=frame.memory, clock=frame.clock, events=frame.events)
        closing.callback(collector.close)

        def step() -> int:
            due_in_s = collector.step()
            frame.stop.wait(min(max(due_in_s, LEAST_REST_S), 1.0) if due_in_s > 0 else 0.0)
            return 1 if due_in_s <= 0 else 0

        frame.run(step)


def analyze(path: Path, parent: int | None, *, worker: type[Analyzer] | None = None) -> None:
    """posts log → hits log → index; `worker` is another kind of `Analyzer`, for drills."""
    from alerts.matcher import Matcher, partition_key
    from runtime.loops.analyze import Analyzer, Progress

    with _frame("analyze", path, parent) as (frame, closing):
        config = frame.config
        log = build.open_log(config, frame.clock)
        closing.callback(log.close)
        index = build.open_index(config)
        closing.callback(index.close)
        words = build.vocabulary_of(config)
        rules = build.rule_set(config, words, frame.clock)
        reader = log.reader("posts", "analyze")
        closing.callback(reader.close)
        pipeline = build.open_pipeline(config, story_memory=build.story_memory(index))
        replays = [table.name for table in build.source_tables(config) if table.clock != "live"]
        analyzer = (worker or Analyzer)(
            log=log,
            reader=reader,
            index=index,
            assess=pipeline.assess,
            matching=Matcher(rules),
            partition_key=partition_key,
            progress=Progress(replays=replays, settle_after=build.settle_after(rules)),
            replay_done=(lambda: build.replays_done(frame.memory)) if replays else None,
            clock=frame.clock,
            events=frame.events,
            batch=config.analyze.batch,
            wait_s=config.analyze.wait_ms / 1000,
            code_version=build.CODE_VERSION,
        )
        analyzer.start()
        frame.events.info("rules_loaded", rules=len(rules.rules))
        frame.run(analyzer.step)


def watch(path: Path, parent: int | None) -> None:
    """hits log → index → desk."""
    from alerts.evaluator import Evaluator
    from alerts.matcher import partition_key
    from runtime.loops.watch import Watcher

    with _frame("watch", path, parent) as (frame, closing):
        config = frame.config
        log = build.open_log(config, frame.clock)
        closing.callback(log.close)
        index = build.open_index(config)
        closing.callback(index.close)
        rules = build.rule_set(config, build.vocabulary_of(config), frame.clock)
        reader = log.reader("hits", "watch")
        closing.callback(reader.close)
        watcher = Watcher(
            log=log,
            reader=reader,
            index=index,
            book=build.alert_book(config, frame.engine, rules=rules, index=index, clock=frame.clock),
            evaluator=lambda partition: Evaluator(rules, partition=partition, posts_partitions=log.partitions("posts")),
            rules=[(rule.id, rule.logic) for rule in rules.rules],
            partition_key=partition_key,
            epoch=build.next_epoch(frame.memory),
            clock=frame.clock,
            events=frame.events,
            wait_s=WAIT_FOR_HITS_S,
            code_version=build.CODE_VERSION,
        )
        watcher.start()
        frame.run(watcher.step)


def deliver(path: Path, parent: int | None) -> None:
    """released outbox rows → channels → outcome."""
    from desk.deliver import Courier

    with _frame("deliver", path, parent) as (frame, closing):
        courier = Courier(frame.engine, build.channels(frame.config), clock=frame.clock, random=random.random)
        closing.callback(courier.close)
        frame.run(courier.deliver_once, idle_s=frame.config.deliver.idle_ms / 1000)


def desk(path: Path, parent: int | None) -> None:
    """The review desk's web server; it ends with its supervisor."""
    from runtime.serve import serve_desk

    with _frame("desk", path, parent) as (frame, closing):
        log = build.open_log(frame.config, frame.clock)
        closing.callback(log.close)
        index = build.open_index(frame.config)
        closing.callback(index.close)
        services = build.desk_services(
            frame.config,
            engine=frame.engine,
            log=log,
            index=index,
            memory=frame.memory,
            clock=frame.clock,
            events=frame.events,
        )
        server = serve_desk(frame.config, services, events=frame.events)
        closing.callback(server.close)

        def step() -> int:
            if not server.is_alive:
                raise SystemExit(1)
            return 0

        frame.run(step, idle_s=0.25)


START: dict[str, Callable[[Path, int | None], None]] = {
    "collect": collect,
    "analyze": analyze,
    "watch": watch,
    "deliver": deliver,
    "desk": desk,
}
