"""Runs the loops as child processes and starts one again that dies.

A child that dies is started again after 0.1 s, then twice as long each time up to 30 s; a minute of life resets
that. Stopping asks with SIGTERM, waits, and only then kills.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.config import Config
from runtime.events import Events
from runtime.loops import LOOPS
from runtime.stop import Stop
from runtime.worker_names import workers_of

__all__ = ["Child", "Supervisor", "loop_command"]

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
SETTLED_AFTER_S = 60.0
"""A child that lived this long is well: the next death is a first death again."""
GRACE_S = 10.0
"""How long children may take to finish what they began before they are killed."""


def loop_command(loop: str, config: Path, worker: str = "") -> list[str]:
    """The command line of one worker of a loop. `-P` keeps stray files of the current folder from shadowing our
    packages; the loop ends by itself when this process is gone."""
    command = [sys.executable, "-P", "-m", "runtime.cli", "loop", loop, str(config), "--parent", str(os.getpid())]
    return [*command, "--worker", worker] if worker else command


class Child:
    """One worker's process and what its next start has to wait for."""

    def __init__(self, worker: str, command: Sequence[str], *, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
        self.worker = worker
        self.command = list(command)
        self._longest_pause_s = longest_pause_s
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._started_at = 0.0
        self._start_due = 0.0
        self._pause_s = FIRST_PAUSE_S

    def start(self) -> None:
        self._started_at = time.monotonic()
        self.starts += 1
        # A session of its own: Ctrl-C reaches the supervisor only, which then stops children in order.
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - our own command line

    def died(self) -> tuple[int, float] | None:
        """(exit status, seconds until the next start) once when the process has ended, else None."""
        if self.process is None or self.process.poll() is None:
            return None
        status = self.process.returncode
        self.process = None
        if time.monotonic() - self._started_at > SETTLED_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        pause_s, self._pause_s = self._pause_s, min(self._longest_pause_s, self._pause_s * 2)
        self._start_due = time.monotonic() + pause_s
        return status, pause_s

    @property
    def start_is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self._start_due


class Supervisor:
    """Keeps its children running until asked to stop."""

    def __init__(self, children: Sequence[Child], *, events: Events) -> None:
        self._events = events
        self.children = list(children)

    @classmethod
    def of_loops(cls, config: Config, *, events: Events) -> Supervisor:
        """Every worker of the five loops of a configuration."""
        return cls(
            [
                Child(worker, loop_command(loop, config.path, worker))
                for loop in LOOPS
                for worker in workers_of(config, loop)
            ],
            events=events,
        )

    def start(self) -> None:
        for child in self.children:
            child.start()

    def look(self) -> None:
        """One round: notice deaths, start what is due."""
        for child in self.children:
            death = child.died()
            if death is not None:
                status, pause_s = death
                self._events.error("child_died", child=child.worker, exit_status=status, again_in_s=pause_s)
            if child.start_is_due:
                child.start()

    def run(self, stop: Stop) -> None:
        """Blocks until `stop`."""
        self.start()
        try:
            while not stop.wait(0.05):
                self.look()
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask the children to end, in the order of the data, then make sure."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def pids(self) -> dict[str, int]:
        return {child.worker: child.process.pid for child in self.children if child.process is not None}
