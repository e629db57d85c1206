"""The human gate: an alert leaves after people decided so, and everything that it says later stands on that decision.

Who may (alert-rules.md, section 7): the lead alone; a reviewer's proposal with a second person; a reviewer alone for a
threat against a named person, with a second look within twelve hours; incitement always needs two people. A release
covers the alert until its severity, its marking or the people whom it names change. Only rules with `review = "none"`
leave by themselves, because they name nobody. Shadow alerts never leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, distinct, func, select, update

from alerts.messages import Decision
from desk import audit, outbox
from desk.database.connect import reading, writing
from desk.database.tables import alerts, notices, releases
from desk.database.upsert import insert_absent
from desk.dispatch import Cover, Dispatcher, cover_of, covers
from desk.people import Person
from desk.refusals import Conflict, Refused
from hustings.clock import Clock
from hustings.types import Alert, Assessment, Notice, hash_id
from hustings.wire import decode

if TYPE_CHECKING:
    from hustings.codebook import Codebook

__all__ = [
    "GRACE",
    "Gate",
    "Release",
    "Released",
    "Waiting",
    "count_waiting",
    "decline",
    "follow",
    "gate_of",
    "history",
    "overdue",
    "release",
    "retract",
    "second_look",
    "undo",
    "waiting",
]

GRACE = timedelta(seconds=10)
"""Nothing is sent before it is over, so that an undo within it means that nobody was told (desk.md)."""
SECOND_LOOK = timedelta(hours=12)
"""After a reviewer released a threat alone, a second person looks within this or it shows overdue (R01)."""

BY_RULE = "rule"
DECIDING_ROLES = frozenset({"reviewer", "lead"})
THREAT_CODES = ("G-THR", "A-THREAT", "D3", "D4")
INCITEMENT_CODES = ("H-TOP", "N-INCITE")


class Gate(StrEnum):
    """How many people it takes."""

    ORDINARY = "ordinary"
    THREAT = "threat"
    INCITEMENT = "incitement"


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


class Released(Struct, frozen=True, kw_only=True):
    """What a decision did: `state` is "proposed" while it waits for a second person. `messages` were queued; for each
    partner that is not told, `withheld` says why. `unreachable` routes were told once, and are configured no more."""

    id: str
    state: Literal["proposed", "done"]
    messages: int = 0
    withheld: dict[str, str] = {}
    unreachable: tuple[str, ...] = ()


class Waiting(Struct, frozen=True, kw_only=True):
    """An alert that waits for people: with which unanswered notices, since when, and who has proposed what."""

    alert: Alert
    kinds: tuple[str, ...]
    since: datetime
    proposal: Release | None


def gate_of(alert: Alert, assessments: Sequence[Assessment], codes: Sequence[str]) -> Gate:
    """Which gate an alert goes through, by what its evidence was flagged as and by the `codes` that people give."""
    found = {flag.code for assessment in assessments for flag in assessment.flags} | set(codes)
    if _any_is(found, INCITEMENT_CODES):
        return Gate.INCITEMENT
    names_somebody = bool(cover_of(alert, assessments).targets)
    return Gate.THREAT if names_somebody and _any_is(found, THREAT_CODES) else Gate.ORDINARY


def release(
    engine: Engine,
    *,
    alert_id: str,
    revision: int,
    person: Person,
    codes: tuple[str, ...],
    note: str,
    dispatcher: Dispatcher,
    codebook: Codebook,
    clock: Clock,
) -> Released:
    """Let an alert out, as far as this person may: alone, as the second person of a proposal, or as a proposal.

    `revision` is that of the alert on the page; a newer one is a `Conflict`. Messages of a release wait ten seconds
    (`GRACE`) in the outbox. Raises `Refused` when role, codes or the alert's state do not allow it."""
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
        waits = _waiting_notices(connection, alert_id)
        if not waits:
            raise Refused("nothing of this alert waits for a release")
        cover = cover_of(alert, evidence)
        proposal = _proposal(connection, alert_id, cover)
        gate = gate_of(alert, evidence, codes)
        if not _completes(gate, person, proposal):
            return Released(id=_propose(connection, alert, cover, codes, note, person, now), state="proposed")
        done = _complete(connection, alert, cover, codes, note, person, proposal, now)
        alone_on_threat = proposal is None and person.role != "lead"
        if alone_on_threat:
            due = {"second_review_due": now + SECOND_LOOK}
            connection.execute(update(releases).where(releases.c.id == done.id).values(**due))
        count = _queue_release(connection, dispatcher, alert, waits, evidence, done, now)
        _settle(connection, alert_id, "told", release=done.id)
        detail = {"release": done.id, "revision": revision, "codes": list(codes), "messages": count, "gate": gate.value}
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
        if not _waiting_notices(connection, alert_id):
            raise Refused("nothing of this alert waits for a decision")
        _replace_proposals(connection, alert_id)
        cover = cover_of(alert, ())
        done = _insert(connection, alert, "decline", "done", cover, (), note, person, now)
        _settle(connection, alert_id, "declined", release=done)
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
    """Tell everybody who was told that the alert no longer stands, and cancel what was not sent yet.

    Confirms what the machine withdrew (§3.11), or withdraws what people found to be wrong: the latter is the lead's.
    Corrections wait for nothing. Raises `Refused` when nobody was told."""
    now = clock.now()
    with writing(engine) as connection:
        alert = _stored_in(connection, alert_id)
        if person.role not in DECIDING_ROLES:
            raise Refused(f"a {person.role} may not retract alerts")
        if alert.state != "retracted" and person.role != "lead":
            raise Refused("the rule still stands by this alert; only a lead may retract it")
        outbox.cancel_unsent(connection, alert=alert_id, detail="retracted", now=now)
        told = outbox.routes_told(connection, alert_id)
        if not told:
            raise Refused("nobody was told of this alert; decline it instead")
        machine = [notice for notice in _waiting_notices(connection, alert_id) if notice.kind == "retract"]
        _replace_proposals(connection, alert_id)
        done = _insert(connection, alert, "retract", "done", cover_of(alert, ()), (), note, person, now)
        notice = (
            machine[-1]
            if machine
            else Notice(alert=alert_id, kind="retract", key=f"retract|desk|{done}", at=now, revision=alert.revision)
        )
        decision = Decision(roles=(person.role,), codes=(), at=now)
        messages = dispatcher.retractions(alert, notice, told, decision=decision, note=note, now=now)
        count = outbox.add(connection, messages, release=done, now=now, due_at=now)
        _settle(connection, alert_id, "told", release=done)
        audit.append(
            connection,
            at=now,
            actor=person.pseudonym,
            action="retract",
            subject=alert_id,
            detail={"release": done, "revision": alert.revision, "messages": count, "told": len(told)},
        )
    return Released(id=done, state="done", messages=count, unreachable=tuple(sorted(told.keys() - dispatcher.routes())))


