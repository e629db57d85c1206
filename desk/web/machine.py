"""How the machine fares, read from what the loops write about themselves in `Memory` and from the stores."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from desk.web.services import DeskServices
from hustings.contracts import Topic
from hustings.source_health import SourceHealth

__all__ = ["LoopState", "SourceState", "lags", "loops", "sources"]

ALIVE_WITHIN = timedelta(seconds=6)
"""Three heartbeats of two seconds."""
GONE_AFTER = timedelta(hours=1)
"""A worker of which nothing was heard for so long is no longer shown beside others of its loop."""

LOOPS = ("collect", "analyze", "watch", "deliver", "desk")
"""In the order of the way of the data."""


class _Heartbeat(Struct, frozen=True, kw_only=True):
    """The part of a worker's heartbeat that the desk reads."""

    at: datetime
    loop: str = ""
    waiting_for: str = ""


class LoopState(Struct, frozen=True, kw_only=True):
    """One loop, or one of its workers: whether it gives signs of life, when the last was, and what it waits for."""

    name: str
    is_alive: bool
    seen_at: datetime | None
    waiting_for: str


class SourceState(SourceHealth, frozen=True, kw_only=True):
    """What `collect` says of one source (its table `source_health`), and the name of the source."""

    name: str = ""

    @property
    def needs_a_look(self) -> bool:
        return bool(self.gap_since or self.brake)

    @property
    def lag(self) -> timedelta | None:
        return None if self.lag_s is None else timedelta(seconds=self.lag_s)


def loops(services: DeskServices) -> list[LoopState]:
    """The five loops, where one has several workers each of them."""
    now, entries = services.clock.now(), services.memory.entries("heartbeats")
    beats = {name: msgspec.json.decode(raw, type=_Heartbeat) for name, raw in entries.items()}
    states = []
    for loop in LOOPS:
        of_loop = sorted(name for name, beat in beats.items() if beat.loop == loop)
        lately = [name for name in of_loop if now - beats[name].at <= GONE_AFTER]
        for name in lately or of_loop or [loop]:
            beat = beats.get(name)
            states.append(
                LoopState(
                    name=name,
                    is_alive=beat is not None and now - beat.at <= ALIVE_WITHIN,
                    seen_at=beat.at if beat else None,
                    waiting_for=beat.waiting_for if beat else "",
                )
            )
    return states


def lags(services: DeskServices) -> dict[str, int]:
    """Entries of each topic that the index does not hold yet: what `analyze` and `watch` still have before them."""
    return {topic: _lag(services, topic) for topic in ("posts", "hits")}


def _lag(services: DeskServices, topic: Topic) -> int:
    held = services.index.positions(topic)
    return sum(max(0, end - held.get(partition, 0)) for partition, end in services.log.ends(topic).items())


def sources(services: DeskServices) -> list[SourceState]:
    """Every source that was ever polled, those that need a look first."""
    states = [
        msgspec.structs.replace(msgspec.json.decode(raw, type=SourceState), name=name)
        for name, raw in services.memory.entries("source_health").items()
    ]
    return sorted(states, key=lambda state: (not state.needs_a_look, state.name))
