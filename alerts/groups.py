"""One rule and one group: from hits to the anchors that cross.

Which revision of a post counts, whether it is late, which anchors a hit touches and what they see now. What follows
from the crossings is the matter of `episodes`; what late posts would have changed, of `amendments`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from alerts.alert_row import Row
from alerts.amendments import LatePost, LatePosts, amend
from alerts.episodes import Cause, Change, Episodes
from alerts.instants import from_us, to_us
from alerts.rule import Rule
from alerts.spans import joined
from alerts.terms import Terms
from alerts.windows import Member, Readings
from hustings.clock import rfc3339
from hustings.types import Alert, Amendment, Hit, hash_id

__all__ = ["Group", "GroupKey", "Standing", "alert_id"]

GroupKey = tuple[tuple[str, str], ...]


class Standing(NamedTuple):
    """What is known of one post in this group: its highest revision, and the member that counts, if any."""

    hit: Hit
    member: Member | None


def alert_id(rule: Rule, group: GroupKey, opening_anchor: int, again: int = 0) -> str:
    """The id of an alert: a function of rule, logic, group and the opening anchor known when it was made.

    `again` counts up only when that id belongs to an episode that an edit has moved elsewhere."""
    flat = [part for pair in group for part in pair]
    return hash_id(rule.id, rule.logic, *flat, rfc3339(from_us(opening_anchor)), *([str(again)] if again else []))


class Group:
    """The current posts of one rule and group, their crossings and episodes."""

    __slots__ = (
        "_known",
        "_late",
        "_read_from",
        "_recorded",
        "_settled_before",
        "_terms",
        "_ticked",
        "_ticks_from",
        "_window",
        "episodes",
        "key",
    )

    def __init__(self, terms: Terms, key: GroupKey) -> None:
        self.key = key
        self._terms = terms
        self._window = terms.window()
        self._known: dict[str, Standing] = {}
        self._late = LatePosts()
        self._ticks_from: int | None = None
        self._ticked: int | None = None
        self._read_from: int | None = None
        self._recorded: list[Row] | None = None
        self._settled_before: int | None = None
        self.episodes = Episodes(
            reach=terms.reach,
            when=terms.rule.when,
            escalate=terms.rule.escalate,
            name=lambda anchor, again: alert_id(terms.rule, key, anchor, again),
            measure=lambda anchors: Readings(anchors, self._window.values(anchors)),
            evidence=self._evidence,
        )

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, hit: Hit, *, known_at: int) -> str:
        """Take in one hit; returns what it was: `new`, `revised`, `late`, `unchanged`, `stale` or `conflicting`."""
        former = self._known.get(hit.key)
        if former is not None and hit.revision <= former.hit.revision:
            if hit.revision < former.hit.revision:
                return "stale"
            return "unchanged" if _reads_the_same(hit, former.hit) else "conflicting"
        old = None if former is None else former.member
        new = self._know(hit)
        if old != new:
            code = "withdrawn" if old is not None else "behind_horizon"
            self._replace(old, new, Cause(known_at, post=hit.key, code=code))
        if hit.key in self._late:
            return "late"
        return "new" if former is None else "revised"

    def expect_from(self, begin: int) -> None:
        """Evaluate ticks although no post was seen, from the first one whose whole window lies after `begin`."""
        self._ticks_from = self._tick_at(begin + self._terms.width)

    def tick(self, until: int) -> None:
        """Evaluate the ticks up to and including `until` that were not evaluated yet."""
        step, begin = self._terms.step, self._first_tick()
        if step is None:
            return
        seen = Readings([], [])
        if begin is not None:
            following = begin if self._ticked is None else max(begin, self._ticked + step)
            last = until // step * step
            if last >= following:
                seen = self._terms.crossing(self._window, range(following, last + 1, step))
                self._ticked = last
        if self._recorded is not None:
            self._restore_ticks(self._recorded, list(seen.anchors))
            self._recorded = None
            return
        change = Change((), seen.anchors, seen)
        self.episodes.apply(change, Cause(None, lag=self._terms.lateness), self._evidence)

    def _replace(self, old: Member | None, new: Member | None, cause: Cause) -> None:
        """Exchange a member and look again at every anchor that sees the old or the new one."""
        spans = self._touched_spans(old, new)
        if old is not None:
            self._window.remove(old)
        if new is not None:
            self._window.add(new)
        spans = joined(spans if self._terms.step is None else [*spans, *self._touched_spans(old, new)])
        removed: list[int] = []
        added: list[int] = []
        anchors: list[int] = []
        values: list[int] = []
        for first, last in spans:
            before = self._crossings_in(first, last)
            now = self._terms.crossing(self._window, self._anchors(first, last))
            anchors += now.anchors
            values += now.values
            removed += _missing(before, now.anchors)
            added += _missing(now.anchors, before)
        lowered = old is not None or self._terms.step is not None
        change = Change(removed, added, Readings(anchors, values), lowered)
        self.episodes.apply(change, cause, lambda lost: self._evidence(lost, without=new, plus=old))

    def _touched_spans(self, old: Member | None, new: Member | None) -> list[tuple[int, int]]:
        """Closed spans of time whose anchors see one of the two; for ticks also those before the first one of all,
        since a group has ticks only from its first post on."""
        width = self._terms.width
        spans = [(member.t, member.t + width - 1) for member in (old, new) if member is not None]
        if self._terms.step is None or self._ticked is None or not spans:
            return spans
        low, begin = min(first for first, _ in spans), self._first_tick()
        spans.append((low, self._ticked) if begin is None else (min(low, begin), max(low, begin)))
        return spans

    # ── anchors ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _anchors(self, first: int, last: int) -> Sequence[int]:
        if self._terms.step is None:
            return self._window.anchors(first, last)
        begin = self._first_tick()
        if begin is None or self._ticked is None:
            return ()
        return range(max(begin, self._tick_at(first)), min(last, self._ticked) + 1, self._terms.step)

    def _first_tick(self) -> int | None:
        """The first tick that is evaluated: from the first post on, or a whole window after the activation."""
        terms = self._terms
        if terms.step is None:
            return None
        begins = [] if self._ticks_from is None else [self._ticks_from]
        if self._window.first is not None:
            whole = [start + terms.width for start in (terms.active_from, self._read_from) if start is not None]
            begins.append(self._tick_at(max([self._window.first, *whole])))
        return min(begins, default=None)

    def _tick_at(self, t: int) -> int:
        """The first tick at or after `t`."""
        step = self._terms.step or 1
        return -(-t // step) * step

    def _crossings_in(self, first: int, last: int) -> list[int]:
        crossings = self.episodes.crossings
        return crossings[bisect_left(crossings, first) : bisect_right(crossings, last)]

    def _evidence(
        self, anchors: Sequence[int], *, without: Member | None = None, plus: Member | None = None
    ) -> tuple[str, ...]:
        width = self._terms.width
        spans = joined([(anchor - width + 1, anchor) for anchor in anchors])
        found = [post for first, last in spans for post in self._window.posts(first - 1, last)]
        if without is not None:
            found = [post for post in found if post != (without.t, without.key)]
        if plus is not None and any(first <= plus.t <= last for first, last in spans):
            found = sorted([*found, (plus.t, plus.key)])
        return tuple(key for _, key in found)

    # ── what goes out ────────────────────────────────────────────────────────────────────────────────────────────

    def alert(self, row: Row) -> Alert:
        """The alert that a row is now."""
        rule = self._terms.rule
        return Alert(
            id=row.id,
            rule=rule.id,
            rule_name=rule.name,
            rule_version=rule.version,
            logic=rule.logic,
            group=self.key,
            state=row.state,
            revision=row.notices[-1].revision if row.notices else 1,
            merged_into=row.merged_into,
            opening_anchor=from_us(row.opening_anchor),
            opened_at=from_us(row.opened),
            last_crossing_at=from_us(row.last),
            resolved_at=None if row.resolved is None else from_us(row.resolved),
            detected_at=from_us(row.known_at),
            value=float(row.value or 0),
            reason=row.reason,
            evidence=self.episodes.evidence_of(row),
            notices=tuple(row.notices),
            severity=rule.route.severity,
            tlp=rule.route.tlp,
            topics=rule.route.topics,
            review=rule.review,
            shadow=rule.state == "shadow",
        )

    def amendments(self, due: Iterable[str] | None = None) -> list[Amendment]:
        """What the late posts (of these keys; None means all) would have changed."""
        wanted = list(self._late) if due is None else self._late.named(due)
        if not wanted:
            return []
        first = min(post.member.t for post in wanted) - self._terms.width
        last = max(post.member.t for post in wanted) + self._terms.width
        standing = (self._known[key].member for _, key in self._window.posts(first - 1, last))
        terms = self._terms
        found = amend(
            terms,
            [member for member in standing if member is not None],
            self._late.between(first, last),
            frozenset(post.key for post in wanted),
            ticks=None if terms.step is None else self._anchors,
        )
        return [
            Amendment(
                rule=terms.rule.id,
                rule_name=terms.rule.name,
                group=self.key,
                anchor=from_us(anchor),
                value=float(value),
                post=key,
            )
            for key, anchor, value in found
        ]

    def late_hits(self) -> list[Hit]:
        """The hits that came too late to count."""
        return [self._known[post.key].hit for post in self._late]

    # ── restart and forgetting ───────────────────────────────────────────────────────────────────────────────────

    def restore(
        self, hits: Iterable[Hit], recorded: Sequence[Alert], *, read_from: int | None, settled_before: int | None
    ) -> None:
        """Take all current hits (highest revisions, withdrawn ones included) and recorded alerts at once. Hits before
        `read_from` were not read: ticks whose windows reach there are not evaluated again. An episode that ended before
        `settled_before` has its alert, whether that is among the `recorded` or not."""
        self._read_from = read_from
        self._settled_before = settled_before
        for hit in hits:
            former = self._known.get(hit.key)
            if former is None or former.hit.revision < hit.revision:
                self._know(hit)
        for standing in self._known.values():
            if standing.member is not None:
                self._window.add(standing.member)
        rows = [Row.of(alert) for alert in recorded]
        if self._terms.step is None:
            self._restore_posts(rows)
            return
        if self._window.first is not None or read_from is None:
            self._recorded = rows
            return
        # The group was silent since `read_from`. That it was seen before is told by an alert that is open.
        self.episodes.restore([], rows, lambda row: None)
        opened = [row.opened for row in rows if row.state == "open"]
        if opened:
            self._ticks_from = min(opened)
            self._recorded = rows

    def forget(self, before: int) -> None:
        """Drop what lies before that time, except what an open episode still needs."""
        opened = [row.opened for row in self.episodes.standing if row.state == "open"]
        keep = min([before, *(first - self._terms.width for first in opened)])
        if self._terms.step is not None and self._window.first is not None:
            begin = self._first_tick()
            self._ticks_from = None if begin is None else max(begin, self._tick_at(keep))
        for key, standing in list(self._known.items()):
            if to_us(standing.hit.t) < keep and to_us(standing.hit.revised_at) < keep:
                del self._known[key]
                self._late.drop(key)
                if standing.member is not None:
                    self._window.remove(standing.member)
        self.episodes.forget(keep)

    @property
    def is_empty(self) -> bool:
        """Is there nothing that could ever matter again?"""
        return not self._known and not self.episodes.rows and self._terms.step is None

    def _restore_posts(self, rows: Sequence[Row]) -> None:
        first, last = -(1 << 62), 1 << 62
        crossings = list(self._terms.crossing(self._window, self._window.anchors(first, last)).anchors)
        orphans = self._unrecorded(self.episodes.restore(crossings, rows, self._withdrawal))
        if not orphans:
            return
        # Crossings that were known but not yet recorded when the worker stopped: the anchor that gives the id is the
        # one that was known first, so the posts come in once more, in the order in which they were collected.
        again = Group(self._terms, self.key)
        for hit in sorted(
            (standing.hit for standing in self._known.values()), key=lambda hit: (hit.revised_at, hit.key)
        ):
            again.apply(hit, known_at=to_us(hit.revised_at))
        mine = [
            row
            for row in again.episodes.standing
            if any(first <= row.opened and row.last <= last for first, last in orphans)
        ]
        ids = {row.id for row in mine}
        merged = [row for row in again.episodes.rows.values() if row.merged_into in ids]
        self.episodes.adopt([*mine, *merged])

    def _restore_ticks(self, rows: Sequence[Row], crossings: list[int]) -> None:
        """Like `_restore_posts`, once the horizon is known and with it the ticks."""

        def withdrawal(row: Row) -> Cause | None:
            if self._read_from is not None and row.opened < self._read_from + self._terms.width:
                return None
            return self._withdrawal(row) or Cause(None, lag=self._terms.lateness, code="behind_horizon")

        orphans = self._unrecorded(self.episodes.restore(crossings, rows, withdrawal))
        self.episodes.open_each(orphans, Cause(None, lag=self._terms.lateness))

    def _unrecorded(self, orphans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Of the episodes that no recorded alert stands for, those that were known only when the worker stopped."""
        return [orphan for orphan in orphans if self._settled_before is None or orphan[1] >= self._settled_before]

    def _withdrawal(self, row: Row) -> Cause | None:
        """Why a recorded row has no crossing any more: the latest change of its posts; None if they were not read."""
        standings = [self._known.get(key) for key in row.evidence]
        hits = [standing.hit for standing in standings if standing is not None]
        if not hits or len(hits) < len(row.evidence):
            return None
        latest = max(hits, key=lambda hit: (hit.revised_at, hit.key))
        return Cause(to_us(latest.revised_at), post=latest.key)

    def _know(self, hit: Hit) -> Member | None:
        """Remember the highest revision of a post; returns the member that counts, if any."""
        member = None if hit.withdrawn else Member(to_us(hit.t), hit.key, hit.of)
        self._late.drop(hit.key)
        if member is not None and self._terms.is_late(hit):
            self._late.add(LatePost(to_us(hit.g), hit.key, member))
            member = None
        elif member is not None and hit.late_of:
            self._late.add(LatePost(to_us(hit.g), hit.key, member._replace(of=hit.of + hit.late_of)))
        self._known[hit.key] = Standing(hit, member)
        return member


def _missing(some: Sequence[int], others: Sequence[int]) -> list[int]:
    """The ascending numbers in `some` that are not in `others`, which are ascending too. Mostly there are none, or
    they stand before or after all others: no need to look at every one."""
    if len(some) <= len(others) and some == others[: len(some)]:
        return []
    if len(some) > len(others):
        more = len(some) - len(others)
        if some[more:] == others:
            return list(some[:more])
        if some[: len(others)] == others:
            return list(some[len(others) :])
    known = set(others)
    return [number for number in some if number not in known]


def _reads_the_same(hit: Hit, other: Hit) -> bool:
    return (hit.t, hit.of, hit.withdrawn) == (other.t, other.of, other.withdrawn)
