"""Look at a database without changing anything in it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url

from desk.database.connect import reading
from desk.database.migrate import newest, present

__all__ = ["tables_are_there"]


def tables_are_there(url: str, password_file: Path | None = None) -> bool:
    """Whether the PostgreSQL database at `url` has the newest schema. Raises what `open_database` raises for a server
    that cannot be reached or a login that fails."""
    from desk.database.postgres import make_engine

    engine = make_engine(make_url(url), writes="hustings_writes", password_file=password_file)
    try:
        with reading(engine) as connection:
            return present(connection) == newest()
    finally:
        engine.dispose()
