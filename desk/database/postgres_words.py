"""What a PostgreSQL server or the way to it answers, in our errors: what happened, where, and what an operator can do.

States are those of PostgreSQL's appendix "Error codes". No password is in anything that is said here."""

from __future__ import annotations

import socket
import ssl

import pg8000
from sqlalchemy import URL

from desk.database.postgres_socket import NoTls
from hustings.errors import ConfigError, HustingsError, StoreError, Unavailable

__all__ = ["refusal", "state_of", "trouble"]

PASSING = {
    "40001": "two writers stood in each other's way",
    "40P01": "two writers stood in each other's way",
    "55P03": "another writer held a lock for too long",
    "57014": "a statement took too long",
    "25P03": "this process was silent in the middle of a transaction for too long",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left; raise its max_connections, or run fewer processes",
    "57P03": "the server is starting or stopping",
}
PASSING_CLASSES = {
    "08": "the connection was lost",
    "53": "the server is out of something",
    "57": "the server is stopping",
    "58": "the server cannot read or write its files",
}
DAMAGED = frozenset({"XX001", "XX002"})


def state_of(error: BaseException) -> str:
    """The five characters of what went wrong; empty when the server did not say anything."""
    said = error.args[0] if error.args else None
    return str(said.get("C", "")) if isinstance(said, dict) else ""


def refusal(error: Exception, url: URL) -> HustingsError:
    """Why a connection was not made."""
    where, text = _where(url), _text(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConfigError(
            f"{where}: the server's certificate does not verify ({error.verify_message}); name the file of its "
            "authority in desk.database_url: ?sslrootcert=FILE"
        )
    if isinstance(error, NoTls):
        return ConfigError(
            f"{where}: the server offers no TLS; give it a certificate, or write ?sslmode=disable into "
            "desk.database_url to go without"
        )
    state = state_of(error)
    if state == "28P01":
        return ConfigError(
            f"{where}: the server refuses the login: wrong password, or no user {url.username!r}; "
            "check desk.database_password_file"
        )
    if state == "28000":
        return ConfigError(f"{where}: the server lets nobody in this way: {text}; check its pg_hba.conf")
    if state == "3D000":
        return ConfigError(
            f"{where}: there is no database {url.database!r}; make it on the server: "
            f"CREATE DATABASE {url.database} OWNER {url.username} ENCODING 'UTF8'"
        )
    if isinstance(error, socket.gaierror):  # its text differs from system to system
        text = f"the name {url.host!r} leads nowhere"
    if not state:
        return Unavailable(
            f"{where}: no connection: {text}; is the server started, are host and port of desk.database_url right?"
        )
    return trouble(error, url) or Unavailable(f"{where}: no connection: {text}")


def trouble(error: Exception, url: URL) -> HustingsError | None:
    """Why a statement failed through no fault of its own; None when it is its own fault."""
    where, text, state = _where(url), _text(error), state_of(error)
    if not state:
        return Unavailable(f"{where}: the connection was lost: {text}")
    if what := PASSING.get(state) or PASSING_CLASSES.get(state[:2]):
        return Unavailable(f"{where}: {what}: {text}")
    if state in DAMAGED:
        return StoreError(f"{where}: the database is damaged: {text}; restore it from a backup")
    if state == "42501":
        return ConfigError(
            f"{where}: the user {url.username!r} lacks a right: {text}; let it own the database: "
            f"ALTER DATABASE {url.database} OWNER TO {url.username}"
        )
    return None


def _where(url: URL) -> str:
    return f"desk database {url.username}@{url.host}:{url.port or 5432}/{url.database}"


def _text(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    if isinstance(said, dict):
        return str(said.get("M", ""))
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    cause = error.__cause__
    return _text(cause) if isinstance(error, pg8000.InterfaceError) and isinstance(cause, OSError) else str(error)