def undo(engine: Engine, *, release_id: str, person: Person, clock: Clock) -> None:
    """Take one's own release back within ten seconds: nothing was sent, the alert waits again."""
    now = clock.now()
    with writing(engine) as connection:
        row = connection.execute(select(releases).where(releases.c.id == release_id)).first()
        if row is None or person.pseudonym not in {row.approved_by, row.proposed_by}:
            raise Refused("this is not a release of yours")
        if row.action != "release" or row.state != "done" or row.done_at is None or now >= row.done_at + GRACE:
            raise Refused("ten seconds are over, or it is no release; retract the alert instead")
        outbox.cancel_unsent(connection, alert=row.alert, detail="release undone", now=now, release=release_id)
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
        row = connection.execute(select(releases).where(releases.c.id == release_id)).first()
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


def waiting(engine: Engine, *, limit: int = 100) -> list[Waiting]:
    """Alerts of which something waits for a decision, the longest waiting first."""
    found: dict[str, list[Row[Any]]] = {}
    with reading(engine) as connection:
        statement = (
            select(notices.c.alert, notices.c.kind, notices.c.recorded_at, alerts.c.value)
            .join(alerts, alerts.c.id == notices.c.alert)
            .where(notices.c.state == "waiting")
            .order_by(notices.c.recorded_at, notices.c.revision)
        )
        for row in connection.execute(statement):
            found.setdefault(row.alert, []).append(row)
        return [
            Waiting(
                alert=decode(rows[0].value, Alert),
                kinds=tuple(row.kind for row in rows),
                since=rows[0].recorded_at,
                proposal=_open_proposal(connection, alert_id),
            )
            for alert_id, rows in list(found.items())[:limit]
        ]


def count_waiting(engine: Engine) -> int:
    """How many alerts wait for a decision."""
    wanted = select(func.count(distinct(notices.c.alert))).where(notices.c.state == "waiting")
    with reading(engine) as connection:
        return connection.execute(wanted).scalar_one()


def history(engine: Engine, alert_id: str) -> list[Release]:
    """Every decision about an alert, oldest first."""
    statement = select(releases).where(releases.c.alert == alert_id).order_by(releases.c.proposed_at, releases.c.id)
    with reading(engine) as connection:
        return [_release(row) for row in connection.execute(statement)]


