"""An alert as one partner reads it over one channel: rendered and redacted once, when its outbox row is made.

The form of the JSON body is described in docs/alert-message.md; golden files hold both bodies and texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from alerts.folded import one_line
from alerts.markings import parse_tlp
from alerts.partners import Partner
from alerts.redaction import Redactor, shorten
from alerts.threats import is_threat
from hustings.clock import rfc3339
from hustings.contracts import Message
from hustings.query.fields import keyword_values
from hustings.roster import Roster
from hustings.types import Alert, Assessment, Notice, hash_id

__all__ = ["BODY_SCHEMA", "DIGEST_LENGTH", "Decision", "outbox_id", "render"]

BODY_SCHEMA = 1
"""Version of the JSON body; raised when a reader of the former one would misread it."""
DIGEST_LENGTH = 480
"""Characters of the plain text: three joined SMS, or half a minute on the radio."""
TITLE_LENGTH = 160
SHORT_EXCERPT = 140
MOST_EVIDENCE = 20
"""Most posts shown in one message, whatever the rule asks for; `evidence_left_out` counts the others."""

_SAYS = {
    "open": "new alert",
    "update": "update",
    "escalate": "escalation",
    "renotify": "still going on",
    "merge": "joined with another alert",
    "reopen": "open again",
    "resolve": "over",
    "retract": "RETRACTED, please disregard",
}


class Decision(Struct, frozen=True, kw_only=True):
    """The human decision that lets an alert out: in which roles, with which codes, when. Never who."""

    roles: tuple[str, ...]
    codes: tuple[str, ...]
    at: datetime


def outbox_id(alert: Alert, notice: Notice, partner: str, channel: str) -> str:
    """The id of one delivery, the same whenever it is made again."""
    return hash_id(alert.id, notice.key, partner, channel)


def render(
    alert: Alert,
    notice: Notice,
    partner: Partner,
    channel: str,
    assessments: Sequence[Assessment],
    *,
    roster: Roster,
    now: datetime,
    decision: Decision | None,
    note: str = "",
    shown: Sequence[str] | None = None,
) -> Message:
    """The message for one partner and channel. `assessments` are those of the alert's evidence that are still known;
    `decision` is None only where the rule waives it (`review = "none"`); `note` is what a person adds for the readers,
    the reason of a retraction for one; `shown` are the keys
    of the posts to be shown, if not the oldest (`alerts.shown`)."""
    listed = (alert.evidence if shown is None else shown)[:MOST_EVIDENCE]
    redactor = Redactor(
        key=partner.pseudonym_key.reveal(), roster=roster, mask_slurs=partner.redaction.slurs == "masked"
    )
    tlp = parse_tlp(alert.tlp)
    codes = sorted({flag.code for assessment in assessments for flag in assessment.flags})
    group = {field: _group_value(field, value, redactor, roster) for field, value in alert.group}
    title = _title(alert, notice, tlp, group)
    support = one_line(partner.support_contact) if _threatens(alert, codes, decision) else ""
    note = redactor.words(note)
    text = _text(alert, notice, title, codes, decision, support, note)
    message_id = outbox_id(alert, notice, partner.id, channel)
    body = {
        "schema": BODY_SCHEMA,
        "id": message_id,
        "alert": alert.id,
        "revision": alert.revision,
        "notice": {"kind": notice.kind, "at": rfc3339(notice.at)},
        "tlp": f"TLP:{tlp}",
        "severity": alert.severity,
        "topics": list(alert.topics),
        "title": title,
        "text": text,
        "state": "retracted" if notice.kind == "retract" else alert.state,
        "merged_into": alert.merged_into,
        "rule": {"id": alert.rule, "name": alert.rule_name, "version": alert.rule_version},
        "group": group,
        "value": alert.value,
        "reason": {name: _reason_value(name, value, redactor) for name, value in sorted(alert.reason.items())},
        "times": _times(alert),
        "codes": codes,
        "evidence": _evidence(listed, assessments, partner, redactor),
        "evidence_count": len(alert.evidence),
        "evidence_left_out": len(alert.evidence) - len(listed),
        "decision": _decision(decision),
        "note": note,
        "support": support,
    }
    return Message(
        id=message_id,
        partner=partner.id,
        channel=channel,
        alert=alert.id,
        kind=notice.kind,
        tlp=tlp,
        title=title,
        text=text,
        body=msgspec.json.encode(body),
        at=now,
    )


def _title(alert: Alert, notice: Notice, tlp: str, group: dict[str, str]) -> str:
    about = ", ".join(group.values())
    words = f"[TLP:{tlp}] {_SAYS[notice.kind]}, {alert.severity}: {alert.rule_name}" + (f": {about}" if about else "")
    return shorten(one_line(words), TITLE_LENGTH)


def _text(
    alert: Alert,
    notice: Notice,
    title: str,
    codes: Sequence[str],
    decision: Decision | None,
    support: str,
    note: str,
) -> str:
    """The lines by their weight: of a text that is too long the end is cut, never whom the threatened person can turn
    to."""
    before = [title]
    if support:
        before.append(f"Support: {support}")
    if note:
        before.append(shorten(note, SHORT_EXCERPT))
    before.append(f"Rule {one_line(alert.rule_name)}, version {alert.rule_version}; since {rfc3339(alert.opened_at)}.")
    if decision is None:
        after = ["No person decided: the rule names nobody."]
    else:
        did = "Retracted" if notice.kind == "retract" else "Released"
        after = [f"{did} by a person ({' and '.join(decision.roles)}) at {rfc3339(decision.at)}."]
    after.append(f"Alert {alert.id}, revision {alert.revision}.")
    if notice.kind != "retract":
        room = DIGEST_LENGTH - len("\n".join((*before, "", *after)))
        before.append(_measured(alert, codes, room))
    return shorten("\n".join((*before, *after)), DIGEST_LENGTH)


def _measured(alert: Alert, codes: Sequence[str], room: int) -> str:
    """Value, posts, and as many of the codes as `room` characters hold."""
    posts = "1 post" if len(alert.evidence) == 1 else f"{len(alert.evidence)} posts"
    line = f"Value {alert.value:g}, {posts}"
    if not codes:
        return f"{line}."
    for count in range(len(codes), 0, -1):
        more = f" and {len(codes) - count} more" if count < len(codes) else ""
        with_codes = f"{line}; codes {', '.join(codes[:count])}{more}."
        if len(with_codes) <= room:
            return with_codes
    return f"{line}; {len(codes)} codes."


def _threatens(alert: Alert, codes: Sequence[str], decision: Decision | None) -> bool:
    """Whether machine, rule or people say that somebody is threatened."""
    of_group = (value for field, value in alert.group if field == "flag")
    return is_threat((*codes, *of_group, *(decision.codes if decision else ())))


def _group_value(field: str, value: str, redactor: Redactor, roster: Roster) -> str:
    if field in {"target", "aimed_at", "addressed"}:
        return next((one_line(person.name) for person in roster.people if person.id == value), one_line(value))
    if field in {"author", "mention"}:
        return redactor.author(value)
    if field == "key":
        return redactor.key(value)
    if field in {"story", "claim"}:
        return one_line(value)  # ids of our own, in which digits are no telephone number
    return redactor.words(value)


def _reason_value(name: str, value: str | float | bool | None, redactor: Redactor) -> str | float | bool | None:
    if not isinstance(value, str):
        return value
    return redactor.key(value) if name == "post" else redactor.words(value)


def _times(alert: Alert) -> dict[str, str | None]:
    return {
        "opened_at": rfc3339(alert.opened_at),
        "last_crossing_at": rfc3339(alert.last_crossing_at),
        "resolved_at": None if alert.resolved_at is None else rfc3339(alert.resolved_at),
        "detected_at": rfc3339(alert.detected_at),
    }


def _evidence(
    keys: Sequence[str], assessments: Sequence[Assessment], partner: Partner, redactor: Redactor
) -> list[dict[str, Any]]:
    known = {assessment.key: assessment for assessment in assessments}
    return [{"key": redactor.key(key), **_post(known.get(key), partner, redactor)} for key in keys]


def _post(assessment: Assessment | None, partner: Partner, redactor: Redactor) -> dict[str, Any]:
    if assessment is None:
        return {}
    post = assessment.post
    excerpt = "" if partner.redaction.excerpt == "none" else redactor.excerpt(assessment)
    if partner.redaction.excerpt == "short":
        excerpt = shorten(excerpt, SHORT_EXCERPT)
    return {
        "source": post.source,
        "medium": post.medium,
        "outlet": redactor.words(post.outlet),
        "published_at": rfc3339(post.published_at),
        "lang": "".join(keyword_values(assessment, "lang")),
        "author": redactor.author(post.author),
        "targets": [{"id": target.id, "role": target.role} for target in assessment.targets],
        "flags": [
            {
                "code": flag.code,
                "score": round(flag.score, 4),
                "threshold": flag.threshold,
                "classifier": flag.classifier,
            }
            for flag in assessment.flags
        ],
        "url": redactor.words(post.url) if post.url else "",
        "excerpt": excerpt,
    }


def _decision(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {"by": "rule"}
    return {
        "by": "person",
        "roles": list(decision.roles),
        "codes": list(decision.codes),
        "at": rfc3339(decision.at),
    }
