"""Has anybody written to the desk's database since the last look? Cheap enough to be asked many times a second."""

from __future__ import annotations

from sqlalchemy import Engine, PoolProxiedConnection

__all__ = ["Changes"]


class Changes:
    """On SQLite a number tells whether another connection has committed, in some 20 microseconds where a query takes
    two milliseconds. Elsewhere the answer is always yes. Holds a connection of its own, on which nothing is ever
    written; for one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._version = -1

    def since_last_look(self) -> bool:
        """Whether anything may have been committed since this was asked before; yes the first time."""
        if self._engine.dialect.name != "sqlite":
            return True
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        cursor = self._connection.cursor()
        try:
            cursor.execute("PRAGMA data_version")
            version = int(next(iter(cursor.fetchall()))[0])
        finally:
            cursor.close()
        changed = version != self._version
        self._version = version
        return changed

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
