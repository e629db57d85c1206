"""What became of each notice: waiting for people, told to partners, silent, or declined."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from desk.database.tables import notices
from hustings.types import Notice
from hustings.wire import decode

__all__ = ["answer", "settle", "waiting_notices"]


def waiting_notices(connection: Connection, alert_id: str, besides: Sequence[Notice] = ()) -> list[Notice]:
    """The notices of an alert that nobody has answered, `besides` these, in order."""
    statement = (
        select(notices.c.value)
        .where(
            notices.c.alert == alert_id,
            notices.c.state == "waiting",
            notices.c.id.not_in([notice.id for notice in besides]),
        )
        .order_by(notices.c.revision, notices.c.at)
    )
    return [decode(raw, Notice) for raw in connection.execute(statement).scalars()]


def answer(connection: Connection, made: Sequence[Notice], state: str, *, release: str | None = None) -> None:
    """Say what became of these notices, and by which decision."""
    ids = [notice.id for notice in made]
    connection.execute(update(notices).where(notices.c.id.in_(ids)).values(state=state, release=release))


def settle(
    connection: Connection, alert_id: str, state: str, *, besides: Sequence[Notice] = (), release: str | None = None
) -> None:
    """Answer everything of an alert that waits, `besides` these."""
    connection.execute(
        update(notices)
        .where(
            notices.c.alert == alert_id,
            notices.c.state == "waiting",
            notices.c.id.not_in([notice.id for notice in besides]),
        )
        .values(state=state, release=release)
    )
