"""The outbox: one row per message that goes to one partner over one channel, until somebody has it or never will.

queued → sending → delivered | retrying → … | dead, or cancelled before it was sent. A row is leased to be sent; its
token rises with each lease, so an outcome that comes after the lease was lost changes nothing. Rows of one alert over
one route (partner and channel) go out in the order in which they were made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, or_, select, update

from alerts.partners import route
from desk import audit
from desk.database.connect import reading, writing
from desk.database.locks import lock_rows
from desk.database.tables import alerts, outbox, releases
from desk.database.upsert import insert_absent
from desk.people import Person
from desk.refusals import Refused
from hustings.clock import Clock
from hustings.contracts import Delivery, Message
from hustings.wire import decode, encode

__all__ = [
    "LEASE",
    "RETRIES",
    "Leased",
    "OutboxRow",
    "add",
    "cancel_unsent",
    "counts",
    "due_routes",
    "is_standing",
    "is_withdrawn",
    "lease",
    "next_due",
    "of_alert",
    "put_back",
    "record",
    "replace_cancelled",
    "requeue",
    "routes_addressed",
    "routes_promised",
    "routes_to_correct",
    "routes_told",
    "was_tried",
]

RETRIES = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""The wait before each attempt: ten attempts over 75 hours (the schedule of the Standard Webhooks specification)."""
JITTER = 0.2
"""A wait is longer or shorter by up to this share, so that receivers that come back are not met by all at once."""
LONGEST_WISH = timedelta(hours=24)
"""Retry-After is honoured up to this; whoever asks for more is asked again after a day."""
LEASE = timedelta(seconds=60)
"""Longer than the three or so attempts of 15 s that a sender makes under one lease."""

COLLAPSING = frozenset({"update", "escalate", "renotify"})
"""Kinds whose unsent message is replaced by a later one of the same alert, which carries everything that it said."""


class Leased(Struct, frozen=True, kw_only=True):
    """A message to be sent now, until the lease ends; `attempt` counts from 1."""

    token: int
    attempt: int
    leased_until: datetime
    message: Message


class OutboxRow(Struct, frozen=True, kw_only=True):
    """What the desk shows of a row."""

    id: str
    alert: str
    route: str
    release: str
    kind: str
    tlp: str
    state: str
    due_at: datetime | None
    attempts: int
    detail: str
    made_at: datetime
    finished_at: datetime | None
    sha256: str
    can_go_again: bool
    """Dead, and nothing that was said since speaks against sending it after all."""


def add(connection: Connection, messages: Sequence[Message], *, release: str, now: datetime, due_at: datetime) -> int:
    """Queue messages in the caller's transaction; an id that exists stays as it is. Returns how many were new.

    Unsent updates of the same alert over the same routes are superseded."""
    rows = [
        {
            "id": message.id,
            "alert": message.alert,
            "route": route(message.partner, message.channel),
            "release": release,
            "kind": message.kind,
            "tlp": message.tlp,
            "state": "queued",
            "due_at": due_at,
            "attempts": 0,
            "token": 0,
            "detail": "",
            "made_at": now,
            "sha256": hashlib.sha256(message.body).hexdigest(),
            "message": encode(message),
        }
        for message in messages
    ]
    new = insert_absent(connection, outbox, rows, key=outbox.c.id)
    for row in rows:
        if row["id"] in new:
            _supersede(connection, row, now)
    return len(new)


def replace_cancelled(
    connection: Connection, messages: Sequence[Message], *, release: str, now: datetime, due_at: datetime
) -> int:
    """Queue again those of `messages` whose rows were cancelled (a release that was undone and then made anew), with
    what they say now. Returns how many."""
    count = 0
    for message in messages:
        changed = connection.execute(
            update(outbox)
            .where(outbox.c.id == message.id, outbox.c.state == "cancelled", outbox.c.attempts == 0)
            .values(
                state="queued",
                release=release,
                due_at=due_at,
                made_at=now,
                finished_at=None,
                detail="",
                tlp=message.tlp,
                sha256=hashlib.sha256(message.body).hexdigest(),
                message=encode(message),
            )
        )
        count += changed.rowcount
    return count


