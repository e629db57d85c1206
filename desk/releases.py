"""The human gate: an alert leaves after people decided so, and everything that it says later stands on that decision.

Who may: the lead alone; a reviewer's proposal with a second person; a reviewer alone for a
threat against a named person, with a second look within twelve hours; incitement always needs two people. A release
covers the alert until its severity, its marking or the people whom it names change. Only rules with `review = "none"`
leave by themselves, because they name nobody. Shadow alerts never leave."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, select, update

from alerts.messages import Decision
from desk import audit, outbox
from desk.database.connect import reading, writing
from desk.database.locks import lock_rows
from desk.database.tables import alerts, notices, releases
from desk.decisions import (
    GRACE,
    decision_of,
    encode_cover,
    insert_decision,
    may_leave_at,
    open_proposal,
    proposal_for,
    replace_proposals,
    standing_release,
    was_retracted,
)
from desk.dispatch import Cover, Dispatcher, cover_hash, cover_of
from desk.gate import DECIDING_ROLES, gate_of, is_enough
from desk.notices import settle, waiting_notices
from desk.people import Person
from desk.refusals import Conflict, Refused
from hustings.clock import Clock
from hustings.types import Alert, Assessment, Notice
from hustings.wire import decode

if TYPE_CHECKING:
    from hustings.codebook import Codebook

__all__ = [
    "Released",
    "decline",
    "is_out",
    "notice_by_route",
    "release",
    "retract",
    "second_look",
    "undo",
]

SECOND_LOOK = timedelta(hours=12)
"""After a reviewer released a threat alone, a second person looks within this or it shows overdue."""


class Released(Struct, frozen=True, kw_only=True):
    """What a decision did: `state` is "proposed" while it waits for a second person. `messages` were queued; for each
    partner that is not told, `withheld` says why. `unreachable` routes were told once, and are configured no more."""

    id: str
    state: Literal["proposed", "done"]
    messages: int = 0
    withheld: dict[str, str] = {}
    unreachable: tuple[str, ...] = ()


def release(
    engine: Engine,
    *,
    alert_id: str,
    revision: int,
    seen: str,
    person: Person,
    codes: tuple[str, ...],
    note: str,
    dispatcher: Dispatcher,
    codebook: Codebook,
    clock: Clock,
) -> Released:
    """Let an alert out, as far as this person may: alone, as the second person of a proposal, or as a proposal.

    `revision` is that of the alert on the page, `seen` the `cover_hash` of what it showed; if either is another by
    now, that is a `Conflict`: posts that name more people join an alert without a new revision. Messages of a release
    wait ten seconds (`GRACE`) in the outbox. The codes of an open proposal count with `codes`: a form without them
    takes none back. Raises `Refused` when role, codes or the alert's state do not allow it."""
    for code in codes:
        if not codebook.is_known(code):
            raise Refused(f"the codebook {codebook.version} has no code {code!r}")
    evidence = dispatcher.evidence(_stored(engine, alert_id))
    now = clock.now()
    with writing(engine) as connection:
        alert = _alert_on_page(connection, alert_id, revision)
        if alert.shadow:
            raise Refused("the rule of this alert is in shadow: it delivers nothing")
        if alert.state == "retracted":
            raise Refused("this alert was retracted; there is nothing to let out")
        waits = waiting_notices(connection, alert_id)
        if not waits:
            raise Refused("nothing of this alert waits for a release")
        cover = cover_of(alert, evidence)
        if cover_hash(cover) != seen:
            raise Conflict("the alert changed while you read it: its severity, its marking or whom it names")
        former = open_proposal(connection, alert_id)  # its codes hold though the alert has changed since
        agreed = tuple(dict.fromkeys((*(former.codes if former else ()), *codes)))
        proposal = proposal_for(connection, alert_id, cover)
        gate = gate_of(alert, evidence, agreed)
        if not is_enough(gate, person, proposed_by=None if proposal is None else proposal.proposed_by):
            return Released(id=_propose(connection, alert, cover, agreed, note, person, now), state="proposed")
        done = _complete(connection, alert, cover, agreed, note, person, proposal, now)
        is_alone = done.proposed_by == done.approved_by and person.role != "lead"
        if is_alone:
            due = {"second_review_due": now + SECOND_LOOK}
            connection.execute(update(releases).where(releases.c.id == done.id).values(**due))
        count = _queue_release(connection, dispatcher, alert, waits, evidence, done, now)
        settle(connection, alert_id, "told", release=done.id)
        detail = {
            "release": done.id,
            "revision": revision,
            "codes": list(agreed),
            "messages": count,
            "gate": gate.value,
        }
        audit.append(connection, at=now, actor=person.pseudonym, action="release", subject=alert_id, detail=detail)
    reasons = dispatcher.withheld(alert, evidence)
    return Released(
        id=done.id,
        state="done",
        messages=count,
        withheld={partner: reason for partner, reason in reasons.items() if reason is not None},
    )


