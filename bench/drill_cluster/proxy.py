"""A proxy before Elasticsearch whose trouble can be switched on for a while."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Literal, Self

from tests.servers.faulting_proxy import Fault, FaultingProxy, Passing, Refusal

__all__ = ["Troubled"]

REFUSED_SHARE = 0.8
"""Of requests to a node that is overloaded: some still come through."""
LOST_SHARE = 0.5
BODIES = {
    429: b'{"error":{"type":"es_rejected_execution_exception","reason":"rejected by the drill"},"status":429}',
    503: b'{"error":{"type":"cluster_block_exception","reason":"unavailable by the drill"},"status":503}',
}


class Troubled:
    """`with Troubled(server, rng=…) as proxy:`"""

    def __init__(self, server: str, *, rng: random.Random) -> None:
        self._proxy = FaultingProxy(server, self._fault)
        self._rng = rng
        self._lock = threading.Lock()
        self._trouble: tuple[Fault, float] = (None, 0.0)
        self.troubled = 0

    def __enter__(self) -> Self:
        self._proxy.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._proxy.__exit__(kind, error, trace)

    @property
    def server(self) -> str:
        """The address, as clients want it."""
        return self._proxy.server

    def refusing(self, status: int) -> AbstractContextManager[None]:
        """Most requests are answered so, in the node's place."""
        return self._with(Refusal(status, BODIES[status]), REFUSED_SHARE)

    def losing(self, what: Literal["lost", "answer lost"]) -> AbstractContextManager[None]:
        """Half of the requests, or of the answers, never arrive."""
        return self._with(what, LOST_SHARE)

    @contextmanager
    def _with(self, fault: Fault, share: float) -> Iterator[None]:
        self._trouble = (fault, share)
        try:
            yield
        finally:
            self._trouble = (None, 0.0)

    def _fault(self, passing: Passing) -> Fault:
        with self._lock:
            fault, share = self._trouble
            if fault is None or self._rng.random() >= share:
                return None
            self.troubled += 1
            return fault
