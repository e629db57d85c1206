"""`contracts.AlertBook` on the desk's database: where `watch` writes what it found.

Only this module writes alerts, notices, amendments and counters. A row that a person's decision made (a release, a
review, a lease) is never touched by it, however often `watch` does its work again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, or_, select

from desk import audit, queue
from desk.database.connect import reading, writing
from desk.database.locks import lock_rows
from desk.database.tables import alerts, amendments, counters, notices, releases
from desk.database.upsert import insert, insert_absent, upsert
from desk.decisions import BY_RULE, retracted_by_people
from desk.dispatch import Dispatcher
from desk.follow import follow
from hustings.clock import Clock
from hustings.contracts import AlertChanges
from hustings.types import Alert, Amendment, Assessment, Notice
from hustings.wire import decode, encode

__all__ = [
    "AlertPage",
    "DeskBook",
    "alert",
    "alert_notices",
    "amendment_list",
    "latest_alerts",
    "released_alerts",
    "retracted_alerts",
    "totals",
]

DEFAULT_MEMORY = timedelta(days=31)
"""How long a settled alert can still change (a late edit may retract it) when its rule is not among `memories`."""


class AlertPage(Struct, frozen=True, kw_only=True):
    """Alerts, newest first; `next` continues the list and is None at its end."""

    alerts: tuple[Alert, ...]
    next: str | None


class DeskBook:
    """`memories` says for a rule id how long after it settled an alert can still change: window, lateness,
    `resolve_after` and the evaluator's memory (`alerts.evaluator.MEMORY`). Rules that are not named get 31 days."""

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        clock: Clock,
        *,
        memories: Mapping[str, timedelta] | None = None,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._clock = clock
        self._memories = dict(memories or {})

    def unsettled(self, *, as_of: datetime | None = None) -> list[Alert]:
        with reading(self._engine) as connection:
            newest = as_of or connection.execute(select(func.max(alerts.c.detected_at))).scalar()
            if newest is None:
                return []
            longest = max((DEFAULT_MEMORY, *self._memories.values()))
            statement = (
                select(alerts.c.value, alerts.c.settled_at)
                .where(or_(alerts.c.settled_at.is_(None), alerts.c.settled_at >= newest - longest))
                .order_by(alerts.c.id)
            )
            found = [(decode(row.value, Alert), row.settled_at) for row in connection.execute(statement)]
        return [a for a, settled_at in found if settled_at is None or settled_at >= newest - self._memory(a.rule)]

    def record(self, changes: AlertChanges, *, partition: int, epoch: int) -> None:
        if changes == AlertChanges():
            return
        now = self._clock.now()
        changed = _last_of_each(changes.alerts)
        evidence = self._evidence_of_speakers(changed, changes.notices)
        with writing(self._engine) as connection:
            lock_rows(connection, alerts.c.id, changed.keys() | {notice.alert for notice in changes.notices})
            refused = _write_alerts(connection, changed.values(), partition=partition, epoch=epoch)
            made = _write_notices(connection, changes.notices, refused, now)
            _write_amendments(connection, changes.amendments)
            queue.enqueue(connection, changes.queue, now=now)
            _write_counters(connection, changes.counters, partition)
            let_out = []
            stored = _stored(connection, made)
            for alert_id, new in made.items():
                let_out += follow(connection, self._dispatcher, stored[alert_id], new, evidence, now=now)
            for release in let_out:
                audit.append(
                    connection,
                    at=now,
                    actor=BY_RULE,
                    action="release-by-rule",
                    subject=release.alert,
                    detail={"release": release.id, "rule": release.rule},
                )

    def _memory(self, rule: str) -> timedelta:
        return self._memories.get(rule, DEFAULT_MEMORY)

    def _evidence_of_speakers(
        self, changed: Mapping[str, Alert], made: Sequence[Notice]
    ) -> dict[str, list[Assessment]]:
        """The posts behind alerts that may be sent by this very call, read before the writer's turn begins."""
        speaking = {notice.alert for notice in made} & changed.keys()
        speaking = {alert_id for alert_id in speaking if not changed[alert_id].shadow}
        gated = {alert_id for alert_id in speaking if changed[alert_id].review != "none"}
        if gated:
            with reading(self._engine) as connection:
                done = select(releases.c.alert).where(releases.c.alert.in_(gated), releases.c.state == "done")
                speaking -= gated - set(connection.execute(done).scalars())
        return {alert_id: self._dispatcher.evidence(changed[alert_id]) for alert_id in speaking}