def overdue(engine: Engine, *, clock: Clock) -> list[Release]:
    """Releases by one reviewer alone whose second look is late."""
    statement = (
        select(releases).where(releases.c.second_review_due <= clock.now()).order_by(releases.c.second_review_due)
    )
    with reading(engine) as connection:
        return [_release(row) for row in connection.execute(statement)]


# ── what follows from a release, called by desk.book in its transaction ──────────────────────────────────────────


def follow(
    connection: Connection,
    dispatcher: Dispatcher,
    alert: Alert,
    made: Sequence[Notice],
    evidence: Mapping[str, Sequence[Assessment]],
    *,
    now: datetime,
) -> None:
    """Answer new notices of an alert in the caller's transaction: send what a release covers, leave the rest waiting.

    `evidence` holds what was read before the transaction began, by alert id; what is missing is read now."""
    if alert.shadow:
        _answer(connection, made, "silent")
        return
    if any(notice.kind == "retract" for notice in made):
        _follow_retraction(connection, alert, made, now)
        return
    assessments = evidence[alert.id] if alert.id in evidence else dispatcher.evidence(alert)
    standing = _standing(connection, alert, assessments, now)
    for notice in sorted(made, key=lambda notice: notice.revision):
        closes = notice.kind in {"resolve", "merge"}
        only = outbox.routes_promised(connection, alert.id) if closes else None
        if standing is not None:
            messages = dispatcher.messages(
                alert, notice, assessments, decision=_decision_of(standing), now=now, only=only
            )
            outbox.add(connection, messages, release=standing.id, now=now, due_at=now)
            _answer(connection, [notice], "told" if messages else "silent", release=standing.id)
        elif closes and not only and not _waiting_notices(connection, alert.id, besides=made):
            _answer(connection, [notice], "silent")  # nobody was told that it began, and nobody is asked whether to


def _follow_retraction(connection: Connection, alert: Alert, made: Sequence[Notice], now: datetime) -> None:
    outbox.cancel_unsent(connection, alert=alert.id, detail="retracted", now=now)
    _replace_proposals(connection, alert.id)
    if outbox.routes_told(connection, alert.id):
        _answer(connection, [notice for notice in made if notice.kind != "retract"], "silent")
        _settle(connection, alert.id, "silent", besides="retract")
    else:
        _settle(connection, alert.id, "silent")


def _standing(
    connection: Connection, alert: Alert, assessments: Sequence[Assessment], now: datetime
) -> Row[Any] | None:
    """The release under which the alert may speak, if there is one."""
    if alert.review == "none":
        return _release_by_rule(connection, alert, now)
    done = (
        select(releases)
        .where(releases.c.alert == alert.id, releases.c.state == "done")
        .order_by(releases.c.done_at.desc(), releases.c.id)
    )
    latest = connection.execute(done).first()
    if latest is None or latest.action != "release":
        return None
    present = cover_of(alert, assessments)
    return latest if covers(msgspec.json.decode(latest.cover, type=Cover), present) else None


def _release_by_rule(connection: Connection, alert: Alert, now: datetime) -> Row[Any]:
    row = {
        "id": hash_id(BY_RULE, alert.id),
        "alert": alert.id,
        "action": "release",
        "state": "done",
        "revision": alert.revision,
        "cover": _encode(cover_of(alert, ())),
        "codes": "[]",
        "note": "",
        "proposed_by": BY_RULE,
        "proposed_role": BY_RULE,
        "proposed_at": now,
        "done_at": now,
    }
    if insert_absent(connection, releases, [row], key=releases.c.id):
        detail = {"release": str(row["id"]), "rule": alert.rule_name}
        audit.append(connection, at=now, actor=BY_RULE, action="release-by-rule", subject=alert.id, detail=detail)
    return connection.execute(select(releases).where(releases.c.id == row["id"])).one()


def _decision_of(row: Row[Any]) -> Decision | None:
    if row.proposed_by == BY_RULE:
        return None
    roles = (
        (row.proposed_role,) if row.approved_by in {None, row.proposed_by} else (row.proposed_role, row.approved_role)
    )
    return Decision(roles=roles, codes=tuple(msgspec.json.decode(row.codes)), at=row.done_at)


# ── the steps of a decision ──────────────────────────────────────────────────────────────────────────────────────


def _completes(gate: Gate, person: Person, proposal: Row[Any] | None) -> bool:
    """Whether this person's word is enough, with the proposal that is open. Raises `Refused` when it adds nothing."""
    if person.role not in DECIDING_ROLES:
        raise Refused(f"a {person.role} may not let alerts out; known are {', '.join(sorted(DECIDING_ROLES))}")
    if proposal is not None and proposal.proposed_by != person.pseudonym:
        return True
    if gate is not Gate.INCITEMENT and (person.role == "lead" or gate is Gate.THREAT):
        return True
    if proposal is not None:
        raise Refused("you have proposed this already; a second person must agree")
    return False


