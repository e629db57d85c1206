"""An alert while a worker holds it: what changes, and what was told."""

from __future__ import annotations

from alerts.instants import from_us, to_us
from hustings.clock import rfc3339
from hustings.types import Alert, AlertState, Notice, NoticeKind

__all__ = ["Row"]


class Row:
    """One alert while it is held in memory. Times are microseconds."""

    __slots__ = (
        "announced",
        "changed",
        "evidence",
        "id",
        "known_at",
        "last",
        "merged_into",
        "notices",
        "opened",
        "opening_anchor",
        "reason",
        "renotified",
        "resolved",
        "state",
        "timer",
        "told",
        "value",
    )

    def __init__(self, row_id: str, *, anchor: int, known_at: int) -> None:
        self.id = row_id
        self.opening_anchor = anchor
        self.opened = anchor
        self.last = anchor
        self.known_at = known_at
        self.state: AlertState = "open"
        self.value: float | None = None
        self.merged_into: str | None = None
        self.resolved: int | None = None
        self.reason: dict[str, str | float | int | bool | None] = {}
        self.evidence: tuple[str, ...] = ()
        """Kept only while the row stands for no episode; otherwise read from the window when it is needed."""
        self.notices: list[Notice] = []
        self.told: set[str] = set()
        self.announced = 0
        """How many notices were handed out to be recorded."""
        self.renotified = anchor
        """The due time of the last `renotify`, the opening anchor before the first."""
        self.changed = True
        self.timer: int | None = None
        """When it is looked at again, if it is waiting for the clock."""

    @classmethod
    def of(cls, alert: Alert) -> Row:
        """The row of a recorded alert."""
        row = cls(alert.id, anchor=to_us(alert.opening_anchor), known_at=to_us(alert.detected_at))
        row.opened, row.last = to_us(alert.opened_at), to_us(alert.last_crossing_at)
        row.state, row.value, row.merged_into = alert.state, alert.value, alert.merged_into
        row.resolved = None if alert.resolved_at is None else to_us(alert.resolved_at)
        row.reason, row.evidence = dict(alert.reason), alert.evidence
        row.notices = list(alert.notices)
        row.told = {notice.key for notice in alert.notices}
        row.announced = len(alert.notices)
        row.renotified = max([row.opening_anchor, *(to_us(n.at) for n in alert.notices if n.kind == "renotify")])
        row.changed = False
        said = [notice.kind for notice in alert.notices if notice.kind in ("open", "reopen", "retract", "merge")]
        if row.state == "open" and said[-1:] in (["retract"], ["merge"]):
            row.tell("reopen", row.opened)  # written when a second return to the same anchor had no notice of its own
        return row

    @property
    def is_standing(self) -> bool:
        """Does it stand for an episode?"""
        return self.state in ("open", "resolved")

    def tell(self, kind: NoticeKind, at: int, *, about: str = "") -> None:
        """Make a notice: one for each time that this happens, also where it happens again at the same time (`#2` in its
        key). Only this raises the revision."""
        first = key = f"{kind}:{about or rfc3339(from_us(at))}"
        again = 1
        while key in self.told:
            again += 1
            key = f"{first}#{again}"
        self.told.add(key)
        revision = (self.notices[-1].revision if self.notices else 0) + 1
        self.notices.append(Notice(alert=self.id, kind=kind, key=key, at=from_us(at), revision=revision))
        self.changed = True

    def reopen(self, at: int) -> None:
        """Stand for an episode again."""
        self.state, self.resolved, self.merged_into, self.reason = "open", None, None, {}
        self.tell("reopen", at)

    def resolve(self, at: int) -> None:
        """Nothing crossed for `resolve_after`."""
        self.state, self.resolved = "resolved", at
        self.tell("resolve", at)
        self.changed = True
