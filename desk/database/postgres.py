"""The desk's database on a PostgreSQL server: connections with limits of time, and an operator's words for what fails.

pg8000 raises one class for everything that a server says and lets errors of the socket through as they are; here both
become `Unavailable` (may pass: a loop waits), `ConfigError` (will not pass before somebody changes a setting), or
SQLAlchemy's error for what a statement does wrong."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pg8000
from sqlalchemy import URL, Connection, Dialect, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from desk.database.postgres_socket import TLS_KEYS, connected, tls_context
from desk.database.postgres_words import refusal, state_of, trouble
from hustings.errors import ConfigError

__all__ = ["make_engine"]

STATEMENT_TIMEOUT_S = 60
"""No statement of the desk takes seconds; one that takes this long waits for a disk that does not answer."""
LOCK_TIMEOUT_S = 45
"""How long a writer waits for another's lock: longer than `IDLE_TIMEOUT_S`, after which a stopped holder loses it."""
IDLE_TIMEOUT_S = 30
"""A process that was stopped inside a transaction is disconnected after this, so that its locks are free again."""
SILENCE_S = 90.0
"""A server that says nothing for this long is taken to be gone; longer than any statement may take."""
MIGRATION_SILENCE_S = 3600.0
"""A migration may rewrite large tables, and who waits for it waits as long."""
POOL, OVERFLOW = 4, 12
"""Connections of one process: what it keeps, and what it may open beyond under load. A server allows a hundred by
default, and about ten processes share it."""
POOL_WAIT_S = 30.0
POOL_LOG = "desk"
"""The pool would write a traceback for each connection of a server that was killed. Whoever used it has raised
`Unavailable` already, which the loops tell in a line: nothing more is said."""
QUIET_S = 1.0
"""A pooled connection that was not used for this long is asked whether it still lives."""
LONGEST_LIFE_S = 1800
"""A connection is replaced after this, so that a changed password or a moved server shows in time."""

NEEDS_VERSION = 130_000
"""`pg_current_snapshot` came with PostgreSQL 13."""


def make_engine(url: URL, *, writes: str, password_file: Path | None, migrating: bool = False) -> Engine:
    """An engine for `url`; the password is read from `password_file` at each connection, when there is one.

    A transaction of a connection with the execution option `writes` may write; every other sees one snapshot and may
    not. `migrating` waits for as long as it takes."""
    if url.password and password_file is not None:
        raise ConfigError("desk database: the password stands in the URL and in a file; keep one of the two")
    if url.drivername not in {"postgresql", "postgresql+pg8000"}:
        raise ConfigError(f"desk database: {url.drivername!r} is not supported; write postgresql+pg8000://…")
    if unknown := sorted(url.query.keys() - TLS_KEYS):
        raise ConfigError(f"desk database: unknown in the URL: {', '.join(unknown)}; known are {', '.join(TLS_KEYS)}")
    for wanted, what in ((url.host, "server"), (url.username, "user"), (url.database, "database")):
        if not wanted:
            raise ConfigError(f"desk database: the URL names no {what}; write postgresql+pg8000://USER@HOST:5432/NAME")
    context = tls_context(url)
    bare = URL.create("postgresql+pg8000", url.username, host=url.host, port=url.port or 5432, database=url.database)
    engine = create_engine(
        bare,
        pool_size=POOL,
        max_overflow=OVERFLOW,
        pool_timeout=POOL_WAIT_S,
        pool_recycle=LONGEST_LIFE_S,
        pool_use_lifo=True,
        pool_logging_name=POOL_LOG,
        hide_parameters=True,  # password hashes are among them
    )
    logging.getLogger(f"sqlalchemy.pool.impl.QueuePool.{POOL_LOG}").disabled = True
    startup = _limits(migrating=migrating)

    def connect(_dialect: Dialect, _entry: ConnectionPoolEntry, _given: Any, _named: Any) -> Any:
        password = _password_in(password_file) if password_file is not None else url.password
        silence_s = MIGRATION_SILENCE_S if migrating else SILENCE_S
        return _connect(bare, password, context, startup=startup, silence_s=silence_s)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "begin", lambda connection: _begin(connection, writes))
    event.listen(engine, "handle_error", _in_our_words)
    event.listen(engine.pool, "checkin", _note_use)
    event.listen(engine.pool, "checkout", _ask_whether_it_lives)
    return engine


def _limits(*, migrating: bool) -> Mapping[str, str]:
    limits = {
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "lock_timeout": LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_S,
    }
    return {name: "0" if migrating else f"{seconds}s" for name, seconds in limits.items()}


def _password_in(path: Path) -> str:
    try:
        password = path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"desk database: its password file {path} cannot be read: {error}") from error
    if not password:
        raise ConfigError(f"desk database: its password file {path} is empty")
    return password


def _connect(
    url: URL, password: str | None, context: ssl.SSLContext | None, *, startup: Mapping[str, str], silence_s: float
) -> Any:
    """A connection, or an error that says what an operator can do; it never holds the password."""
    if password is None:
        raise ConfigError(
            f"desk database: no password for {url.username!r}; name a file with it in desk.database_password_file"
        )
    sock = None
    try:
        sock = connected(url, context)
        connection = pg8000.Connection(
            url.username,
            host=url.host,
            database=url.database,
            password=password,
            ssl_context=False,  # the socket speaks TLS already, if it does
            application_name="hustings",
            startup_params=dict(startup),
            sock=sock,
        )
    except (pg8000.Error, OSError) as error:
        if sock is not None:
            sock.close()
        raise refusal(error, url) from error
    except BaseException:
        if sock is not None:
            sock.close()
        raise
    sock.settimeout(silence_s)
    connection.autocommit = True  # the driver begins nothing by itself; _begin does
    _check(connection, url)
    return connection


def _check(connection: Any, url: URL) -> None:
    said = connection.parameter_statuses
    version, encoding = said.get("server_version", ""), said.get("server_encoding", "")
    number = version.split(" ")[0].split(".")[0]
    problem = ""
    if number.isdigit() and int(number) * 10_000 < NEEDS_VERSION:
        problem = f"its server is PostgreSQL {version}; 13 or newer is needed"
    elif encoding != "UTF8":
        problem = f"its encoding is {encoding}; make it anew with ENCODING 'UTF8'"
    if problem:
        connection.close()
        raise ConfigError(f"desk database: {url.render_as_string()}: {problem}")


def _begin(connection: Connection, writes: str) -> None:
    may_write = connection.get_execution_options().get(writes, False)
    # READ COMMITTED: a writer that waited for another's lock goes on with what the other wrote.
    how = "READ COMMITTED" if may_write else "REPEATABLE READ READ ONLY"
    connection.exec_driver_sql(f"BEGIN ISOLATION LEVEL {how}")


def _note_use(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info["used_s"] = time.monotonic()


def _ask_whether_it_lives(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    used_s = entry.info.get("used_s")
    if used_s is None or time.monotonic() - used_s < QUIET_S:
        return
    try:
        connection.cursor().execute("SELECT 1")
    except (pg8000.Error, OSError) as error:
        raise DisconnectionError("the server closed this connection") from error


def _in_our_words(context: ExceptionContext) -> Exception | None:
    error = context.original_exception
    url = context.engine.url if context.engine is not None else None
    if url is None or not isinstance(error, pg8000.Error | OSError):
        return None
    state = state_of(error)
    if state.startswith("23"):
        return IntegrityError(context.statement, context.parameters, error, hide_parameters=True)
    if not state or state.startswith(("08", "57P")) or state == "25P03":
        context.is_disconnect = True
    return trouble(error, url)
