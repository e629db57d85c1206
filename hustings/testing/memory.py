"""Small things that stand in for the stores of a deployment in tests."""

from __future__ import annotations

__all__ = ["DictMemory"]


class DictMemory:
    """`contracts.Memory` that forgets with the process."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, bytes]] = {}

    def get(self, table: str, key: str) -> bytes | None:
        return self._tables.get(table, {}).get(key)

    def put(self, table: str, key: str, value: bytes) -> None:
        self._tables.setdefault(table, {})[key] = value

    def entries(self, table: str) -> dict[str, bytes]:
        return dict(self._tables.get(table, {}))

    def delete(self, table: str, key: str) -> None:
        self._tables.get(table, {}).pop(key, None)
