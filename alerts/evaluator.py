"""All rules of one hits partition: hits and progress marks in, changes of alerts out.

Deterministic, without a wall clock. `now` is what every posts partition has been processed up to, taken from the marks;
the horizon of a rule is `now - lateness`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from alerts.groups import GroupKey
from alerts.instants import from_us, to_us
from alerts.rule import Rule, RuleSet
from alerts.rule_state import RuleState
from hustings.contracts import AlertChanges
from hustings.types import Alert, Amendment, Hit, Mark, Notice, QueueEntry

__all__ = ["MEMORY", "Evaluator"]

MEMORY = timedelta(days=2)
"""How long beyond window and `resolve_after` posts are kept in memory, so that a deletion still withdraws and a late
post is still compared. Chosen by us: deletions at the source come within hours; beyond it the alert stands as it is.
The desk has to give `restore` every alert that settled less than window, lateness, `resolve_after` and this before
the newest of the hits given with it."""


class Evaluator:
    """Windows, episodes and alerts of the rules, for the groups of one hits partition.

    `posts_partitions` is how many partitions the posts topic has: `now` is unknown until each has sent a mark.
    `memory` None keeps everything, as replays do.
    """

    def __init__(
        self, ruleset: RuleSet, *, partition: int, posts_partitions: int = 1, memory: timedelta | None = MEMORY
    ) -> None:
        self.partition = partition
        self._posts_partitions = posts_partitions
        self._marks: dict[int, int] = {}
        self._now: int | None = None
        self._rules = {rule.id: RuleState(rule, memory) for rule in ruleset.evaluated if rule.outcome == "alert"}
        self._queued = {rule.id: rule for rule in ruleset.evaluated if rule.outcome == "review"}
        self._closed: list[Alert] = []
        self._counters: Counter[str] = Counter()

    @property
    def now(self) -> datetime | None:
        """The last instant all of whose posts are processed; None until every posts partition has sent a mark."""
        return None if self._now is None else from_us(self._now)

    def restore(self, hits: Iterable[Hit], unsettled: Sequence[Alert], *, as_of: datetime | None = None) -> None:
        """Rebuild from the hits that the index holds and the alerts that the desk holds, both of this partition only.

        Called once, before anything is fed. `unsettled` are those as of the newest of these hits or of an earlier time:
        an episode whose alert is missing there would be made anew. What a worker that never stopped would have
        forgotten is passed over: by the newest of the hits, or by `as_of`, the time of the first hit that will be fed,
        where that is earlier. What was known but not recorded when the worker stopped comes out of the first `feed`.
        Alerts of another logic than their rule has now are closed with the reason `rule_changed`, those of rules that
        are gone with `rule_retired`.
        """
        hits_by_rule: dict[str, dict[GroupKey, list[Hit]]] = {rule_id: {} for rule_id in self._rules}
        newest = datetime.min.replace(tzinfo=UTC)
        for hit in hits:
            newest = max(newest, hit.revised_at)
            state = self._rules.get(hit.rule)
            if state is not None and state.rule.logic == hit.logic:
                hits_by_rule[hit.rule].setdefault(hit.group, []).append(hit)
        alerts_by_rule: dict[str, list[Alert]] = {rule_id: [] for rule_id in self._rules}
        for alert in unsettled:
            newest = max(newest, alert.detected_at)
            state = self._rules.get(alert.rule)
            if state is not None and state.rule.logic == alert.logic:
                alerts_by_rule[alert.rule].append(alert)
            elif alert.state == "open":
                self._closed.append(_closed(alert, "rule_retired" if state is None else "rule_changed"))
        for rule_id, state in self._rules.items():
            state.restore(
                hits_by_rule[rule_id],
                alerts_by_rule[rule_id],
                newest=to_us(newest if as_of is None else min(newest, as_of)),
            )

    def feed(self, entries: Sequence[Hit | Mark]) -> AlertChanges:
        """Take in entries of the hits log, in order; returns everything that has to be recorded. How the entries are
        cut into calls does not matter to what comes out, all calls taken together."""
        queue: list[QueueEntry] = []
        for entry in entries:
            if isinstance(entry, Mark):
                self._advance(entry)
            elif entry.rule in self._queued:
                queue += self._queue(self._queued[entry.rule], entry)
            else:
                self._hit(entry)
        return self._changes(queue)

    # ── for replays ──────────────────────────────────────────────────────────────────────────────────────────────

    def alerts(self) -> list[Alert]:
        """Every alert held now."""
        return [alert for state in self._rules.values() for alert in state.alerts()]

    def amendments(self) -> list[Amendment]:
        """What the late posts held would have changed, given all posts known now."""
        return [amendment for state in self._rules.values() for amendment in state.amendments()]

    def settles_at(self) -> datetime | None:
        """The earliest `now` at which nothing waits for the clock any more, ticks aside; None when nothing does."""
        times = [time for state in self._rules.values() if (time := state.settles_at()) is not None]
        return from_us(max(times)) if times else None

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _hit(self, hit: Hit) -> None:
        state = self._rules.get(hit.rule)
        if state is None or state.rule.logic != hit.logic:
            self._counters["hits_of_other_rules"] += 1
            return
        self._counters.update(state.hit(hit, self._now))

    def _advance(self, mark: Mark) -> None:
        at = to_us(mark.at)
        self._marks[mark.partition] = max(at, self._marks.get(mark.partition, at))
        if len(self._marks) < self._posts_partitions:
            return
        now = min(self._marks.values()) - 1  # nothing older than the mark is unread; a post of that very time may be
        if self._now is None or now > self._now:
            self._now = now
            for state in self._rules.values():
                state.advance(now)

    def _queue(self, rule: Rule, hit: Hit) -> list[QueueEntry]:
        """A withdrawn hit takes nothing back: the entry stays, and the desk shows the post as it is now."""
        if hit.withdrawn:
            self._counters["queued_then_withdrawn"] += 1
            return []
        return [
            QueueEntry(
                key=hit.key,
                rule=rule.id,
                reason=rule.name,
                priority=hit.score or 0.0,
                probability=rule.sample,
                at=hit.revised_at,
            )
        ]

    def _changes(self, queue: Sequence[QueueEntry]) -> AlertChanges:
        alerts: list[Alert] = list(self._closed)
        notices: list[Notice] = [alert.notices[-1] for alert in self._closed]
        amendments: list[Amendment] = []
        self._closed = []
        for state in self._rules.values():
            for alert, news in state.changed():
                alerts.append(alert)
                notices += news
            amendments += state.due_amendments()
            state.forget()
        counters = {name: count for name, count in sorted(self._counters.items()) if count}
        self._counters.clear()
        return AlertChanges(
            alerts=tuple(alerts),
            notices=tuple(notices),
            amendments=tuple(amendments),
            queue=tuple({entry.id: entry for entry in reversed(queue)}.values())[::-1],
            counters=counters,
        )


def _closed(alert: Alert, code: str) -> Alert:
    """An open alert of a logic that is evaluated no more."""
    revision = alert.revision + 1
    notice = Notice(alert=alert.id, kind="resolve", key=f"resolve:{code}", at=alert.last_crossing_at, revision=revision)
    return replace(
        alert,
        state="resolved",
        revision=revision,
        resolved_at=alert.last_crossing_at,
        reason={"code": code},
        notices=(*alert.notices, notice),
    )
