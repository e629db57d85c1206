"""One election over the real servers, running in a thread while somebody else disturbs it."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from bench.drill_cluster.contents import fix_pseudonyms
from hustings.contracts import Topic
from hustings.errors import Unavailable
from ingest.log_kafka import KafkaSettings
from runtime import stores
from runtime.config import load_config
from runtime.demo.run import Demo
from runtime.events import Events, open_events
from runtime.loops import LOOPS
from runtime.loops.frame import Heartbeat
from runtime.status import books_of
from runtime.stop import Stop
from runtime.supervisor import Child, Supervisor, loop_command
from runtime.worker_names import workers_of
from tests.servers.three_servers import ThreeServers

__all__ = ["Election", "patiently", "wait_until"]

RESTART_PAUSE_S = 0.2
"""Workers that are killed on purpose are wanted back at once: growing pauses would only make the drill long."""
LOOK_EVERY_S = 0.1
PATIENT_FOR_S = 60.0

T = TypeVar("T")


class Watchful(Supervisor):
    """Looks in a thread of its own, as `hustings run` does: a server that keeps the demo waiting delays no restart."""

    def __init__(self, children: list[Child], *, events: Events) -> None:
        super().__init__(children, events=events)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="supervisor")

    def start(self) -> None:
        super().start()
        self._thread.start()

    def look(self) -> None:
        """Done already."""

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        for child in self.children:
            if child.process is not None:  # one that somebody stopped cannot end
                with suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGCONT)
        super().stop()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            super().look()


class Election:
    """`with Election(…) as election:` starts the demo; it goes on until it is through and `let_end` was called. What
    the workers say goes to the file `said`. With `control`, the analyze workers commit before they write."""

    def __init__(
        self,
        servers: ThreeServers,
        folder: Path,
        *,
        config: Path,
        posts: int,
        seed: int,
        limit_s: float,
        said: Path,
        control: bool = False,
    ) -> None:
        self.servers = servers
        self._folder = folder
        self._config = config
        self._posts = posts
        self._seed = seed
        self._limit_s = limit_s
        self._said = said
        self._control = control
        self._stop = Stop()
        self._disturbed = threading.Event()
        self._closing = ExitStack()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)

    def __enter__(self) -> Self:
        with ExitStack() as unfinished:
            self._stream = unfinished.enter_context(self._said.open("a", buffering=1))
            self.demo = Demo(
                self._folder,
                seed=self._seed,
                posts=self._posts,
                desk_port=0,
                closing=unfinished,
                servers=load_config(self._config),
                supervise=self._supervise,
            )
            fix_pseudonyms(self.demo)
            unfinished.callback(self._end)
            self._disturbed.set()
            self._thread.start()
            self._closing = unfinished.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    # ── how far it is ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def positions(self, topic: Topic = "posts") -> dict[int, int]:
        """Up to where each partition is in the index."""
        return self.demo.index.positions(topic)

    def remaining(self) -> int:
        """Posts that the index does not hold yet."""
        return self.demo.expected - sum(self.positions().values())

    def has_moved(self, topic: Topic, before: Mapping[int, int]) -> bool:
        """Whether every partition of the topic was written to the index beyond those positions, or all posts are
        analysed. While somebody is away who could tell, it has not."""
        try:
            now = self.positions(topic)
            still = [p for p in range(self.demo.log.partitions(topic)) if now.get(p, 0) <= before.get(p, 0)]
            return not still or self.remaining() == 0
        except Unavailable:
            return False

    def books_balance(self, *, within_s: float = 20.0) -> bool:
        """Whether they do once somebody is there who can tell."""

        def balanced() -> bool:
            with suppress(Unavailable):
                return books_of(self.demo.log, self.demo.index).balanced
            return False

        return wait_until(balanced, within_s=within_s)

    # ── its workers ──────────────────────────────────────────────────────────────────────────────────────────────

    def pids(self) -> dict[str, int]:
        """Workers that run, ready or not."""
        return self.demo.supervisor.pids()

    def ready(self) -> dict[str, int]:
        """Workers that have come so far as to give a sign of life. Raises `Unavailable` without a database."""
        beats = self.demo.memory.entries("heartbeats")
        pid_of = {name: msgspec.json.decode(raw, type=Heartbeat).pid for name, raw in beats.items()}
        return {worker: pid for worker, pid in self.pids().items() if pid_of.get(worker) == pid}

    def signal(self, worker: str, number: signal.Signals) -> int | None:
        """The pid that was signalled; None when the worker does not run now."""
        pid = self.pids().get(worker)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
                return pid
        return None

    def kafka(self) -> KafkaSettings:
        settings = stores.kafka_settings(self.demo.config)
        if settings is None:
            raise RuntimeError("an election needs a [kafka] table")
        return settings

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def let_end(self, *, within_s: float | None = None) -> None:
        """Wait until it is through; at most so long when given. Raises what the demo raised: `TimeoutError` with how
        far it came when it was not through in time."""
        self._disturbed.clear()
        self._thread.join(within_s)
        self._stop.ask()
        self._thread.join()
        if self._trouble is not None:
            raise self._trouble

    def _run(self) -> None:
        try:
            self.demo.run(
                stop=self._stop,
                tell=lambda progress: None,
                disturbed=self._disturbed.is_set,
                patience_s=self._limit_s,
            )
        except BaseException as trouble:  # told by `let_end`, in the thread that waits for it
            self._trouble = trouble

    def _end(self) -> None:
        self._stop.ask()
        self._thread.join()

    def _supervise(self, path: Path, events: Events) -> Supervisor:
        config = load_config(path)
        children = []
        for loop in LOOPS:
            for worker in workers_of(config, loop):
                command = loop_command(loop, path, worker)
                if self._control and loop == "analyze":
                    module = ["-m", "bench.control_analyze", str(path), str(os.getpid()), worker]
                    command = [sys.executable, "-P", *module]
                # exec: the process that is killed is the worker itself.
                said = ["sh", "-c", f'exec "$0" "$@" 2>> {shlex.quote(str(self._said))}', *command]
                children.append(Child(worker, said, longest_pause_s=RESTART_PAUSE_S))
        return Watchful(children, events=open_events(loop="supervisor", level="error", stream=self._stream))


def wait_until(claim: Callable[[], bool], *, within_s: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)
    return True


def patiently(ask: Callable[[], T]) -> T:
    """What it answers; asked again while somebody who is needed for it is away."""
    deadline = time.monotonic() + PATIENT_FOR_S
    while True:
        try:
            return ask()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_EVERY_S)
