"""One rule at work: its groups, what waits for the clock, and what is to be recorded next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import heappop, heappush
from typing import NamedTuple

from alerts.alert_row import Row
from alerts.groups import Group, GroupKey
from alerts.instants import span_us, to_us
from alerts.rule import Rule
from alerts.terms import Terms
from hustings.types import Alert, Amendment, Hit, Notice

__all__ = ["RuleState"]

FORGETTING = 8
"""Old posts are dropped each time the horizon has moved by this part of what is kept: often enough to bound memory,
seldom enough to cost nothing."""


class _Remembered(NamedTuple):
    """Hits and alerts of a group that matter after a restart. `begins`: posts before were left out; `settled_before`:
    episodes that ended before are settled, though posts of theirs are among the hits for the sake of an open one."""

    hits: Sequence[Hit]
    alerts: Sequence[Alert]
    begins: int | None = None
    settled_before: int | None = None


class RuleState:
    """The groups of one rule in one hits partition. Times are microseconds."""

    def __init__(self, rule: Rule, memory: timedelta | None) -> None:
        self.rule = rule
        self._terms = Terms(rule)
        self._keeps = None if memory is None else span_us(rule.span + rule.lateness + memory)
        self._forgot_before: int | None = None
        self._groups: dict[GroupKey, Group] = {}
        self._names: set[GroupKey] = set()
        self._timers: list[tuple[int, int, Group, Row]] = []
        self._waiting: list[tuple[int, int, Group, str]] = []
        self._order = 0
        self._changed: dict[str, tuple[Group, Row]] = {}
        self._amendments: list[Amendment] = []
        self._horizon: int | None = None

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────

    def hit(self, hit: Hit, now: int | None) -> dict[str, int]:
        """Take in one hit; returns what there is to count."""
        group = self._group(hit.group)
        if group is None:
            return {"unknown_group": 1}
        known_at = to_us(hit.revised_at)
        # All before the mark is done, so what comes now is known no sooner than the instant that follows `now`.
        what = group.apply(hit, known_at=known_at if now is None else max(now + 1, known_at))
        self._collect(group)
        if what == "late":
            self._await(group, hit)
            return {"late": 1}
        if what == "conflicting":
            return {"conflicting_hits": 1}
        if what == "new" and not hit.withdrawn and self._horizon is not None and to_us(hit.t) < self._horizon:
            return {"behind_horizon": 1}
        return {}

    def advance(self, now: int) -> None:
        """Everything up to `now` is processed: evaluate ticks, tell what is due, resolve, amend."""
        horizon = now - self._terms.lateness
        if self._horizon is None:
            self._expect(now)
        self._horizon = horizon
        if self._terms.step is not None:
            last = horizon if self._terms.ends is None else min(horizon, self._terms.ends)
            for group in self._groups.values():
                group.tick(last)
                self._collect(group)
                for row in group.episodes.standing:  # after a restart rows stand from the first tick on
                    self._schedule(group, row)
        while self._timers and self._timers[0][0] <= horizon:
            due, _, group, row = heappop(self._timers)
            if row.timer == due:  # else a withdrawal moved the end forward, and another timer was set for it
                self._time(group, row, horizon)
        self._amend(horizon)

    def restore(self, hits: Mapping[GroupKey, Sequence[Hit]], recorded: Sequence[Alert], *, newest: int) -> None:
        """Rebuild every group from its current hits and its recorded alerts; `newest` is the latest time in them."""
        alerts: dict[GroupKey, list[Alert]] = {}
        for alert in recorded:
            alerts.setdefault(alert.group, []).append(alert)
        for key in [*hits, *(key for key in alerts if key not in hits)]:
            remembered = self._remembered(hits.get(key, ()), alerts.get(key, ()), newest)
            group = self._group(key) if remembered.hits or remembered.alerts else None
            if group is None:
                continue
            group.restore(
                remembered.hits,
                remembered.alerts,
                read_from=remembered.begins,
                settled_before=remembered.settled_before,
            )
            self._collect(group)
            for row in group.episodes.standing:
                self._schedule(group, row)
            for late in group.late_hits():
                self._await(group, late)
        for alert in recorded:
            self._update_severity(alert)

    def _remembered(self, hits: Sequence[Hit], alerts: Sequence[Alert], newest: int) -> _Remembered:
        """What a worker that never stopped would hold of a group.

        An old episode must never be made anew because its alert is not among those that the desk still takes for
        unsettled: all whose last crossing is as recent as `before` are."""
        if self._keeps is None:
            return _Remembered(hits, alerts)
        before = newest - self._keeps
        kept = [alert for alert in alerts if alert.state == "open" or to_us(alert.last_crossing_at) >= before]
        begins = min([before, *(to_us(alert.opened_at) - self._terms.width for alert in kept)])
        recent = [
            hit for hit in hits if to_us(hit.t) >= begins or (self._terms.is_late(hit) and to_us(hit.g) >= before)
        ]
        if len(recent) == len(hits):
            return _Remembered(hits, kept, settled_before=before)
        return _Remembered(recent, kept, begins, before)

    # ── what goes out ────────────────────────────────────────────────────────────────────────────────────────────

    def changed(self) -> Iterator[tuple[Alert, Sequence[Notice]]]:
        """Each alert that changed since the last call, as it is now, with its new notices."""
        changed, self._changed = self._changed, {}
        for group, row in changed.values():
            news = row.notices[row.announced :]
            row.announced, row.changed = len(row.notices), False
            yield group.alert(row), news

    def due_amendments(self) -> list[Amendment]:
        """Amendments that were settled since the last call."""
        due, self._amendments = self._amendments, []
        return due

    def forget(self) -> None:
        """Drop what is too old to matter. Called when nothing waits to be recorded: what is told names its posts."""
        if self._keeps is None or self._horizon is None:
            return
        before = self._horizon - self._keeps
        if self._forgot_before is None:
            self._forgot_before = before
        if before - self._forgot_before < self._keeps // FORGETTING:
            return
        self._forgot_before = before
        for group in self._groups.values():
            group.forget(before)
        self._groups = {key: group for key, group in self._groups.items() if not group.is_empty}
        self._names = {key[:-1] if self.rule.kind == "match" else key for key in self._groups}

    def alerts(self) -> Iterator[Alert]:
        """Every alert held."""
        for group in self._groups.values():
            for row in group.episodes.rows.values():
                yield group.alert(row)

    def amendments(self) -> Iterator[Amendment]:
        """What every late post held would have changed, given all posts known now."""
        for group in self._groups.values():
            yield from group.amendments()

    def settles_at(self) -> int | None:
        """The earliest `now` at which no episode is open and no late post waits; None when that is so already."""
        reach, lateness = self._terms.reach, self._terms.lateness
        times = [
            row.last + reach + 1
            for group in self._groups.values()
            for row in group.episodes.standing
            if row.state == "open"
        ]
        times += [time for time, _, _, _ in self._waiting]
        return max(times) + lateness if times else None

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _group(self, key: GroupKey) -> Group | None:
        """The group, made when it is new; None when there are `max_groups` already. What is per story or post in a
        `match` rule does not count as a group of its own."""
        group = self._groups.get(key)
        if group is not None:
            return group
        name = key[:-1] if self.rule.kind == "match" else key
        most = self.rule.limits.max_groups
        if most is not None and name not in self._names and len(self._names) >= most:
            return None
        self._names.add(name)
        group = self._groups[key] = Group(self._terms, key)
        return group

    def _expect(self, now: int) -> None:
        """Make the groups that the rule names, so that their silence is seen although no post ever came."""
        begin = now if self._terms.active_from is None else self._terms.active_from
        for value in self.rule.expect:
            key = ((self.rule.group_by[0], value),)
            group = self._group(key)
            if group is not None:
                group.expect_from(begin)

    def _collect(self, group: Group) -> None:
        """Note the rows that a group changed, and set the timers of those that are open."""
        for row in group.episodes.take_changed():
            self._changed[row.id] = (group, row)
            self._schedule(group, row)

    def _schedule(self, group: Group, row: Row) -> None:
        """A timer for each open row: its next `renotify`, or the first instant at which it is resolved."""
        if row.state != "open":
            return
        over = row.last + self._terms.reach
        due = over + 1
        if self._terms.renotify is not None and row.renotified + self._terms.renotify < over:
            due = row.renotified + self._terms.renotify
        if row.timer is None or due < row.timer:
            self._order += 1
            heappush(self._timers, (due, self._order, group, row))
            row.timer = due

    def _time(self, group: Group, row: Row, horizon: int) -> None:
        """A timer went off: tell what fell due while the episode lasted, then resolve it or wait on."""
        row.timer = None
        if row.state != "open":
            return
        over = row.last + self._terms.reach
        renotify = self._terms.renotify
        while renotify is not None and row.renotified + renotify <= min(horizon, over - 1):
            row.renotified += renotify
            row.tell("renotify", row.renotified)
        if horizon > over:
            row.resolve(over)
        if row.changed:
            self._changed[row.id] = (group, row)
        self._schedule(group, row)

    def _await(self, group: Group, late: Hit) -> None:
        """Amend once no post on time can touch the same anchors any more."""
        self._order += 1
        heappush(self._waiting, (to_us(late.t) + self._terms.width, self._order, group, late.key))

    def _amend(self, horizon: int) -> None:
        due: dict[GroupKey, tuple[Group, set[str]]] = {}
        while self._waiting and self._waiting[0][0] <= horizon:
            _, _, group, key = heappop(self._waiting)
            due.setdefault(group.key, (group, set()))[1].add(key)
        for group, keys in due.values():
            self._amendments += group.amendments(keys)

    def _update_severity(self, alert: Alert) -> None:
        """A cosmetic edit of the rule keeps the alert and tells of its new severity."""
        severity = self.rule.route.severity
        group = self._groups.get(alert.group)
        row = None if group is None else group.episodes.rows.get(alert.id)
        if group is not None and row is not None and row.state == "open" and alert.severity != severity:
            row.tell("update", row.last, about=severity)
            self._changed[row.id] = (group, row)
