"""One alert: why it exists, what it rests on, what each partner would read, and the decision about it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.responses import Response

from alerts.messages import Decision
from desk import book, decisions, outbox, releases
from desk.database.connect import reading
from desk.decisions import Release
from desk.dispatch import cover_hash, cover_of
from desk.gate import Gate, gate_of
from desk.refusals import Conflict, Refused
from desk.web.groups import group_words
from desk.web.notices import NOTICES
from desk.web.posts import brief
from desk.web.undoing import release_to_undo
from desk.web.visit import NotFound, Visit
from hustings.contracts import Message
from hustings.types import Alert, Assessment, Notice

__all__ = ["decline", "release", "requeue", "retract", "second_look", "show", "undo"]

EVIDENCE = 10
"""Posts of the evidence on the page, the latest ones first."""


class Prospect(Struct, frozen=True, kw_only=True):
    """What this person's word would do to what waits."""

    does: str
    """`release` lets it out, `propose` asks a second person, `wait` adds nothing."""
    why: str


class Written(Struct, frozen=True, kw_only=True):
    """What stands in the fields: those of the release, why to decline, what partners should know of a retraction."""

    codes: str = ""
    note: str = ""
    decline: str = ""
    retract: str = ""


NOTHING_YET = Written()


def show(visit: Visit) -> Response:
    """The whole page."""
    return _page(visit, _alert(visit))


def release(visit: Visit) -> Response:
    """Let it out, agree to a proposal, or propose: whichever this person may."""
    alert = _alert(visit)
    written = Written(codes=visit.form.one("codes"), note=visit.form.one("note"))
    codes = tuple(code.strip().upper() for code in visit.form.one("codes").replace(",", " ").split())
    try:
        done = releases.release(
            visit.services.engine,
            alert_id=alert.id,
            revision=visit.form.number("revision"),
            seen=visit.form.one("seen"),
            person=visit.person,
            codes=codes,
            note=written.note.strip(),
            dispatcher=visit.shared.dispatcher,
            codebook=visit.services.codebook,
            clock=visit.services.clock,
        )
    except Conflict as conflict:
        return _page(visit, _alert(visit), problem=str(conflict), written=written, status=409)
    except Refused as refusal:  # a code mistyped: what was written must not be lost
        return _page(visit, _alert(visit), problem=str(refusal), written=written, status=400)
    if done.state == "proposed":
        return visit.go(f"/alerts/{alert.id}?said=proposed")
    return visit.go(f"/alerts/{alert.id}?said=released")


def decline(visit: Visit) -> Response:
    """Keep it in the house."""
    alert, note = _alert(visit), visit.form.one("note")
    try:
        releases.decline(
            visit.services.engine,
            alert_id=alert.id,
            revision=visit.form.number("revision"),
            person=visit.person,
            note=note.strip(),
            clock=visit.services.clock,
        )
    except Conflict as conflict:
        return _page(visit, _alert(visit), problem=str(conflict), written=Written(decline=note), status=409)
    except Refused as refusal:
        return _page(visit, _alert(visit), problem=str(refusal), written=Written(decline=note), status=400)
    return visit.go(f"/alerts/{alert.id}?said=declined")


def retract(visit: Visit) -> Response:
    """Tell everybody who was told that it no longer stands."""
    alert, note = _alert(visit), visit.form.one("note")
    try:
        releases.retract(
            visit.services.engine,
            alert_id=alert.id,
            person=visit.person,
            note=note.strip(),
            dispatcher=visit.shared.dispatcher,
            clock=visit.services.clock,
        )
    except Refused as refusal:
        return _page(visit, _alert(visit), problem=str(refusal), written=Written(retract=note), status=400)
    return visit.go(f"/alerts/{alert.id}?said=retracted")


def undo(visit: Visit) -> Response:
    """Take back one's own release before anything was sent."""
    releases.undo(
        visit.services.engine, release_id=visit.form.one("release"), person=visit.person, clock=visit.services.clock
    )
    return visit.go(f"/alerts/{visit.path('id')}?said=undone")


def second_look(visit: Visit) -> Response:
    """Record that a second person looked at a threat which one reviewer let out alone."""
    releases.second_look(
        visit.services.engine,
        release_id=visit.form.one("release"),
        person=visit.person,
        note=visit.form.one("note").strip(),
        clock=visit.services.clock,
    )
    return visit.go(f"/alerts/{visit.path('id')}?said=looked")


def requeue(visit: Visit) -> Response:
    """Send a dead delivery again."""
    outbox.requeue(
        visit.services.engine, row_id=visit.form.one("delivery"), by=visit.person, clock=visit.services.clock
    )
    return visit.go(f"/alerts/{visit.path('id')}?said=requeued")


_SAID = {
    "proposed": "Your proposal stands. A second person must agree before anything leaves.",
    "released": "Released. Messages leave in ten seconds.",
    "declined": "Declined. Nobody is told of what waited.",
    "retracted": "Retracted. Everybody who was told is told that it no longer stands.",
    "undone": "Taken back. Nothing was sent; the alert waits again.",
    "looked": "Your second look is recorded.",
    "requeued": "It will be sent again now.",
}


