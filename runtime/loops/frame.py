"""What all loops share: heartbeat, patience when a dependency is down, an orderly end."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Sequence

import msgspec

from hustings.clock import Clock, rfc3339
from hustings.contracts import Memory
from hustings.errors import Reassigned, Unavailable
from runtime.events import Events
from runtime.stop import Stop

__all__ = ["HEARTBEAT_EVERY_S", "Heartbeat", "Pulse", "run_loop"]

HEARTBEAT_EVERY_S = 2.0
"""A loop whose heartbeat is older than three of these is shown as not alive."""
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker of a loop says of itself, in the `heartbeats` table under its name; `partitions` are those of the
    loop's topic that it reads."""

    loop: str
    worker: str = ""
    pid: int
    started_at: str
    at: str
    handled: int = 0
    waiting_for: str = ""
    partitions: tuple[int, ...] = ()


class Pulse:
    """Writes the heartbeat of one worker when it is due; alone it has the name of its loop."""

    def __init__(
        self,
        loop: str,
        *,
        memory: Memory,
        clock: Clock,
        worker: str = "",
        partitions: Callable[[], Sequence[int]] = list,
    ) -> None:
        self._loop = loop
        self._worker = worker or loop
        self._partitions = partitions
        self._memory = memory
        self._clock = clock
        self._started_at = rfc3339(clock.now())
        self._handled = 0
        self._next = 0.0

    def beat(self, *, handled: int = 0, waiting_for: str = "") -> None:
        self._handled += handled
        if time.monotonic() < self._next and not waiting_for:
            return
        self._next = time.monotonic() + HEARTBEAT_EVERY_S
        beat = Heartbeat(
            loop=self._loop,
            worker=self._worker,
            pid=os.getpid(),
            started_at=self._started_at,
            at=rfc3339(self._clock.now()),
            handled=self._handled,
            waiting_for=waiting_for,
            partitions=tuple(self._partitions()),
        )
        self._memory.put("heartbeats", self._worker, msgspec.json.encode(beat))


def run_loop(
    step: Callable[[], int], *, pulse: Pulse, stop: Stop, events: Events, parent: int | None, idle_s: float = 0.0
) -> None:
    """Call `step` until asked to stop. `step` returns how much it handled; 0 is followed by a pause of `idle_s`.

    `Unavailable` means waiting with growing pauses and trying again: nothing is lost, since positions are committed
    only after the effect. `Reassigned` means going on at once with the partitions that the worker has now. Any other
    error ends the process and the supervisor starts it again."""
    pause_s = FIRST_PAUSE_S
    events.info("loop_started", pid=os.getpid())
    pulse.beat()
    while not stop.asked:
        if parent is not None and os.getppid() != parent:
            break
        try:
            handled = step()
            pulse.beat(handled=handled)
        except Reassigned as change:
            events.info("partitions_changed", detail=str(change))
            continue
        except Unavailable as error:
            wait_s = pause_s * random.uniform(0.5, 1.5)
            events.warning("dependency_unavailable", detail=str(error), again_in_s=round(wait_s, 2))
            with contextlib.suppress(Unavailable):  # where the heartbeat is written may be what is down
                pulse.beat(waiting_for=str(error))
            stop.wait(wait_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            continue
        pause_s = FIRST_PAUSE_S
        if not handled and idle_s:
            stop.wait(idle_s)
    events.info("loop_stopped")
