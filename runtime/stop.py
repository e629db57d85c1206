"""How a loop learns that it should end: a flag that SIGTERM and SIGINT raise, and that sleeping respects."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Stop"]


class Stop:
    """Asked once, for good. Loops look at it between batches, so what was begun is finished."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def on_signals(self) -> Stop:
        """Let SIGTERM and SIGINT ask; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)
        return self

    def ask(self) -> None:
        self._event.set()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; True when asked to stop."""
        return self._event.wait(max(0.0, seconds))

    def _received(self, number: int, frame: FrameType | None) -> None:
        self._event.set()
