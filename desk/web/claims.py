"""What somebody holds at the moment, read without changing anything: a page that is only looked at takes no lease."""

from __future__ import annotations

from sqlalchemy import select

from desk import queue
from desk.database.connect import reading
from desk.database.tables import queue_posts
from desk.people import Person
from desk.queue import Claim
from desk.web.services import DeskServices

__all__ = ["held_by", "is_waiting"]


def held_by(services: DeskServices, person: Person, *, key: str | None = None) -> Claim | None:
    """The live claim of this person, on `key` when given, else on whatever they hold."""
    mine = select(queue_posts).where(
        queue_posts.c.reviewer == person.pseudonym,
        queue_posts.c.leased_until > services.clock.now(),
        queue_posts.c.done_at.is_(None),
    )
    if key is not None:
        mine = mine.where(queue_posts.c.key == key)
    with reading(services.engine) as connection:
        row = connection.execute(mine.limit(1)).first()
    if row is None:
        return None
    return Claim(
        key=row.key,
        slot=row.slot,
        token=row.token,
        reviewer=row.reviewer,
        leased_until=row.leased_until,
        entries=queue.entries(services.engine, row.key),
    )


def is_waiting(services: DeskServices, key: str) -> bool:
    """Whether the post is in the queue and undecided."""
    wanted = select(queue_posts.c.key).where(queue_posts.c.key == key, queue_posts.c.done_at.is_(None))
    with reading(services.engine) as connection:
        return connection.execute(wanted.limit(1)).first() is not None