def decline(engine: Engine, *, alert_id: str, revision: int, person: Person, note: str, clock: Clock) -> Released:
    """Keep an alert in the house: what waits of it is answered, nobody is told. Later notices wait again. The lead
    alone; a reviewer where nothing of the alert was sent yet."""
    now = clock.now()
    with writing(engine) as connection:
        alert = _alert_on_page(connection, alert_id, revision)
        if person.role not in DECIDING_ROLES:
            raise Refused(f"a {person.role} may not decide on alerts")
        if person.role != "lead" and outbox.routes_told(connection, alert_id):
            raise Refused("partners were told of this alert; only a lead may decline its update")
        if not waiting_notices(connection, alert_id):
            raise Refused("nothing of this alert waits for a decision")
        replace_proposals(connection, alert_id)
        cover = cover_of(alert, ())
        done = insert_decision(connection, alert, "decline", "done", cover, (), note, person, now)
        settle(connection, alert_id, "declined", release=done)
        audit.append(
            connection,
            at=now,
            actor=person.pseudonym,
            action="decline",
            subject=alert_id,
            detail={"release": done, "revision": revision},
        )
    return Released(id=done, state="done")


def retract(
    engine: Engine, *, alert_id: str, person: Person, note: str, dispatcher: Dispatcher, clock: Clock
) -> Released:
    """Tell everybody who was told that the alert no longer stands, and cancel what was not sent yet; nothing of it
    leaves by itself any more. Where nobody was told, or everybody is told so already, no message is made.

    Confirms what the machine withdrew, or withdraws what people found to be wrong: the latter is the lead's.
    Corrections wait for nothing. Somebody else's retraction is the second look at a threat that one person let out.
    Raises `Refused` when nothing of the alert was let out, or nothing since it was retracted: a form that is sent
    twice tells nobody twice."""
    now = clock.now()
    with writing(engine) as connection:
        alert = _locked(connection, alert_id)
        if person.role not in DECIDING_ROLES:
            raise Refused(f"a {person.role} may not retract alerts")
        if alert.state != "retracted" and person.role != "lead":
            raise Refused("the rule still stands by this alert; only a lead may retract it")
        machine = [notice for notice in waiting_notices(connection, alert_id) if notice.kind == "retract"]
        if not machine and not is_out(connection, alert_id):
            if was_retracted(connection, alert_id):
                raise Refused(
                    "this alert is retracted already: everybody who was told is told that it no longer stands"
                )
            raise Refused("nothing of this alert was let out; decline it instead")
        stopped = outbox.cancel_unsent(connection, alert=alert_id, detail="retracted", now=now)
        told = outbox.routes_to_correct(connection, alert_id)
        replace_proposals(connection, alert_id)
        done = insert_decision(connection, alert, "retract", "done", cover_of(alert, ()), (), note, person, now)
        notice = (
            machine[-1]
            if machine
            else Notice(alert=alert_id, kind="retract", key=f"retract|desk|{done}", at=now, revision=alert.revision)
        )
        decision = Decision(roles=(person.role,), codes=(), at=now)
        messages = dispatcher.retractions(alert, notice, told, decision=decision, note=note, now=now)
        count = outbox.add(connection, messages, release=done, now=now, due_at=now)
        settle(connection, alert_id, "told" if told else "silent", release=done)
        alone = (releases.c.alert == alert_id, releases.c.second_review_due.is_not(None))
        by_others = (releases.c.proposed_by != person.pseudonym, releases.c.approved_by != person.pseudonym)
        connection.execute(update(releases).where(*alone, *by_others).values(second_review_due=None))
        counts = {"messages": count, "told": len(told), "cancelled": stopped}
        audit.append(
            connection,
            at=now,
            actor=person.pseudonym,
            action="retract",
            subject=alert_id,
            detail={"release": done, "revision": alert.revision, **counts},
        )
    return Released(id=done, state="done", messages=count, unreachable=tuple(sorted(told.keys() - dispatcher.routes())))


def undo(engine: Engine, *, release_id: str, person: Person, clock: Clock) -> None:
    """Take one's own release back within ten seconds: nothing was sent, the alert waits again. Raises `Refused` when
    something was sent after all, by a machine whose clock is ahead of this one's."""
    now = clock.now()
    with writing(engine) as connection:
        row = _locked_release(connection, release_id)
        if row is None or person.pseudonym not in {row.approved_by, row.proposed_by}:
            raise Refused("this is not a release of yours")
        if row.action != "release" or row.state != "done" or row.done_at is None or now >= row.done_at + GRACE:
            raise Refused("ten seconds are over, or it is no release; retract the alert instead")
        outbox.cancel_unsent(connection, alert=row.alert, detail="release undone", now=now, release=release_id)
        if outbox.was_tried(connection, release_id):  # asked once nothing of it can be leased any more
            raise Refused("it is being sent already; retract the alert instead")
        values = {"state": "undone", "second_review_due": None}
        connection.execute(update(releases).where(releases.c.id == release_id).values(**values))
        connection.execute(update(notices).where(notices.c.release == release_id).values(state="waiting", release=None))
        audit.append(
            connection,
            at=now,
            actor=person.pseudonym,
            action="release-undone",
            subject=row.alert,
            detail={"release": release_id},
        )


