"""The supervisor: a child that dies is started again, stopping is orderly, nothing is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from runtime.events import open_events
from runtime.stop import Stop
from runtime.supervisor import Child, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def supervisor_of(*commands: list[str]) -> Supervisor:
    children = [Child(f"child-{n}", command) for n, command in enumerate(commands)]
    return Supervisor(children, events=open_events(loop="test", level="error"))


def wait_until(condition: object, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def test_a_child_that_is_killed_is_started_again() -> None:
    supervisor = supervisor_of(SLEEPER, SLEEPER)
    stop = Stop()
    thread = threading.Thread(target=supervisor.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: len(supervisor.pids()) == 2)
        first = supervisor.pids()
        os.kill(first["child-0"], signal.SIGKILL)
        wait_until(lambda: supervisor.pids().get("child-0") not in (None, first["child-0"]))
        assert supervisor.pids()["child-1"] == first["child-1"]
    finally:
        stop.ask()
        thread.join(timeout=20)
    assert all(child.process is None or child.process.poll() is not None for child in supervisor.children)


def test_a_child_that_keeps_dying_is_started_less_and_less_often() -> None:
    child = Child("dying", [sys.executable, "-c", "raise SystemExit(3)"])
    pauses = []
    for _ in range(4):
        child.start()
        wait_until(lambda: child.process is not None and child.process.poll() is not None)
        status, pause_s = child.died() or (0, 0.0)
        assert status == 3
        pauses.append(pause_s)
    assert pauses == [0.1, 0.2, 0.4, 0.8]


def test_a_loop_ends_when_asked() -> None:
    stop = Stop()
    threading.Timer(0.1, stop.ask).start()
    began = time.monotonic()
    assert stop.wait(5)
    assert time.monotonic() - began < 2