def due_routes(engine: Engine, *, clock: Clock) -> set[str]:
    """Routes over which something can be sent now. Cheap: asked many times a second."""
    statement = select(outbox.c.route).where(outbox.c.due_at <= clock.now(), _is_first()).distinct()
    with reading(engine) as connection:
        return set(connection.execute(statement).scalars())


def next_due(engine: Engine) -> datetime | None:
    """When the next row becomes due (past when one is due now); None when nothing waits."""
    statement = select(func.min(outbox.c.due_at)).where(outbox.c.due_at.is_not(None), _is_first())
    with reading(engine) as connection:
        return connection.execute(statement).scalar()


def lease(engine: Engine, routes: Collection[str], *, limit: int, clock: Clock) -> list[Leased]:
    """Take at most `limit` due rows of each of these routes for sending, oldest first. A row whose lease ran out (its
    sender died) is due again; a row behind an unfinished one of the same alert and route is not. What was retracted
    while it was being sent is cancelled instead of taken again."""
    now = clock.now()
    taken: list[Leased] = []
    with writing(engine) as connection:
        for name in sorted(routes):
            due = (
                select(outbox, _is_withdrawn().label("is_withdrawn"))
                .where(outbox.c.route == name, outbox.c.due_at <= now, _is_first())
                .order_by(outbox.c.sequence)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            for row in connection.execute(due).all():
                this = update(outbox).where(outbox.c.sequence == row.sequence)
                if row.is_withdrawn:
                    connection.execute(this.values(**_cancelled("retracted", now)))
                    continue
                connection.execute(
                    this.values(state="sending", due_at=now + LEASE, attempts=row.attempts + 1, token=row.token + 1)
                )
                taken.append(
                    Leased(
                        token=row.token + 1,
                        attempt=row.attempts + 1,
                        leased_until=now + LEASE,
                        message=decode(row.message, Message),
                    )
                )
    return taken


def record(engine: Engine, leased: Leased, delivery: Delivery, *, clock: Clock, random: Callable[[], float]) -> bool:
    """Write down what became of an attempt; what was retracted meanwhile is not tried again. False when the lease was
    lost meanwhile: then the outcome is the next holder's to write, and nothing changes here."""
    now = clock.now()
    values: dict[str, Any] = {"detail": delivery.detail[:1000]}
    if delivery.result == "delivered":
        values |= {"state": "delivered", "due_at": None, "finished_at": now}
    elif delivery.result == "dead" or leased.attempt >= len(RETRIES):
        values |= {"state": "dead", "due_at": None, "finished_at": now}
    else:
        values |= {"state": "retrying", "due_at": now + _wait(leased.attempt, delivery, random)}
    with writing(engine) as connection:
        if values["state"] == "retrying":
            lock_rows(connection, alerts.c.id, [leased.message.alert])  # who retracts it now sees what this writes
            if _was_withdrawn(connection, leased):
                values = _cancelled(f"retracted; {delivery.detail[:900]}", now)
        changed = connection.execute(
            update(outbox).where(_is_held(leased)).values(**values).returning(outbox.c.route)
        ).first()
        if changed is not None and values["state"] == "dead":
            audit.append(
                connection,
                at=now,
                actor="deliver",
                action="delivery-dead",
                subject=leased.message.id,
                detail={"route": changed.route, "detail": values["detail"], "attempt": leased.attempt},
            )
    return changed is not None


def put_back(engine: Engine, leased: Leased, *, clock: Clock) -> None:
    """Return a row unsent: the attempt does not count."""
    with writing(engine) as connection:
        connection.execute(
            update(outbox)
            .where(_is_held(leased))
            .values(
                state="queued" if leased.attempt == 1 else "retrying",
                due_at=clock.now(),
                attempts=outbox.c.attempts - 1,
            )
        )


def is_withdrawn(engine: Engine, leased: Leased) -> bool:
    """Whether the alert was retracted since the message was made, so that it must not be sent any more."""
    with reading(engine) as connection:
        return _was_withdrawn(connection, leased)


def cancel_unsent(connection: Connection, *, alert: str, detail: str, now: datetime, release: str | None = None) -> int:
    """Cancel the rows of an alert that are not being sent and were not delivered, in the caller's transaction; only
    those of one release when given. Corrections go out all the same. Returns how many."""
    wanted = [outbox.c.alert == alert, outbox.c.state.in_(("queued", "retrying")), outbox.c.kind != "retract"]
    if release is not None:
        wanted.append(outbox.c.release == release)
    return connection.execute(update(outbox).where(*wanted).values(**_cancelled(detail, now))).rowcount


def routes_told(connection: Connection, alert: str) -> dict[str, str]:
    """Routes over which an alert has reached, or may have reached, somebody (delivered, being sent, or tried: an answer
    can be lost), with the marking that was last sent over each."""
    return _last_markings(connection, outbox.c.alert == alert, _was_told())


def routes_to_correct(connection: Connection, alert: str) -> dict[str, str]:
    """Those of `routes_told` that do not hear that the alert no longer stands: no correction was made since, or it is
    dead."""
    return _last_markings(connection, outbox.c.alert == alert, _was_told(), ~_is_corrected())


def is_standing(connection: Connection, alert: str) -> bool:
    """Whether something of an alert was said or will be that no correction takes back."""
    stands = exists().where(outbox.c.alert == alert, _is_addressed(), ~_is_corrected())
    return bool(connection.execute(select(stands)).scalar())


def was_tried(connection: Connection, release: str) -> bool:
    """Whether anything that this release let out has reached, or may have reached, somebody."""
    tried = exists().where(outbox.c.release == release, outbox.c.attempts > 0)
    return bool(connection.execute(select(tried)).scalar())


def routes_promised(connection: Connection, alert: str) -> set[str]:
    """Routes over which an alert was or will be told: everything that is neither cancelled nor dead."""
    statement = select(outbox.c.route).where(outbox.c.alert == alert, outbox.c.state.not_in(("cancelled", "dead")))
    return set(connection.execute(statement).scalars())


def routes_addressed(connection: Connection, alert: str) -> set[str]:
    """Routes with a row of the alert that was tried or will be, dead ones too."""
    statement = select(outbox.c.route).where(outbox.c.alert == alert, _is_addressed())
    return set(connection.execute(statement).scalars())


def of_alert(engine: Engine, alert: str) -> list[OutboxRow]:
    """Every row of one alert, in order."""
    columns = [outbox.c[name] for name in OutboxRow.__struct_fields__ if name in outbox.c]
    statement = select(*columns, _can_go_again().label("can_go_again")).where(outbox.c.alert == alert)
    with reading(engine) as connection:
        rows = connection.execute(statement.order_by(outbox.c.sequence).limit(1000))
        return [OutboxRow(**row._asdict()) for row in rows]


def counts(engine: Engine) -> dict[str, int]:
    """Rows by state."""
    with reading(engine) as connection:
        statement = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        return dict(connection.execute(statement).all())


def requeue(engine: Engine, *, row_id: str, by: Person, clock: Clock) -> None:
    """Try a dead row again, because a person has mended what was wrong. One attempt stays counted: it may have reached
    somebody. Raises `Refused` when the alert was retracted or said something later over the same route."""
    if by.role not in {"lead", "engineer"}:
        raise Refused(f"a {by.role} may not send again; a lead or an engineer may")
    this = outbox.c.id == row_id
    with writing(engine) as connection:
        about = connection.execute(select(outbox.c.alert).where(this)).scalars().all()
        lock_rows(connection, alerts.c.id, about)
        row = connection.execute(select(outbox.c.state, _can_go_again().label("can_go_again")).where(this)).first()
        if row is None or row.state != "dead":
            raise Refused("this delivery is not dead")
        if not row.can_go_again:
            raise Refused("the alert was retracted, or said more over this route since: this is not sent any more")
        connection.execute(
            update(outbox).where(this).values(state="retrying", due_at=clock.now(), attempts=1, finished_at=None)
        )
        audit.append(connection, at=clock.now(), actor=by.pseudonym, action="delivery-requeued", subject=row_id)


def _last_markings(connection: Connection, *wanted: ColumnElement[bool]) -> dict[str, str]:
    """The routes of these rows, each with the marking of its last one."""
    statement = select(outbox.c.route, outbox.c.tlp).where(*wanted).order_by(outbox.c.sequence)
    return dict(connection.execute(statement).all())


def _was_told() -> ColumnElement[bool]:
    return or_(outbox.c.state.in_(("delivered", "sending")), outbox.c.attempts > 0)


def _is_addressed() -> ColumnElement[bool]:
    return or_(outbox.c.state != "cancelled", outbox.c.attempts > 0)


def _is_corrected() -> ColumnElement[bool]:
    """A correction over the same route takes the row back, or the row is one. A dead one takes nothing back."""
    correction = outbox.alias("correction")
    return exists().where(
        correction.c.alert == outbox.c.alert,
        correction.c.route == outbox.c.route,
        correction.c.sequence >= outbox.c.sequence,
        correction.c.kind == "retract",
        correction.c.state.not_in(("cancelled", "dead")),
    )


def _can_go_again() -> ColumnElement[bool]:
    later = outbox.alias("later")
    was_overtaken = exists().where(
        later.c.alert == outbox.c.alert,
        later.c.route == outbox.c.route,
        later.c.sequence > outbox.c.sequence,
        later.c.state != "cancelled",
    )
    return and_(outbox.c.state == "dead", ~was_overtaken, ~_is_withdrawn())


def _is_withdrawn() -> ColumnElement[bool]:
    """The machine or a person has retracted the alert since the row was made. The correction itself is not meant."""
    by_machine = exists().where(alerts.c.id == outbox.c.alert, alerts.c.state == "retracted")
    by_person = exists().where(
        releases.c.alert == outbox.c.alert,
        releases.c.action == "retract",
        releases.c.state == "done",
        releases.c.done_at > outbox.c.made_at,
    )
    return and_(outbox.c.kind != "retract", or_(by_machine, by_person))


def _was_withdrawn(connection: Connection, leased: Leased) -> bool:
    statement = select(_is_withdrawn()).select_from(outbox).where(outbox.c.id == leased.message.id)
    return bool(connection.execute(statement).scalar())


def _cancelled(detail: str, now: datetime) -> dict[str, Any]:
    return {"state": "cancelled", "due_at": None, "finished_at": now, "detail": detail}


def _is_first() -> ColumnElement[bool]:
    """No earlier row of the same alert and route is unfinished."""
    earlier = outbox.alias("earlier")
    return ~exists().where(
        earlier.c.alert == outbox.c.alert,
        earlier.c.route == outbox.c.route,
        earlier.c.sequence < outbox.c.sequence,
        earlier.c.due_at.is_not(None),
    )


def _is_held(leased: Leased) -> ColumnElement[bool]:
    return and_(outbox.c.id == leased.message.id, outbox.c.token == leased.token, outbox.c.state == "sending")


def _supersede(connection: Connection, row: dict[str, Any], now: datetime) -> None:
    connection.execute(
        update(outbox)
        .where(
            outbox.c.alert == row["alert"],
            outbox.c.route == row["route"],
            outbox.c.id != row["id"],
            outbox.c.kind.in_(COLLAPSING),
            outbox.c.state.in_(("queued", "retrying")),
        )
        .values(**_cancelled(f"superseded by {row['id']}", now))
    )


def _wait(attempt: int, delivery: Delivery, random: Callable[[], float]) -> timedelta:
    planned = RETRIES[attempt] * (1 - JITTER + 2 * JITTER * random())
    return max(planned, min(delivery.retry_after or timedelta(0), LONGEST_WISH))
