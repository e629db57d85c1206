"""`contracts.Memory` on the desk's database."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select, update

from desk.database.connect import reading, writing
from desk.database.tables import memory
from desk.database.upsert import insert, upsert
from hustings.errors import StoreError

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
            upsert(connection, memory, [{"area": table, "key": key, "value": value}])

    def replace(self, table: str, key: str, former: bytes | None, value: bytes) -> bool:
        with writing(self._engine) as connection:
            if former is None:
                absent = insert(connection, memory).values(area=table, key=key, value=value)
                return connection.execute(absent.on_conflict_do_nothing().returning(memory.c.key)).first() is not None
            kept = (memory.c.area == table, memory.c.key == key, memory.c.value == former)
            written = update(memory).where(*kept).values(value=value).returning(memory.c.key)
            return connection.execute(written).first() is not None

    def entries(self, table: str) -> dict[str, bytes]:
        with reading(self._engine) as connection:
            found = select(memory.c.key, memory.c.value).where(memory.c.area == table)
            return dict(sorted(connection.execute(found).all()))

    def delete(self, table: str, key: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(memory).where(memory.c.area == table, memory.c.key == key))

    def add(self, table: str, key: str, amount: int = 1) -> int:
        kept = (memory.c.area == table, memory.c.key == key)
        with writing(self._engine) as connection:
            absent = insert(connection, memory).values(area=table, key=key, value=b"0")
            connection.execute(absent.on_conflict_do_nothing())
            found = connection.execute(select(memory.c.value).where(*kept).with_for_update()).scalar_one()
            if not found.removeprefix(b"-").isdigit():
                raise StoreError(f"the desk's memory: {table}/{key} holds {len(found)} bytes that are no whole number")
            total = int(found) + amount
            connection.execute(update(memory).where(*kept).values(value=str(total).encode()))
        return total