def _propose(
    connection: Connection,
    alert: Alert,
    cover: Cover,
    codes: tuple[str, ...],
    note: str,
    person: Person,
    now: datetime,
) -> str:
    _replace_proposals(connection, alert.id)
    proposed = _insert(connection, alert, "release", "proposed", cover, codes, note, person, now)
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
        _replace_proposals(connection, alert.id)
        done = _insert(connection, alert, "release", "done", cover, codes, note, person, now)
    else:
        done = proposal.id
        agreed = tuple(dict.fromkeys((*msgspec.json.decode(proposal.codes), *codes)))
        notes = "\n".join(filter(None, (proposal.note, note)))
        connection.execute(
            update(releases)
            .where(releases.c.id == done)
            .values(
                state="done",
                revision=alert.revision,
                codes=msgspec.json.encode(agreed).decode(),
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
    """One message a route, with the alert as it is now: for who has not heard of it the opening, else the latest."""
    addressed = outbox.routes_addressed(connection, alert.id)
    opening = next((notice for notice in alert.notices if notice.kind == "open"), waits[0])
    by_route = {name: waits[-1] if name in addressed else opening for name in dispatcher.routes()}
    messages = dispatcher.messages(alert, by_route, evidence, decision=_decision_of(done), now=now)
    queued = {"release": done.id, "now": now, "due_at": now + GRACE}
    return outbox.add(connection, messages, **queued) + outbox.replace_cancelled(connection, messages, **queued)


def _insert(
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
    release_id = hash_id(action, alert.id, person.pseudonym, now.isoformat())
    is_done = state == "done"
    connection.execute(
        releases.insert().values(
            id=release_id,
            alert=alert.id,
            action=action,
            state=state,
            revision=alert.revision,
            cover=_encode(cover),
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


def _proposal(connection: Connection, alert_id: str, cover: Cover) -> Row[Any] | None:
    """The open proposal, if what it proposed is still what the alert says."""
    row = connection.execute(
        select(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed")
    ).first()
    if row is None or not covers(msgspec.json.decode(row.cover, type=Cover), cover):
        return None
    return row


def _open_proposal(connection: Connection, alert_id: str) -> Release | None:
    row = connection.execute(
        select(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed")
    ).first()
    return None if row is None else _release(row)


def _replace_proposals(connection: Connection, alert_id: str) -> None:
    connection.execute(
        update(releases).where(releases.c.alert == alert_id, releases.c.state == "proposed").values(state="replaced")
    )


# ── notices ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _waiting_notices(connection: Connection, alert_id: str, besides: Sequence[Notice] = ()) -> list[Notice]:
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


def _answer(connection: Connection, made: Sequence[Notice], state: str, *, release: str | None = None) -> None:
    ids = [notice.id for notice in made]
    connection.execute(update(notices).where(notices.c.id.in_(ids)).values(state=state, release=release))


def _settle(
    connection: Connection, alert_id: str, state: str, *, besides: str = "", release: str | None = None
) -> None:
    """Answer everything of an alert that waits, except notices of the kind `besides`."""
    connection.execute(
        update(notices)
        .where(notices.c.alert == alert_id, notices.c.state == "waiting", notices.c.kind != besides)
        .values(state=state, release=release)
    )


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stored(engine: Engine, alert_id: str) -> Alert:
    with reading(engine) as connection:
        return _stored_in(connection, alert_id)


def _stored_in(connection: Connection, alert_id: str) -> Alert:
    raw = connection.execute(select(alerts.c.value).where(alerts.c.id == alert_id).with_for_update()).scalar()
    if raw is None:
        raise Refused(f"there is no alert {alert_id!r}")
    return decode(raw, Alert)


def _alert_on_page(connection: Connection, alert_id: str, revision: int) -> Alert:
    alert = _stored_in(connection, alert_id)
    if alert.revision != revision:
        raise Conflict(f"the alert changed while you read it: revision {alert.revision}, you saw {revision}")
    return alert


def _release(row: Row[Any]) -> Release:
    values = {name: getattr(row, name) for name in Release.__struct_fields__}
    return Release(**{**values, "codes": tuple(msgspec.json.decode(row.codes))})


def _encode(cover: Cover) -> str:
    return msgspec.json.encode(cover).decode()


def _any_is(codes: set[str], wanted: Sequence[str]) -> bool:
    return any(code == want or code.startswith(f"{want}-") for code in codes for want in wanted)
