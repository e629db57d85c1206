"""Decisions about alerts as they stand in the database: proposed, done, replaced, undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, Row, exists, func, literal, select, update

from alerts.messages import Decision
from desk.database.connect import reading
from desk.database.tables import releases
from desk.dispatch import Cover, covers
from desk.people import Person
from hustings.types import Alert, hash_id

__all__ = [
    "BY_RULE",
    "GRACE",
    "Release",
    "decision_of",
    "encode_cover",
    "history",
    "insert_decision",
    "is_retracted_by_people",
    "may_leave_at",
    "open_proposal",
    "proposal_for",
    "release_of",
    "replace_proposals",
    "retracted_by_people",
    "standing_release",
    "was_retracted",
]

BY_RULE = "rule"
"""Stands for the person where a rule waives the human gate."""
GRACE = timedelta(seconds=10)
"""Nothing is sent under a person's release before it is over, so that an undo within it means that nobody was told."""


class Release(Struct, frozen=True, kw_only=True):
    """One decision about an alert, proposed or done: let out, declined, retracted."""

    id: str
    alert: str
    action: Literal["release", "retract", "decline"]
    state: Literal["proposed", "done", "replaced", "undone"]
    revision: int
    codes: tuple[str, ...]
    note: str
    proposed_by: str
    proposed_role: str
    proposed_at: datetime
    approved_by: str | None
    approved_role: str | None
    done_at: datetime | None
    second_review_due: datetime | None


def history(engine: Engine, alert_id: str) -> list[Release]:
    """Every decision about an alert, oldest first."""
    statement = select(releases).where(releases.c.alert == alert_id).order_by(releases.c.proposed_at, releases.c.id)
    with reading(engine) as connection:
        return [release_of(row) for row in connection.execute(statement)]


def decision_of(row: Row[Any]) -> Decision | None:
    """What a message says of this decision: roles, codes, time; None where a rule made it."""
    if row.proposed_by == BY_RULE:
        return None
    roles = (
        (row.proposed_role,) if row.approved_by in {None, row.proposed_by} else (row.proposed_role, row.approved_role)
    )
    return Decision(roles=roles, codes=tuple(msgspec.json.decode(row.codes)), at=row.done_at)


def standing_release(connection: Connection, alert_id: str) -> Row[Any] | None:
    """The release under which an alert speaks, if what was decided last is one. What a person decided goes before what
    a rule lets out: after a lead's retraction a rule that names nobody is silent too. Of decisions at the same instant
    the one against sending goes first."""
    latest = connection.execute(
        select(releases)
        .where(releases.c.alert == alert_id, releases.c.state == "done")
        .order_by(releases.c.proposed_by == BY_RULE, releases.c.done_at.desc(), releases.c.action == "release")
    ).first()
    return latest if latest is not None and latest.action == "release" else None


def was_retracted(connection: Connection, alert_id: str) -> bool:
    """Whether a person has ever retracted the alert."""
    retraction = (releases.c.alert == alert_id, releases.c.action == "retract", releases.c.state == "done")
    return connection.execute(select(releases.c.id).where(*retraction).limit(1)).first() is not None


def is_retracted_by_people(connection: Connection, alert_id: str) -> bool:
    """Whether people retracted the alert and have not let it out again since."""
    return bool(connection.execute(select(retracted_by_people(literal(alert_id)))).scalar())


def retracted_by_people(alert_id: ColumnElement[str]) -> ColumnElement[bool]:
    """`is_retracted_by_people` as part of a statement. What was declined after a retraction was never said."""
    retraction, later = releases.alias("retraction"), releases.alias("later")
    again = exists().where(
        later.c.alert == retraction.c.alert,
        later.c.action == "release",
        later.c.state == "done",
        later.c.proposed_by != BY_RULE,
        later.c.done_at > retraction.c.done_at,
    )
    return exists().where(
        retraction.c.alert == alert_id, retraction.c.action == "retract", retraction.c.state == "done", ~again
    )


def may_leave_at(release: Row[Any], now: datetime) -> datetime:
    """When what is said now under this release may be sent: once the person who made it cannot undo it any more."""
    return now if release.proposed_by == BY_RULE else max(now, release.done_at + GRACE)


def insert_decision(
    connection: Connection,
    alert: Alert,
    action: str,
    state: str,
    cover: Cover,
    codes: tuple[str, ...],
    note: str,
    person: Person,
    now: datetime,
) -> str:
    """Write a decision of one person and return its id."""
    before = select(func.count()).select_from(releases).where(releases.c.alert == alert.id)
    release_id = hash_id("decision", alert.id, str(connection.execute(before).scalar_one()))
    is_done = state == "done"
    connection.execute(
        releases.insert().values(
            id=release_id,
            alert=alert.id,
            action=action,
            state=state,
            revision=alert.revision,
            cover=encode_cover(cover),
            codes=msgspec.json.encode(codes).decode(),
            note=note,
            proposed_by=person.pseudonym,
            proposed_role=person.role,
            proposed_at=now,
            approved_by=person.pseudonym if is_done else None,
            approved_role=person.role if is_done else None,
            done_at=now if is_done else None,
        )
    )
    return release_id


def proposal_for(connection: Connection, alert_id: str, cover: Cover) -> Row[Any] | None:
    """The open proposal, if what it proposed is still what the alert says."""
    row = connection.execute(
        select(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed")
    ).first()
    if row is None or not covers(msgspec.json.decode(row.cover, type=Cover), cover):
        return None
    return row


def open_proposal(connection: Connection, alert_id: str) -> Release | None:
    """The open proposal of an alert, whatever the alert says by now."""
    row = connection.execute(
        select(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed")
    ).first()
    return None if row is None else release_of(row)


def replace_proposals(connection: Connection, alert_id: str) -> None:
    """End the open proposal of an alert: somebody decided, or the alert is another one now."""
    connection.execute(
        update(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed").values(state="replaced")
    )


def release_of(row: Row[Any]) -> Release:
    """A row as the desk shows it."""
    values = {name: getattr(row, name) for name in Release.__struct_fields__}
    return Release(**{**values, "codes": tuple(msgspec.json.decode(row.codes))})


def encode_cover(cover: Cover) -> str:
    """A cover as the database keeps it."""
    return msgspec.json.encode(cover).decode()
