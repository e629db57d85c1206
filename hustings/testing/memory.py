"""Small things that stand in for the stores of a deployment in tests."""

from __future__ import annotations

import threading

from hustings.errors import StoreError

__all__ = ["DictMemory"]


class DictMemory:
    """`contracts.Memory` that forgets with the process."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}
        self._changing = threading.Lock()

    def get(self, table: str, key: str) -> bytes | None:
        return self._tables.get(table, {}).get(key)

    def put(self, table: str, key: str, value: bytes) -> None:
        self._tables.setdefault(table, {})[key] = value

    def replace(self, table: str, key: str, former: bytes | None, value: bytes) -> bool:
        with self._changing:
            if self.get(table, key) != former:
                return False
            self.put(table, key, value)
            return True

    def entries(self, table: str) -> dict[str, bytes]:
        return dict(sorted(self._tables.get(table, {}).items()))

    def delete(self, table: str, key: str) -> None:
        self._tables.get(table, {}).pop(key, None)

    def add(self, table: str, key: str, amount: int = 1) -> int:
        with self._changing:
            found = self._tables.get(table, {}).get(key, b"0")
            if not found.removeprefix(b"-").isdigit():
                raise StoreError(f"memory: {table}/{key} holds {len(found)} bytes that are no whole number")
            total = int(found) + amount
            self.put(table, key, str(total).encode())
        return total
