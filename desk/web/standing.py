"""Which alerts wait for people and which were let out: the two questions that the list of alerts asks the database."""

from __future__ import annotations

from sqlalchemy import Engine, and_, distinct, func, or_, select

from desk.book import AlertPage
from desk.database.connect import reading
from desk.database.tables import alerts, notices, releases
from hustings.types import Alert
from hustings.wire import decode

__all__ = ["count_waiting", "released_alerts"]


def count_waiting(engine: Engine) -> int:
    """How many alerts wait for a decision."""
    wanted = select(func.count(distinct(notices.c.alert))).where(notices.c.state == "waiting")
    with reading(engine) as connection:
        return connection.execute(wanted).scalar_one()


def released_alerts(engine: Engine, *, limit: int, after: str | None) -> AlertPage:
    """Alerts that somebody, or a rule that names nobody, let out; newest first."""
    let_out = (
        select(releases.c.alert)
        .where(releases.c.alert == alerts.c.id, releases.c.action == "release", releases.c.state == "done")
        .exists()
    )
    wanted = [let_out]
    with reading(engine) as connection:
        last = None
        if after is not None:
            last = connection.execute(select(alerts.c.detected_at).where(alerts.c.id == after)).scalar()
        statement = select(alerts.c.id, alerts.c.value).where(*wanted)
        if last is not None:
            same = and_(alerts.c.detected_at == last, alerts.c.id < after)
            statement = statement.where(or_(alerts.c.detected_at < last, same))
        ordered = statement.order_by(alerts.c.detected_at.desc(), alerts.c.id.desc()).limit(limit + 1)
        rows = connection.execute(ordered).all()
    shown = rows[:limit]
    return AlertPage(
        alerts=tuple(decode(row.value, Alert) for row in shown), next=shown[-1].id if len(rows) > limit else None
    )
