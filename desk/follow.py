"""What follows by itself when `watch` records a notice: sent under a standing release, or left waiting for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row

from desk import outbox
from desk.database.tables import releases
from desk.database.upsert import insert_absent
from desk.decisions import BY_RULE, decision_of, encode_cover, may_leave_at, replace_proposals, standing_release
from desk.dispatch import Cover, Dispatcher, cover_of, covers
from desk.notices import answer, settle, waiting_notices
from hustings.types import Alert, Assessment, Notice, hash_id

__all__ = ["ByRule", "follow"]


class ByRule(Struct, frozen=True, kw_only=True):
    """A release that no person made: the rule waives the human gate."""

    id: str
    alert: str
    rule: str


def follow(
    connection: Connection,
    dispatcher: Dispatcher,
    alert: Alert,
    made: Sequence[Notice],
    evidence: Mapping[str, Sequence[Assessment]],
    *,
    now: datetime,
) -> list[ByRule]:
    """Answer new notices of an alert in the caller's transaction: send what a release covers, leave the rest waiting.

    `evidence` holds what was read before the transaction began, by alert id; what is missing is read now. Returns the
    releases that the alert's rule made by itself; the caller writes them into the audit chain, behind all alerts."""
    if alert.shadow:
        answer(connection, made, "silent")
        return []
    if alert.state == "retracted":
        _follow_retraction(connection, alert, now)
        return []
    made = _still_said(connection, alert, made, now)
    let_out = _release_by_rule(connection, alert, now) if alert.review == "none" else []
    standing = standing_release(connection, alert.id)
    assessments: Sequence[Assessment] = ()
    if standing is not None:  # an alert that waits for people costs the index nothing
        assessments = evidence[alert.id] if alert.id in evidence else dispatcher.evidence(alert)
        if alert.review != "none" and not _covers(standing, alert, assessments):
            standing = None
    for place, notice in enumerate(made):
        closes = notice.kind in {"resolve", "merge"}
        only = outbox.routes_promised(connection, alert.id) if closes else None
        if standing is not None:
            messages = dispatcher.messages(
                alert, notice, assessments, decision=decision_of(standing), now=now, only=only
            )
            outbox.add(connection, messages, release=standing.id, now=now, due_at=may_leave_at(standing, now))
            answer(connection, [notice], "told" if messages else "silent", release=standing.id)
        elif closes and not only and not waiting_notices(connection, alert.id, besides=made[place:]):
            answer(connection, [notice], "silent")  # nobody was told that it began, and nobody is asked whether to
    return let_out


def _follow_retraction(connection: Connection, alert: Alert, now: datetime) -> None:
    """The alert is withdrawn: where somebody was told and does not hear so already, its last withdrawal waits for a
    person; nothing else does."""
    _take_back(connection, alert, now)
    told = outbox.routes_to_correct(connection, alert.id)
    settle(connection, alert.id, "silent", besides=_withdrawals(connection, alert)[-1:] if told else ())


def _still_said(connection: Connection, alert: Alert, made: Sequence[Notice], now: datetime) -> list[Notice]:
    """What of these notices is still to be answered, in order, now that the alert stands: whatever was withdrawn on the
    way, in this step or before it with nobody having confirmed it, came back, and partners never hear of it."""
    made = sorted(made, key=lambda notice: notice.revision)
    withdrawn = max((place for place, notice in enumerate(made, 1) if notice.kind == "retract"), default=0)
    if withdrawn:  # what waited and what was not sent yet fell with it, as in a step that ends with the withdrawal
        _take_back(connection, alert, now)
        settle(connection, alert.id, "silent", besides=made[withdrawn:])
    else:
        answer(connection, _withdrawals(connection, alert), "silent")
    return made[withdrawn:]


def _take_back(connection: Connection, alert: Alert, now: datetime) -> None:
    outbox.cancel_unsent(connection, alert=alert.id, detail="retracted", now=now)
    replace_proposals(connection, alert.id)


def _withdrawals(connection: Connection, alert: Alert) -> list[Notice]:
    """The withdrawals of an alert that no person has answered, in order."""
    return [notice for notice in waiting_notices(connection, alert.id) if notice.kind == "retract"]


def _covers(release: Row[Any], alert: Alert, assessments: Sequence[Assessment]) -> bool:
    return covers(msgspec.json.decode(release.cover, type=Cover), cover_of(alert, assessments))


def _id_by_rule(alert: Alert) -> str:
    return hash_id(BY_RULE, alert.id)


def _release_by_rule(connection: Connection, alert: Alert, now: datetime) -> list[ByRule]:
    row = {
        "id": _id_by_rule(alert),
        "alert": alert.id,
        "action": "release",
        "state": "done",
        "revision": alert.revision,
        "cover": encode_cover(cover_of(alert, ())),
        "codes": "[]",
        "note": "",
        "proposed_by": BY_RULE,
        "proposed_role": BY_RULE,
        "proposed_at": now,
        "done_at": now,
    }
    new = insert_absent(connection, releases, [row], key=releases.c.id)
    return [ByRule(id=release_id, alert=alert.id, rule=alert.rule_name) for release_id in new]