def alert(engine: Engine, alert_id: str) -> Alert | None:
    """One alert as it stands."""
    with reading(engine) as connection:
        raw = connection.execute(select(alerts.c.value).where(alerts.c.id == alert_id)).scalar()
    return None if raw is None else decode(raw, Alert)


def latest_alerts(
    engine: Engine, *, limit: int = 50, after: str | None = None, states: Sequence[str] = (), shadow: bool = False
) -> AlertPage:
    """Alerts by the time of their detection, newest first; of rules in shadow only when asked for those."""
    wanted: list[ColumnElement[bool]] = [alerts.c.shadow.is_(shadow)]
    if states:
        wanted.append(alerts.c.state.in_(states))
    return _page(engine, wanted, limit, after)


def released_alerts(engine: Engine, *, limit: int = 50, after: str | None = None) -> AlertPage:
    """Alerts that somebody, or a rule that names nobody, let out and that no person retracted since; newest first."""
    let_out = exists().where(
        releases.c.alert == alerts.c.id,
        releases.c.action == "release",
        releases.c.state == "done",
    )
    return _page(engine, [let_out, ~retracted_by_people(alerts.c.id)], limit, after)


def retracted_alerts(engine: Engine, *, limit: int = 50, after: str | None = None) -> AlertPage:
    """Alerts that the machine withdrew or people retracted, newest first; of rules in shadow none."""
    wanted = [alerts.c.shadow.is_(False), or_(alerts.c.state == "retracted", retracted_by_people(alerts.c.id))]
    return _page(engine, wanted, limit, after)


def alert_notices(engine: Engine, alert_id: str) -> list[tuple[Notice, str]]:
    """The notices of one alert in order, each with what became of it: waiting, told, silent or declined."""
    statement = (
        select(notices.c.value, notices.c.state)
        .where(notices.c.alert == alert_id)
        .order_by(notices.c.revision, notices.c.at)
    )
    with reading(engine) as connection:
        return [(decode(row.value, Notice), row.state) for row in connection.execute(statement)]


def amendment_list(engine: Engine, *, limit: int = 100) -> list[Amendment]:
    """What late posts would have changed, latest anchor first."""
    statement = select(amendments.c.value).order_by(amendments.c.anchor.desc(), amendments.c.id).limit(limit)
    with reading(engine) as connection:
        return [decode(raw, Amendment) for raw in connection.execute(statement).scalars()]


def totals(engine: Engine) -> dict[str, int]:
    """The counters of `watch`, added up over partitions and time. Work done again after a crash counts again here:
    these numbers show what was late or left out, the books are kept elsewhere."""
    with reading(engine) as connection:
        statement = select(counters.c.name, func.sum(counters.c.value)).group_by(counters.c.name)
        return {name: int(value) for name, value in connection.execute(statement)}


def _page(engine: Engine, wanted: list[ColumnElement[bool]], limit: int, after: str | None) -> AlertPage:
    statement = select(alerts.c.id, alerts.c.value).where(*wanted)
    with reading(engine) as connection:
        if after is not None:
            last = connection.execute(select(alerts.c.detected_at).where(alerts.c.id == after)).scalar()
            if last is not None:
                same = and_(alerts.c.detected_at == last, alerts.c.id < after)
                statement = statement.where(or_(alerts.c.detected_at < last, same))
        ordered = statement.order_by(alerts.c.detected_at.desc(), alerts.c.id.desc())
        rows = connection.execute(ordered.limit(limit + 1)).all()
    shown = rows[:limit]
    return AlertPage(
        alerts=tuple(decode(row.value, Alert) for row in shown), next=shown[-1].id if len(rows) > limit else None
    )


