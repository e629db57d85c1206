"""What of the alerts waits for people: a decision, or the second look at a threat that one person released."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Engine, case, distinct, func, select, tuple_

from alerts.markings import SEVERITIES
from desk.database.connect import reading
from desk.database.tables import alerts, notices, releases
from desk.decisions import Release, open_proposal, release_of
from hustings.clock import Clock
from hustings.types import Alert
from hustings.wire import decode

__all__ = ["Waiting", "WaitingPage", "count", "overdue", "page"]


class Waiting(Struct, frozen=True, kw_only=True):
    """An alert that waits for people: with which unanswered notices, since when, and who has proposed what."""

    alert: Alert
    kinds: tuple[str, ...]
    since: datetime
    proposal: Release | None


class WaitingPage(Struct, frozen=True, kw_only=True):
    """Alerts that wait, the most severe first, of these the longest waiting; `next` continues the list and is None at
    its end."""

    alerts: tuple[Waiting, ...]
    next: str | None


def page(engine: Engine, *, limit: int = 100, after: str | None = None) -> WaitingPage:
    """Alerts of which something waits for a decision. `after` is the `next` of the page before; when that alert waits
    no more, the list begins anew."""
    since = (
        select(notices.c.alert, func.min(notices.c.recorded_at).label("since"))
        .where(notices.c.state == "waiting")
        .group_by(notices.c.alert)
        .subquery()
    )
    ranks = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}
    rank = case(ranks, value=alerts.c.severity, else_=len(SEVERITIES))
    place = (rank, since.c.since, alerts.c.id)
    statement = select(alerts.c.value, *place).join(since, since.c.alert == alerts.c.id).order_by(*place)
    with reading(engine) as connection:
        if after is not None:
            last = connection.execute(statement.where(alerts.c.id == after)).first()
            if last is not None:
                statement = statement.where(tuple_(*place) > tuple(last[1:]))
        rows = connection.execute(statement.limit(limit + 1)).all()
        shown = rows[:limit]
        kinds: dict[str, list[str]] = {row.id: [] for row in shown}
        waits = (
            select(notices.c.alert, notices.c.kind)
            .where(notices.c.state == "waiting", notices.c.alert.in_(kinds))
            .order_by(notices.c.recorded_at, notices.c.revision)
        )
        for notice in connection.execute(waits):
            kinds[notice.alert].append(notice.kind)
        found = tuple(
            Waiting(
                alert=decode(row.value, Alert),
                kinds=tuple(kinds[row.id]),
                since=row.since,
                proposal=open_proposal(connection, row.id),
            )
            for row in shown
        )
    return WaitingPage(alerts=found, next=shown[-1].id if len(rows) > limit else None)


def count(engine: Engine) -> int:
    """How many alerts wait for a decision."""
    wanted = select(func.count(distinct(notices.c.alert))).where(notices.c.state == "waiting")
    with reading(engine) as connection:
        return connection.execute(wanted).scalar_one()


def overdue(engine: Engine, *, clock: Clock) -> list[Release]:
    """Releases by one reviewer alone whose second look is late."""
    statement = (
        select(releases).where(releases.c.second_review_due <= clock.now()).order_by(releases.c.second_review_due)
    )
    with reading(engine) as connection:
        return [release_of(row) for row in connection.execute(statement)]
