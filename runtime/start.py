"""Puts each loop together and runs it in this process until it is asked to stop."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hustings.clock import SystemClock
from hustings.contracts import Index, Log
from runtime import build
from runtime.config import Config, load_config
from runtime.events import Events, open_events
from runtime.loops.frame import Pulse, run_loop
from runtime.stop import Stop
from runtime.worker_names import Share, share_of

if TYPE_CHECKING:
    from runtime.loops.analyze import Analyzer

__all__ = ["START", "analyze", "settle_memory"]

LEAST_REST_S = 0.002
"""The collect loop's shortest pause, so that a source that is always due does not spin."""


class Frame:
    """What every loop starts with: configuration, clock, events, its share of the work, the end."""

    def __init__(self, loop: str, path: Path, parent: int | None, worker: str, closing: ExitStack) -> None:
        self.config: Config = load_config(path)
        self.share: Share = share_of(self.config, loop, worker)
        self.clock = SystemClock()
        self.stop = Stop().on_signals()
        self.events: Events = open_events(
            loop=self.share.worker, style=self.config.logging.format, level=self.config.logging.level
        )
        self.engine = build.open_engine(self.config)
        closing.callback(self.engine.dispose)
        self.memory = build.open_memory(self.engine)
        self._loop = loop
        self._parent = parent

    def open_stores(self, closing: ExitStack, *, shared: bool = False) -> tuple[Log, Index]:
        """With `shared`, readers of the log share its partitions with the other workers of this loop."""
        log = build.open_log(self.config, self.clock, worker=self.share.worker if shared else None)
        closing.callback(log.close)
        index = build.open_index(self.config)
        closing.callback(index.close)
        return log, index

    def run(
        self, step: Callable[[], int], *, partitions: Callable[[], Sequence[int]] = list, idle_s: float = 0.0
    ) -> None:
        """`partitions` says what this worker reads now."""
        settle_memory()
        pulse = Pulse(self._loop, worker=self.share.worker, memory=self.memory, clock=self.clock, partitions=partitions)
        run_loop(step, pulse=pulse, stop=self.stop, events=self.events, parent=self._parent, idle_s=idle_s)


def settle_memory() -> None:
    """What is loaded now lives as long as the process: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


@contextmanager
def _frame(loop: str, path: Path, parent: int | None, worker: str = "") -> Iterator[tuple[Frame, ExitStack]]:
    with ExitStack() as closing:
        yield Frame(loop, path, parent, worker, closing), closing


def collect(path: Path, parent: int | None, worker: str = "") -> None:
    """sources → evidence → posts log → cursors."""
    with _frame("collect", path, parent, worker) as (frame, closing):
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


def analyze(path: Path, parent: int | None, worker: str = "", *, kind: type[Analyzer] | None = None) -> None:
    """posts log → hits log → index; `kind` is another sort of `Analyzer`, for drills."""
    from runtime.loops.analyze import Analyzer
    from runtime.workers import analyzer_of

    with _frame("analyze", path, parent, worker) as (frame, closing):
        log, index = frame.open_stores(closing, shared=True)
        analyzer = analyzer_of(
            frame.config,
            log=log,
            index=index,
            engine=frame.engine,
            memory=frame.memory,
            clock=frame.clock,
            events=frame.events,
            worker=frame.share.worker,
            partitions=frame.share.partitions,
            kind=kind or Analyzer,
        )
        closing.callback(analyzer.close)
        frame.run(analyzer.step, partitions=analyzer.partitions)


def watch(path: Path, parent: int | None, worker: str = "") -> None:
    """hits log → index → desk."""
    from runtime.workers import watcher_of

    with _frame("watch", path, parent, worker) as (frame, closing):
        log, index = frame.open_stores(closing, shared=True)
        watcher = watcher_of(
            frame.config,
            log=log,
            index=index,
            engine=frame.engine,
            memory=frame.memory,
            clock=frame.clock,
            events=frame.events,
            partitions=frame.share.partitions,
        )
        closing.callback(watcher.close)
        frame.run(watcher.step, partitions=watcher.partitions)


def deliver(path: Path, parent: int | None, worker: str = "") -> None:
    """released outbox rows → channels → outcome."""
    from desk.deliver import Courier

    with _frame("deliver", path, parent, worker) as (frame, closing):
        courier = Courier(frame.engine, build.channels(frame.config), clock=frame.clock, random=random.random)
        closing.callback(courier.close)
        frame.run(courier.deliver_once, idle_s=frame.config.deliver.idle_ms / 1000)


def desk(path: Path, parent: int | None, worker: str = "") -> None:
    """The review desk's web server; it ends with its supervisor."""
    from desk import people
    from runtime.serve import serve_desk

    with _frame("desk", path, parent, worker) as (frame, closing):
        log, index = frame.open_stores(closing)
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
        # After the server listens: whoever reads this line can use it at once. Printed again at each start until
        # somebody has used it; only the last one works.
        token = people.first_link(frame.engine, clock=frame.clock)
        if token is not None:
            frame.events.warning("first_link", link=f"{server.address}/welcome/{token}")

        def step() -> int:
            if not server.is_alive:
                raise SystemExit(1)
            return 0

        frame.run(step, idle_s=0.25)


START: dict[str, Callable[[Path, int | None, str], None]] = {
    "collect": collect,
    "analyze": analyze,
    "watch": watch,
    "deliver": deliver,
    "desk": desk,
}
