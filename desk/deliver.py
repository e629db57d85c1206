"""Sends what the outbox holds: each route on its own, so that a slow or failing one never delays another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta

from sqlalchemy import Engine

from alerts.partners import route
from desk import outbox
from desk.database.changes import Changes
from hustings.clock import Clock
from hustings.contracts import Channel, Delivery

__all__ = ["Courier"]

BATCH = 8
"""Rows of one route under one lease."""
LOOK_EVERY_S = 0.1
"""What falls due by time alone, a retry or a lease that ran out, is seen this late at most."""
ONE_ATTEMPT = timedelta(seconds=20)
"""A channel answers within 15 s; with less than this left of the lease a row is put back unsent."""


class Courier:
    """`channels` by route (`partner/channel`). Rows of routes that are not configured stay where they are, visible.

    One attempt is recorded before the next begins: a crash can repeat one message per route, under its own id."""

    def __init__(
        self, engine: Engine, channels: Mapping[str, Channel], *, clock: Clock, random: Callable[[], float]
    ) -> None:
        self._engine = engine
        self._channels = dict(channels)
        self._clock = clock
        self._random = random
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(self._channels)), thread_name_prefix="deliver")
        self._busy: dict[str, Future[int]] = {}
        self._stopping = False
        self._changes = Changes(engine)
        self._next_look_s = float("-inf")

    def deliver_once(self, *, patience_s: float = 0.02) -> int:
        """Start whatever is due on routes that are idle and wait for it up to `patience_s`; returns how many attempts
        finished since the last call. Slow routes go on in the background and are left alone meanwhile."""
        idle = (self._due_routes() & self._channels.keys()) - self._busy.keys()
        if idle:
            by_route: dict[str, list[outbox.Leased]] = {}
            for leased in outbox.lease(self._engine, idle, limit=BATCH, clock=self._clock):
                name = route(leased.message.partner, leased.message.channel)
                by_route.setdefault(name, []).append(leased)
            for name, rows in by_route.items():
                self._busy[name] = self._pool.submit(self._send_all, name, rows)
        if self._busy:
            wait(self._busy.values(), timeout=patience_s)
        return self._collect()

    def drain(self) -> int:
        """Wait for everything in flight; returns how many attempts finished."""
        wait(self._busy.values())
        return self._collect()

    def close(self) -> None:
        """Let each route finish the attempt that it is at, put the others back, close the channels."""
        self._stopping = True
        self._pool.shutdown(wait=True)
        for channel in self._channels.values():
            channel.close()
        self._changes.close()

    def _due_routes(self) -> set[str]:
        """None without a look while nothing was written: the loop asks this all day long."""
        now_s = self._clock.monotonic()
        if not self._changes.since_last_look() and now_s < self._next_look_s:
            return set()
        self._next_look_s = now_s + LOOK_EVERY_S
        return outbox.due_routes(self._engine, clock=self._clock)

    def _collect(self) -> int:
        done = [name for name, future in self._busy.items() if future.done()]
        if done:
            self._next_look_s = float("-inf")  # what waited behind these was passed over by the last look
        return sum(self._busy.pop(name).result() for name in done)

    def _send_all(self, name: str, rows: list[outbox.Leased]) -> int:
        attempts = 0
        for leased in rows:
            is_late = self._clock.now() > leased.leased_until - ONE_ATTEMPT
            if self._stopping or is_late or outbox.is_withdrawn(self._engine, leased):
                outbox.put_back(self._engine, leased, clock=self._clock)
                continue
            delivery = self._send(name, leased)
            outbox.record(self._engine, leased, delivery, clock=self._clock, random=self._random)
            attempts += 1
        return attempts

    def _send(self, name: str, leased: outbox.Leased) -> Delivery:
        try:
            return self._channels[name].send(leased.message, now=self._clock.now())
        except Exception as error:  # a third party's channel may break its promise; the message must survive that
            return Delivery(result="retry", detail=f"the channel raised {type(error).__name__}")
