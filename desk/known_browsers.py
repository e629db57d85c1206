"""Browsers in which somebody has signed in before. A stranger who guesses at a login makes its owner wait, but not
there: for the owner such a browser has a count of wrong passwords of its own.

The cookie holds a random number, of which the database keeps a hash. It opens nothing: whoever steals it may guess, as
often as any stranger may, until the owner's password changes. One browser may be known for several people."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select

from desk.database.connect import reading
from desk.database.locks import sweep
from desk.database.tables import known_browsers, people
from desk.database.upsert import upsert
from desk.digest import digest
from hustings.clock import Clock

__all__ = ["LASTS", "find", "forget", "known_for", "remember"]

LASTS = timedelta(days=90)
"""From the last sign-in: nobody should become a stranger in the last days of a campaign."""


def remember(connection: Connection, person_id: str, *, former: str, now: datetime) -> str:
    """Know the browser as one in which this person has just signed in; returns the secret for its cookie. It stays
    `former`, the one that the browser sent, if that is known for anybody; what a browser made up is not taken over."""
    usable = known_browsers.c.seen_at > now - LASTS
    held = connection.execute(select(known_browsers.c.id).where(known_browsers.c.id == digest(former), usable))
    secret = former if held.first() is not None else secrets.token_urlsafe(32)
    row = {"id": digest(secret), "person": person_id, "seen_at": now, "failures": 0, "locked_until": None}
    upsert(connection, known_browsers, [row])
    sweep(connection, known_browsers.c.id, known_browsers.c.seen_at <= now - LASTS)
    return secret


def find(engine: Engine, secret: str, *, login: str, clock: Clock) -> str | None:
    """The id of the browser, when the owner of this login has signed in there; None for a stranger's. It opens
    nothing."""
    if not secret:
        return None
    name = login.strip().casefold()
    with reading(engine) as connection:
        person_id = connection.execute(select(people.c.id).where(people.c.login == name)).scalar()
        row = known_for(connection, secret, person_id or "", now=clock.now())
    return None if row is None else row.id


def known_for(connection: Connection, secret: str, person_id: str, *, now: datetime) -> Row[Any] | None:
    """The browser's row for this person, with its count of wrong passwords."""
    return connection.execute(
        select(known_browsers).where(
            known_browsers.c.id == digest(secret),
            known_browsers.c.person == person_id,
            known_browsers.c.seen_at > now - LASTS,
        )
    ).first()


def forget(connection: Connection, person_id: str, *, but: str = "") -> None:
    """The person is a stranger in every browser from now on, except in the one with the secret `but`."""
    connection.execute(
        delete(known_browsers).where(known_browsers.c.person == person_id, known_browsers.c.id != digest(but))
    )
