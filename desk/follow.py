"""What follows by itself when `watch` records a notice: sent under a standing release, or left waiting for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from desk import audit, outbox
from desk.database.tables import releases
from desk.database.upsert import insert_absent
from desk.decisions import BY_RULE, decision_of, encode_cover, replace_proposals
from desk.dispatch import Cover, Dispatcher, cover_of, covers
from desk.notices import answer, settle, waiting_notices
from hustings.types import Alert, Assessment, Notice, hash_id

__all__ = ["follow"]


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
        answer(connection, made, "silent")
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
                alert, notice, assessments, decision=decision_of(standing), now=now, only=only
            )
            outbox.add(connection, messages, release=standing.id, now=now, due_at=now)
            answer(connection, [notice], "told" if messages else "silent", release=standing.id)
        elif closes and not only and not waiting_notices(connection, alert.id, besides=made):
            answer(connection, [notice], "silent")  # nobody was told that it began, and nobody is asked whether to


def _follow_retraction(connection: Connection, alert: Alert, made: Sequence[Notice], now: datetime) -> None:
    outbox.cancel_unsent(connection, alert=alert.id, detail="retracted", now=now)
    replace_proposals(connection, alert.id)
    if outbox.routes_told(connection, alert.id):
        answer(connection, [notice for notice in made if notice.kind != "retract"], "silent")
        settle(connection, alert.id, "silent", besides="retract")
    else:
        settle(connection, alert.id, "silent")


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
        "cover": encode_cover(cover_of(alert, ())),
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
