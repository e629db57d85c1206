"""What a replay told, as one JSON object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.replay import Replayed
from hustings.clock import rfc3339
from hustings.types import Alert, Amendment, QueueEntry

__all__ = ["replayed_to_json"]


def replayed_to_json(replayed: Replayed) -> dict[str, Any]:
    """Alerts, amendments and counters; the review queue only where a rule fills it."""
    whole: dict[str, Any] = {
        "alerts": [_alert(alert) for alert in replayed.alerts],
        "amendments": [_amendment(amendment) for amendment in replayed.amendments],
        "counters": replayed.counters,
        "as_of": _time(replayed.as_of),
    }
    if replayed.queue:
        whole["queue"] = [_queued(entry) for entry in replayed.queue]
    return whole


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "rule": alert.rule_name,
        "group": dict(alert.group),
        "state": alert.state,
        "revision": alert.revision,
        "merged_into": alert.merged_into,
        "opened_at": _time(alert.opened_at),
        "last_crossing_at": _time(alert.last_crossing_at),
        "resolved_at": _time(alert.resolved_at),
        "detected_at": _time(alert.detected_at),
        "value": _number(alert.value),
        "reason": alert.reason,
        "evidence": list(alert.evidence),
        "notices": [{"kind": notice.kind, "at": _time(notice.at)} for notice in alert.notices],
    }


def _amendment(amendment: Amendment) -> dict[str, Any]:
    return {
        "rule": amendment.rule_name,
        "group": dict(amendment.group),
        "anchor": _time(amendment.anchor),
        "value": _number(amendment.value),
        "post": amendment.post,
    }


def _queued(entry: QueueEntry) -> dict[str, Any]:
    return {"rule": entry.reason, "post": entry.key, "probability": entry.probability, "at": _time(entry.at)}


def _time(when: datetime | None) -> str | None:
    return None if when is None else rfc3339(when)


def _number(value: float) -> float | int:
    """Counts are whole numbers and look like it."""
    return int(value) if value.is_integer() else value
