"""Tips: what people sent to the desk, by its form or its guarded address. The desk puts them into the table `tips`;
here they become posts of the stream `tip`, which no rate is ever computed from.

Ids begin with the desk's time in milliseconds, but one may be written later than a higher one: the last ten minutes
are looked through again each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from hustings.clock import to_ms
from hustings.contracts import Collected, Memory, SourceContext, SourceItem
from hustings.errors import BadInput
from hustings.types import DeadLetter, Post
from ingest.dead_letters import dead_letter
from ingest.foreign_json import read_as

__all__ = ["TipsSource", "handed_over"]

TABLE = "tips"
LOOKED_BACK_MS = 600_000


class TipsSettings(BaseModel):
    """`kind = "tips"`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    poll_s: float = Field(default=2.0, ge=0.1, le=3600, description="how often new tips are looked for")


class Tip(Struct, frozen=True, kw_only=True):
    """A row of the table, as the desk writes it."""

    text: str
    title: str = ""
    url: str = ""
    lang: str = ""
    received_at: datetime | None = None


class Cursor(Struct, frozen=True, kw_only=True):
    """All tips up to `floor` are handed over, and those in `above`."""

    floor: str
    above: tuple[str, ...]


class TipsSource:
    """The tips of the desk as posts."""

    Settings = TipsSettings

    def __init__(self, name: str, settings: TipsSettings, context: SourceContext) -> None:
        self.name = name
        self._settings = settings
        self._memory = context.memory

    def open(self) -> None:
        """Nothing to connect."""

    def close(self) -> None:
        """Nothing is held."""

    def collect(self, cursor: bytes, *, now: datetime, limit: int) -> Collected:
        before = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor(floor="", above=())
        tips = self._memory.entries(TABLE)
        above = set(before.above)
        new = sorted(tip_id for tip_id in tips if tip_id > before.floor and tip_id not in above)
        items: list[SourceItem] = []
        dead: list[DeadLetter] = []
        for tip_id in new[:limit]:
            try:
                items.append(_item(tip_id, tips[tip_id], now))
            except BadInput as error:
                dead.append(
                    dead_letter(self.name, error.reason, error.detail, origin=tip_id, original=tips[tip_id], at=now)
                )
        pause = 0.0 if len(new) > limit else self._settings.poll_s
        return Collected(
            items=tuple(items),
            dead=tuple(dead),
            cursor=msgspec.json.encode(_advanced(before, new[:limit])) if new else cursor,
            again_after=timedelta(seconds=pause),
        )


def handed_over(memory: Memory, source: str, *, before: datetime) -> list[str]:
    """Ids of the tips that came before `before` and that the source of this name has brought to the log: the desk need
    not keep them any longer."""
    cursor = memory.get("cursors", source)
    if cursor is None:
        return []
    done = msgspec.json.decode(cursor, type=Cursor)
    until = f"{to_ms(before):013d}"
    old = (tip_id for tip_id in memory.entries(TABLE) if tip_id < until)
    return [tip_id for tip_id in old if tip_id <= done.floor or tip_id in done.above]


def _advanced(before: Cursor, taken: list[str]) -> Cursor:
    above = sorted({*before.above, *taken})
    newest = above[-1].partition("-")[0]
    floor = f"{int(newest) - LOOKED_BACK_MS:013d}" if newest.isdecimal() else before.floor
    floor = max(before.floor, floor)
    return Cursor(floor=floor, above=tuple(tip_id for tip_id in above if tip_id > floor))


def _item(tip_id: str, raw: bytes, now: datetime) -> SourceItem:
    tip = read_as(raw, Tip)
    return SourceItem(
        raw=raw,
        post=Post(
            source="tips",
            native_id=tip_id,
            text=tip.text,
            title=tip.title,
            url=tip.url,
            lang=tip.lang,
            published_at=tip.received_at or now,
            collected_at=now,
            medium="tip",
            stream="tip",
        ),
    )