def _last_of_each(found: Iterable[Alert]) -> dict[str, Alert]:
    """The newest state of each alert: the highest revision, of equal ones the last."""
    newest: dict[str, Alert] = {}
    for changed in found:
        known = newest.get(changed.id)
        if known is None or changed.revision >= known.revision:
            newest[changed.id] = changed
    return newest


def _write_alerts(connection: Connection, found: Iterable[Alert], *, partition: int, epoch: int) -> set[str]:
    """Write what is not older than what stands there; returns the ids that belong to a later epoch."""
    in_one_order = sorted(found, key=lambda alert: alert.id)  # the same for all writers
    rows = [_alert_row(changed, partition=partition, epoch=epoch) for changed in in_one_order]
    written = upsert(connection, alerts, rows, not_below=(alerts.c.epoch, alerts.c.revision))
    older = [changed.id for changed in in_one_order if (changed.id,) not in written]
    if not older:
        return set()
    later = select(alerts.c.id).where(alerts.c.id.in_(older), alerts.c.epoch > epoch)
    return set(connection.execute(later).scalars())


def _alert_row(changed: Alert, *, partition: int, epoch: int) -> dict[str, object]:
    return {
        "id": changed.id,
        "rule": changed.rule,
        "rule_name": changed.rule_name,
        "state": changed.state,
        "revision": changed.revision,
        "severity": changed.severity,
        "tlp": changed.tlp,
        "shadow": changed.shadow,
        "detected_at": changed.detected_at,
        "settled_at": _settled_at(changed),
        "partition": partition,
        "epoch": epoch,
        "value": encode(changed),
    }


def _settled_at(changed: Alert) -> datetime | None:
    if changed.state == "open":
        return None
    times = [changed.last_crossing_at, *(notice.at for notice in changed.notices)]
    return max(times if changed.resolved_at is None else [*times, changed.resolved_at])


def _write_notices(
    connection: Connection, found: Sequence[Notice], refused: set[str], now: datetime
) -> dict[str, list[Notice]]:
    """Insert what is not there yet; returns the new ones by alert."""
    by_id = {notice.id: notice for notice in found if notice.alert not in refused}
    rows = [
        {
            "id": notice_id,
            "alert": notice.alert,
            "kind": notice.kind,
            "revision": notice.revision,
            "at": notice.at,
            "recorded_at": now,
            "state": "waiting",
            "value": encode(notice),
        }
        for notice_id, notice in sorted(by_id.items())
    ]
    new = insert_absent(connection, notices, rows, key=notices.c.id)
    made: dict[str, list[Notice]] = {}
    for notice_id, notice in by_id.items():
        if notice_id in new:
            made.setdefault(notice.alert, []).append(notice)
    return made


def _write_amendments(connection: Connection, found: Sequence[Amendment]) -> None:
    rows = [
        {"id": entry.id, "rule": entry.rule, "anchor": entry.anchor, "value": encode(entry)}
        for entry in sorted(found, key=lambda amendment: amendment.id)
    ]
    insert_absent(connection, amendments, rows, key=amendments.c.id)


def _write_counters(connection: Connection, found: Mapping[str, int], partition: int) -> None:
    for name, value in sorted(found.items()):
        row = insert(connection, counters).values(partition=partition, name=name, value=value)
        more = {"value": counters.c.value + row.excluded.value}
        connection.execute(row.on_conflict_do_update(index_elements=["partition", "name"], set_=more))


def _stored(connection: Connection, alert_ids: Collection[str]) -> dict[str, Alert]:
    """The alerts as they stand, by id."""
    if not alert_ids:
        return {}
    found = connection.execute(select(alerts.c.id, alerts.c.value).where(alerts.c.id.in_(alert_ids)))
    return {alert_id: decode(value, Alert) for alert_id, value in found}
