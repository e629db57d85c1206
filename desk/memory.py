"""`contracts.Memory` on the desk's database."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select

from desk.database.connect import reading, writing
from desk.database.tables import memory
from desk.database.upsert import upsert

__all__ = ["DeskMemory"]


class DeskMemory:
    """Small durable facts: a put is on disk when it returns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, table: str, key: str) -> bytes | None:
        with reading(self._engine) as connection:
            found = select(memory.c.value).where(memory.c.area == table, memory.c.key == key)
            return connection.execute(found).scalar()

    def put(self, table: str, key: str, value: bytes) -> None:
        with writing(self._engine) as connection:
            upsert(connection, memory, {"area": table, "key": key, "value": value})

    def entries(self, table: str) -> dict[str, bytes]:
        with reading(self._engine) as connection:
            found = select(memory.c.key, memory.c.value).where(memory.c.area == table)
            return dict(sorted(connection.execute(found).all()))

    def delete(self, table: str, key: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(memory).where(memory.c.area == table, memory.c.key == key))
