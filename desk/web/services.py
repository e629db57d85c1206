"""Everything that the pages use, handed in by `runtime.build`: the desk opens and closes nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
from hustings.types import Assessment

__all__ = ["DeskServices", "Events", "KnownClaim", "Silence", "Silent"]


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


class Silence(Protocol):
    """All sources of a region said nothing; `runtime.coverage.Silence` is one."""

    @property
    def region(self) -> str: ...

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...


class KnownClaim(Protocol):
    """A claim that a publisher checked, in the publisher's words; `classifiers.claims.claim.Claim` is one."""

    @property
    def text(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def publisher(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def rating(self) -> str: ...

    @property
    def published(self) -> str: ...


@dataclass(frozen=True)
class DeskServices:
    """The desk's surroundings. `rules` by id; `tips_token` guards `POST /api/tips`, and an empty one closes it;
    `silences` are found anew at each call; `known_claims` finds those that are still held; `retold` finds flagged posts
    that perhaps tell a post's story in other words, the most alike first.
    In a replay the time of the posts is not that of the clock."""

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
    is_replay: bool = False
    silences: Callable[[], Sequence[Silence]] = tuple
    known_claims: Callable[[Iterable[str]], Sequence[KnownClaim]] = lambda ids: ()
    retold: Callable[[Assessment], Sequence[Assessment]] = lambda assessment: ()