def second_look(engine: Engine, *, release_id: str, person: Person, note: str, clock: Clock) -> None:
    """Record that a second person looked at a threat which one reviewer released alone."""
    now = clock.now()
    with writing(engine) as connection:
        row = _locked_release(connection, release_id)
        if row is None or row.second_review_due is None:
            raise Refused("this release waits for no second look")
        if person.role not in DECIDING_ROLES or person.pseudonym in {row.proposed_by, row.approved_by}:
            raise Refused("the second look is another reviewer's or the lead's")
        connection.execute(update(releases).where(releases.c.id == release_id).values(second_review_due=None))
        audit.append(
            connection,
            at=now,
            actor=person.pseudonym,
            action="second-look",
            subject=row.alert,
            detail={"release": release_id, "note": note},
        )


def is_out(connection: Connection, alert_id: str) -> bool:
    """Whether there is something to retract: something of the alert was sent or will be and is not taken back, or a
    release lets it speak."""
    return outbox.is_standing(connection, alert_id) or standing_release(connection, alert_id) is not None


def notice_by_route(
    connection: Connection, alert: Alert, waits: Sequence[Notice], routes: Collection[str]
) -> dict[str, Notice]:
    """Which notice each route hears of when what waits is let out: the opening over a route where nothing of the alert
    was tried yet, else the latest."""
    addressed = outbox.routes_addressed(connection, alert.id)
    opening = next((notice for notice in alert.notices if notice.kind == "open"), waits[0])
    return {name: waits[-1] if name in addressed else opening for name in routes}


# ── the steps of a decision ──────────────────────────────────────────────────────────────────────────────────────


def _propose(
    connection: Connection,
    alert: Alert,
    cover: Cover,
    codes: tuple[str, ...],
    note: str,
    person: Person,
    now: datetime,
) -> str:
    replace_proposals(connection, alert.id)
    proposed = insert_decision(connection, alert, "release", "proposed", cover, codes, note, person, now)
    audit.append(
        connection,
        at=now,
        actor=person.pseudonym,
        action="release-proposed",
        subject=alert.id,
        detail={"release": proposed, "revision": alert.revision, "codes": list(codes)},
    )
    return proposed


def _complete(
    connection: Connection,
    alert: Alert,
    cover: Cover,
    codes: tuple[str, ...],
    note: str,
    person: Person,
    proposal: Row[Any] | None,
    now: datetime,
) -> Row[Any]:
    if proposal is None or proposal.proposed_by == person.pseudonym:
        replace_proposals(connection, alert.id)
        done = insert_decision(connection, alert, "release", "done", cover, codes, note, person, now)
    else:
        done = proposal.id
        notes = "\n".join(filter(None, (proposal.note, note)))
        connection.execute(
            update(releases)
            .where(releases.c.id == done)
            .values(
                state="done",
                revision=alert.revision,
                cover=encode_cover(cover),  # what both have seen; the proposal may have named more
                codes=msgspec.json.encode(codes).decode(),
                note=notes,
                approved_by=person.pseudonym,
                approved_role=person.role,
                done_at=now,
            )
        )
    return connection.execute(select(releases).where(releases.c.id == done)).one()


def _queue_release(
    connection: Connection,
    dispatcher: Dispatcher,
    alert: Alert,
    waits: Sequence[Notice],
    evidence: Sequence[Assessment],
    done: Row[Any],
    now: datetime,
) -> int:
    """One message a route, with the alert as it is now."""
    by_route = notice_by_route(connection, alert, waits, dispatcher.routes())
    messages = dispatcher.messages(alert, by_route, evidence, decision=decision_of(done), now=now)
    queued = {"release": done.id, "now": now, "due_at": may_leave_at(done, now)}
    return outbox.add(connection, messages, **queued) + outbox.replace_cancelled(connection, messages, **queued)


def _locked_release(connection: Connection, release_id: str) -> Row[Any] | None:
    """The decision as it stands, its alert locked: what follows from an alert's notices looks at its decisions."""
    wanted = select(releases).where(releases.c.id == release_id)
    row = connection.execute(wanted).first()
    if row is None:
        return None
    lock_rows(connection, alerts.c.id, [row.alert])
    return connection.execute(wanted).first()


def _stored(engine: Engine, alert_id: str) -> Alert:
    with reading(engine) as connection:
        return _stored_in(connection, alert_id)


def _locked(connection: Connection, alert_id: str) -> Alert:
    lock_rows(connection, alerts.c.id, [alert_id])
    return _stored_in(connection, alert_id)


def _stored_in(connection: Connection, alert_id: str) -> Alert:
    raw = connection.execute(select(alerts.c.value).where(alerts.c.id == alert_id)).scalar()
    if raw is None:
        raise Refused(f"there is no alert {alert_id!r}")
    return decode(raw, Alert)


def _alert_on_page(connection: Connection, alert_id: str, revision: int) -> Alert:
    alert = _locked(connection, alert_id)
    if alert.revision != revision:
        raise Conflict(f"the alert changed while you read it: revision {alert.revision}, you saw {revision}")
    return alert
