"""Signed-in sessions, kept on the server: the cookie holds a random number and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, or_, select, update

from desk.database.connect import reading, writing
from desk.database.locks import sweep
from desk.database.tables import people, sessions
from desk.digest import digest
from desk.people import Person
from hustings.clock import Clock

__all__ = ["ABSOLUTE", "IDLE", "Session", "end", "find", "open_sessions", "start"]

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
_TOUCH_EVERY = timedelta(seconds=30)
"""`seen_at` is written at most this often: reading a page should not cost a disk write."""


class Session(Struct, frozen=True, kw_only=True):
    """One sign-in. Form tokens are made of `csrf`; it is a function of the secret in the cookie and never stored."""

    person: Person
    csrf: str
    id: str
    """SHA-256 of the cookie's secret: names the session in lists, opens nothing."""
    made_at: datetime
    seen_at: datetime


def start(
    connection: Connection, person: Person, *, now: datetime, replacing: str | None = None
) -> tuple[str, Session]:
    """Begin a session, in the transaction that signs the person in, and return (secret for the cookie, session).
    `replacing` is the secret of the visitor's former session, which ends: the id changes at every sign-in. Sessions
    past their time are swept out on the way."""
    secret = secrets.token_urlsafe(32)
    sweep(connection, sessions.c.id, or_(sessions.c.seen_at < now - IDLE, sessions.c.made_at < now - ABSOLUTE))
    if replacing is not None:
        connection.execute(delete(sessions).where(sessions.c.id == digest(replacing)))
    connection.execute(sessions.insert().values(id=digest(secret), person=person.id, made_at=now, seen_at=now))
    return secret, Session(person=person, csrf=_csrf(secret), id=digest(secret), made_at=now, seen_at=now)


def find(engine: Engine, secret: str, *, clock: Clock) -> Session | None:
    """The live session of this secret; None when unknown, idle for 30 minutes, older than 12 hours, or its person's
    account is closed. Being looked at keeps it alive."""
    now, session_id = clock.now(), digest(secret)
    with reading(engine) as connection:
        row = connection.execute(
            select(sessions, people.c.login, people.c.pseudonym, people.c.role)
            .join(people, people.c.id == sessions.c.person)
            .where(sessions.c.id == session_id, people.c.disabled_at.is_(None))
        ).first()
    if row is None or now - row.seen_at >= IDLE or now - row.made_at >= ABSOLUTE:
        return None
    if now - row.seen_at >= _TOUCH_EVERY:
        with writing(engine) as connection:
            connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now))
    person = Person(id=row.person, login=row.login, pseudonym=row.pseudonym, role=row.role)
    return Session(person=person, csrf=_csrf(secret), id=session_id, made_at=row.made_at, seen_at=now)


def end(engine: Engine, session_id: str) -> None:
    """Sign out one session, by `Session.id`."""
    with writing(engine) as connection:
        connection.execute(delete(sessions).where(sessions.c.id == session_id))


def open_sessions(engine: Engine, person: Person, *, clock: Clock) -> list[Session]:
    """The person's live sessions, newest first; `csrf` is empty, since the secret is not known here."""
    now = clock.now()
    with reading(engine) as connection:
        rows = connection.execute(
            select(sessions)
            .where(sessions.c.person == person.id, sessions.c.seen_at > now - IDLE, sessions.c.made_at > now - ABSOLUTE)
            .order_by(sessions.c.made_at.desc())
        )
        return [Session(person=person, csrf="", id=row.id, made_at=row.made_at, seen_at=row.seen_at) for row in rows]


def _csrf(secret: str) -> str:
    return hmac.new(secret.encode("utf-8", "replace"), b"csrf", hashlib.sha256).hexdigest()
