"""Has anybody written to the desk's database since the last look? Cheap enough to be asked many times a second."""

from __future__ import annotations

from sqlalchemy import Engine, PoolProxiedConnection

from hustings.errors import Unavailable

__all__ = ["Changes"]

QUESTIONS = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT pg_current_snapshot()::text",
}
"""Each is answered by something else once another connection has committed. On SQLite that takes some 20 microseconds
where a query takes two milliseconds. On PostgreSQL it names the transactions that are over, of the whole server and
those rolled back too: a change may be seen where there is none, never the reverse."""


class Changes:
    """Holds a connection of its own, on which nothing is ever written; for one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._seen: object = None

    def since_last_look(self) -> bool:
        """Whether anything may have been committed since this was asked before; yes the first time. Raises
        `Unavailable` when the server is away; the next call connects again."""
        found = self._ask()
        changed = found != self._seen
        self._seen = found
        return changed

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self) -> object:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        try:
            cursor = self._connection.cursor()
            cursor.execute(QUESTIONS[self._engine.dialect.name])
            (found,) = next(iter(cursor.fetchall()))
            cursor.close()
        except (self._engine.dialect.loaded_dbapi.Error, OSError) as error:
            self._connection.invalidate()
            self._connection, self._seen = None, None
            raise Unavailable(f"desk database: the look for changes failed: {error}") from error
        return found
