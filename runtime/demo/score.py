"""Compares what the pipeline found with the truth file: alerts against planted events, flags against planted codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec

from hustings.types import Alert, Assessment
from runtime.coverage import Silence
from runtime.demo.generate import Event, Truth

__all__ = ["EventScore", "FlagScore", "Score", "score"]

EARLY = timedelta(minutes=5)
"""An alert may open this much before an event's first post (clock of the post against clock of the window)."""
LATER = timedelta(hours=12)
"""And this long after its last: what opens later is about something else."""


class EventScore(msgspec.Struct, frozen=True, kw_only=True):
    """One planted event: found (harmful ones), or left alone (harmless ones), and how long after its first post."""

    event: str
    harmful: bool
    right: bool
    alerts: int
    minutes_to_alert: float | None = None


class FlagScore(msgspec.Struct, frozen=True, kw_only=True):
    """Flags of one kind over all posts."""

    kind: str
    planted: int
    flagged: int
    right: int
    precision: float | None
    recall: float | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Alert precision counts every alert that belongs to no harmful event as wrong."""

    alert_precision: float | None
    alert_recall: float | None
    alerts_elsewhere: tuple[str, ...]
    silence_found: bool
    events: tuple[EventScore, ...]
    flags: tuple[FlagScore, ...]
    protected_flagged: float
    """Share of planted protected posts (opinion, satire, counter-speech, reports, notices) that got a flag."""


def score(
    truth: Truth, alerts: Sequence[Alert], assessments: Iterable[Assessment], silences: Sequence[Silence]
) -> Score:
    """The whole comparison; alerts in the state `retracted` or `merged` are left out."""
    standing = [alert for alert in alerts if alert.state in {"open", "resolved"}]
    owner = {alert.id: _owner(alert, truth.events) for alert in standing}
    events = [_event_score(event, standing, owner) for event in truth.events]
    silence_found = any(
        s.region == truth.silence_region and s.start <= truth.silence_start and s.end >= truth.silence_end
        for s in silences
    )
    false_silences = sum(s.region != truth.silence_region for s in silences)
    elsewhere = [alert for alert in standing if owner[alert.id] is None or not _harmful(owner[alert.id], truth)]
    harmful = [event for event in events if event.harmful]
    found = sum(event.right for event in harmful) + silence_found
    right_alerts = len(standing) - len(elsewhere)
    flags, protected = _flag_scores(truth, assessments)
    return Score(
        alert_precision=_ratio(right_alerts + silence_found, len(standing) + silence_found + false_silences),
        alert_recall=_ratio(found, len(harmful) + 1),
        alerts_elsewhere=tuple(sorted(f"{alert.rule_name} {dict(alert.group)}" for alert in elsewhere)),
        silence_found=silence_found,
        events=tuple(events),
        flags=tuple(flags),
        protected_flagged=protected,
    )


def _owner(alert: Alert, events: Sequence[Event]) -> str | None:
    """The planted event that an alert is about: most of its evidence belongs to it."""
    evidence = set(alert.evidence)
    shares = [(len(evidence & set(event.keys)) / len(evidence), event.name) for event in events if evidence]
    share, name = max(shares, default=(0.0, ""))
    return name if share >= 0.5 else None


def _harmful(name: str | None, truth: Truth) -> bool:
    return any(event.name == name and event.harmful for event in truth.events)


def _event_score(event: Event, standing: Sequence[Alert], owner: Mapping[str, str | None]) -> EventScore:
    about = [
        alert
        for alert in standing
        if owner[alert.id] == event.name and event.first_at - EARLY <= alert.opened_at <= event.last_at + LATER
    ]
    told = [alert for alert in about if alert.rule_name in event.rules and _group_fits(event, alert)]
    first = min((alert.opened_at for alert in told), default=None)
    return EventScore(
        event=event.name,
        harmful=event.harmful,
        right=bool(told) if event.harmful else not about,
        alerts=len(about),
        minutes_to_alert=None if first is None else round((first - event.first_at).total_seconds() / 60, 1),
    )


def _group_fits(event: Event, alert: Alert) -> bool:
    group = dict(alert.group)
    return all(group.get(field, value) == value for field, value in event.group.items())


def _flag_scores(truth: Truth, assessments: Iterable[Assessment]) -> tuple[list[FlagScore], float]:
    kinds = ("G", "N-PROC-DATE", "N-DELEG-RESULT")
    counts = {kind: [0, 0, 0] for kind in kinds}
    protected = protected_flagged = 0
    for assessment in assessments:
        planted = truth.codes.get(assessment.key, ())
        given = [flag.code for flag in assessment.flags]
        for kind in kinds:
            is_planted, is_flagged = _has(planted, kind), _has(given, kind)
            counts[kind][0] += is_planted
            counts[kind][1] += is_flagged
            counts[kind][2] += is_planted and is_flagged
        if assessment.key in truth.protected:
            protected += 1
            protected_flagged += any(not code.startswith("X-") for code in given)
    scores = [
        FlagScore(
            kind=kind,
            planted=planted,
            flagged=flagged,
            right=right,
            precision=_ratio(right, flagged),
            recall=_ratio(right, planted),
        )
        for kind, (planted, flagged, right) in counts.items()
    ]
    return scores, round(protected_flagged / protected, 4) if protected else 0.0


def _has(codes: Iterable[str], kind: str) -> bool:
    return any(code == kind or code.startswith(kind + "-") for code in codes)


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
