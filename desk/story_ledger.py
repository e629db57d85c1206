"""`contracts.StoryLedger` on the desk's database: which posts were found to tell which story, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select

from desk.database.connect import reading, writing
from desk.database.locks import take_turn
from desk.database.tables import tellings
from hustings.contracts import StoryTurn, Telling
from hustings.errors import StoreError

__all__ = ["DeskStoryLedger"]


class DeskStoryLedger:
    """Places are counted under the turn, not by the database, so that they rise in the order of commits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, place: int, *, limit: int) -> list[Telling]:
        with reading(self._engine) as connection:
            return _since(connection, place, limit)

    @contextmanager
    def turn(self) -> Iterator[StoryTurn]:
        with writing(self._engine) as connection:
            take_turn(connection, "tellings")
            yield _Turn(connection)


class _Turn:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def since(self, place: int, *, limit: int) -> list[Telling]:
        return _since(self._connection, place, limit)

    def told(self, posts: Sequence[tuple[str, int]]) -> dict[tuple[str, int], str]:
        wanted = set(posts)
        if not wanted:
            return {}
        found = select(tellings.c.key, tellings.c.revision, tellings.c.story).where(
            tellings.c.key.in_({key for key, _ in wanted})
        )
        rows = self._connection.execute(found)
        return {(row.key, row.revision): row.story for row in rows if (row.key, row.revision) in wanted}

    def append(self, new: Sequence[Telling], *, after: int, drop_before: int = 0) -> int:
        last = self._connection.execute(select(func.max(tellings.c.place))).scalar() or 0
        if last != after:
            raise StoreError(
                f"the ledger of stories ends at {last}, but this worker has read up to {after}: it was restored from a "
                "backup; the worker must read it again"
            )
        rows = [_row(telling, place) for place, telling in enumerate(new, start=after + 1)]
        if rows:
            # With RETURNING, SQLAlchemy sends a thousand rows a statement; without, this driver sends one.
            self._connection.execute(tellings.insert().returning(tellings.c.place), rows).all()
        if drop_before:
            self._connection.execute(delete(tellings).where(tellings.c.place < drop_before))
        return after + len(rows)


def _since(connection: Connection, place: int, limit: int) -> list[Telling]:
    found = select(tellings).where(tellings.c.place > place).order_by(tellings.c.place).limit(limit)
    return [Telling(**row._asdict()) for row in connection.execute(found)]


def _row(telling: Telling, place: int) -> dict[str, Any]:
    return {name: getattr(telling, name) for name in Telling.__struct_fields__} | {"place": place}
