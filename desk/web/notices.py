"""What became of an alert, in the words that the pages use for each kind of notice (`hustings.types.NoticeKind`)."""

from __future__ import annotations

__all__ = ["NOTICES"]

NOTICES = {
    "open": "new alert",
    "update": "update",
    "escalate": "escalation",
    "renotify": "still going on",
    "merge": "joined with another",
    "reopen": "opened again",
    "resolve": "end",
    "retract": "retraction",
}
