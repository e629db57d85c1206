"""Everything that the pages use, handed in by `runtime.build`: the desk opens and closes nothing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine

from alerts.partners import Partner
from alerts.rule import Rule
from hustings.clock import Clock
from hustings.codebook import Codebook
from hustings.contracts import Index, Log, Memory
from hustings.metrics import Event
from hustings.query.vocabulary import Vocabulary
from hustings.roster import Roster

__all__ = ["DeskServices", "Events", "Silent"]


class Events(Protocol):
    """Where the desk writes its log lines; `runtime.events.Events` is one."""

    def debug(self, event: Event, **fields: object) -> None: ...

    def error(self, event: Event, **fields: object) -> None: ...


class Silent:
    """Writes nothing: for tests."""

    def debug(self, event: Event, **fields: object) -> None:
        return None

    def error(self, event: Event, **fields: object) -> None:
        return None


@dataclass(frozen=True)
class DeskServices:
    """The desk's surroundings. `rules` by id; `tips_token` guards `POST /api/tips`, and an empty one closes it."""

    engine: Engine
    index: Index
    log: Log
    memory: Memory
    roster: Roster
    codebook: Codebook
    partners: Sequence[Partner]
    rules: Mapping[str, Rule]
    clock: Clock
    vocabulary: Vocabulary
    base_url: str
    tips_token: str = ""
    name: str = "Hustings"
    events: Events = field(default_factory=Silent)