def _alert(visit: Visit) -> Alert:
    found = book.alert(visit.services.engine, visit.path("id"))
    if found is None:
        raise NotFound("there is no such alert")
    return found


def _page(
    visit: Visit, alert: Alert, *, problem: str = "", written: Written = NOTHING_YET, status: int = 200
) -> Response:
    services, dispatcher = visit.services, visit.shared.dispatcher
    evidence = dispatcher.evidence(alert)
    notices = book.alert_notices(services.engine, alert.id)
    history = decisions.history(services.engine, alert.id)
    deliveries = outbox.of_alert(services.engine, alert.id)
    waits = [notice for notice, state in notices if state == "waiting"]
    cover = cover_of(alert, evidence)
    undo = release_to_undo(visit, history)
    retract_waits = any(notice.kind == "retract" for notice in waits)
    rule = services.rules.get(alert.rule)
    with reading(services.engine) as connection:
        proposed = decisions.open_proposal(connection, alert.id)
        holds = decisions.proposal_for(connection, alert.id, cover) is not None
        is_out = releases.is_out(connection, alert.id)
        by_people = decisions.is_retracted_by_people(connection, alert.id)
        to_correct = outbox.routes_to_correct(connection, alert.id)
    codes = proposed.codes if proposed else ()
    proposal = proposed if holds else None
    gate = gate_of(alert, evidence, codes)
    people = {person.id: person.name for person in services.roster.people}
    names = {partner.id: partner.name for partner in services.partners}
    return visit.answer(
        "alert.html",
        status=status,
        problem=problem,
        written=written,
        kinds=NOTICES,
        said=_SAID["released"] if undo else _SAID.get(visit.query("said"), ""),
        undo=undo,
        alert=alert,
        about=group_words(alert, services.roster, services.codebook),
        rule=rule,
        is_other_logic=rule is not None and rule.logic != alert.logic,
        notices=notices,
        waits=waits,
        proposed=proposed,
        proposal=proposal,
        gate=gate.value,
        seen=cover_hash(cover),
        named=[people.get(target, target) for target in cover.targets],
        prospect=_prospect(visit, gate, proposal),
        previews=_previews(visit, alert, waits, evidence, proposal, codes) if waits and not alert.shadow else [],
        partner_names=names,
        withheld={
            names.get(partner, partner): reason
            for partner, reason in dispatcher.withheld(alert, evidence).items()
            if reason is not None
        },
        evidence=[brief(assessment) for assessment in reversed(evidence[-EVIDENCE:])],
        evidence_known=len(evidence),
        history=history,
        shows_people=visit.person.role == "lead",
        second_looks=[decision for decision in history if decision.second_review_due is not None],
        deliveries=deliveries,
        may_retract=(is_out or retract_waits) and (visit.person.role == "lead" or alert.state == "retracted"),
        to_correct=sorted(to_correct),
        retract_waits=retract_waits,
        retracted_by_people=by_people,
    )


def _prospect(visit: Visit, gate: Gate, proposal: Release | None) -> Prospect:
    """In words what `desk.releases` will do with this person's word; it decides again when the form comes."""
    person = visit.person
    if proposal is not None and proposal.proposed_by != person.pseudonym:
        return Prospect(does="release", why=f"A {proposal.proposed_role} proposed it; you are the second person.")
    if gate is Gate.INCITEMENT:
        if proposal is not None:
            return Prospect(does="wait", why="Incitement takes two people; a second one must agree.")
        return Prospect(does="propose", why="Incitement takes two people, whoever they are.")
    if person.role == "lead":
        return Prospect(does="release", why="As lead you may let it out alone.")
    if gate is Gate.THREAT:
        return Prospect(
            does="release", why="A threat against a named person: you may let it out alone; a second look follows."
        )
    if proposal is not None:
        return Prospect(does="wait", why="You have proposed it; a second person must agree.")
    return Prospect(does="propose", why="A reviewer proposes, a second person agrees.")


def _previews(
    visit: Visit,
    alert: Alert,
    waits: Sequence[Notice],
    evidence: Sequence[Assessment],
    proposal: Release | None,
    codes: tuple[str, ...],
) -> list[Message]:
    """The messages as a release by this person would make them now, one a route. `codes` were proposed."""
    dispatcher, now = visit.shared.dispatcher, visit.services.clock.now()
    with reading(visit.services.engine) as connection:
        by_route = releases.notice_by_route(connection, alert, waits, dispatcher.routes())
    others = proposal is not None and proposal.proposed_by != visit.person.pseudonym
    roles = (proposal.proposed_role, visit.person.role) if proposal and others else (visit.person.role,)
    decision = Decision(roles=roles, codes=codes, at=now)
    return dispatcher.messages(alert, by_route, evidence, decision=decision, now=now)
