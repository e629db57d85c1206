"""A database of one's own on a PostgreSQL server, for a while: made, used, thrown away."""

from __future__ import annotations

from pathlib import Path

import pg8000
from sqlalchemy import URL
from sqlalchemy.engine import make_url

from desk.database.postgres import make_engine
from desk.database.postgres_words import state_of
from hustings.errors import ConfigError

__all__ = ["create_database", "drop_database"]

NO_RIGHT = "42501"


def create_database(url: str, name: str, *, password_file: Path | None) -> str:
    """Make the database `name` on the server of `url`, with its login; returns the URL of the new one. Raises
    `ConfigError` when the user may not make databases, or the login fails."""
    parsed = make_url(url)
    _run(parsed, f"CREATE DATABASE {_quoted(name)} ENCODING 'UTF8' TEMPLATE template0", password_file)
    return parsed.set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str, *, password_file: Path | None) -> None:
    """Throw the database `name` away, whoever still uses it."""
    _run(make_url(url), f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)", password_file)


def _run(url: URL, statement: str, password_file: Path | None) -> None:
    engine = make_engine(url, writes="", password_file=password_file)
    try:
        connection = engine.raw_connection()
        try:
            connection.cursor().execute(statement)  # outside of a transaction: the driver begins none by itself
        finally:
            connection.close()
    except pg8000.Error as error:
        if state_of(error) != NO_RIGHT:
            raise
        raise ConfigError(
            f"desk database: {url.render_as_string()}: the user {url.username!r} may not make a database of its own;"
            f" on the server: ALTER ROLE {url.username} CREATEDB"
        ) from error
    finally:
        engine.dispose()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
