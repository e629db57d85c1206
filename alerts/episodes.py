"""Episodes of one rule and group, and the alert rows that stand for them.

The episodes are a function of the crossing anchors: chains with gaps of at most `resolve_after`. The rows are a fold
over the sequence of those: a row is created with the first crossing, keeps its id whatever moves, takes in what joins
it, and is told about in notices, each made once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from typing import NamedTuple

from alerts.alert_row import Row
from alerts.rule import When
from alerts.spans import Spans, chain
from alerts.windows import Readings

__all__ = ["Cause", "Change", "Episodes"]

Evidence = Callable[[Sequence[int]], tuple[str, ...]]
"""The keys of every post in the windows of these anchors, by (t, key)."""
Measure = Callable[[Sequence[int]], Readings]
"""What each of these ascending anchors sees."""
Name = Callable[[int, int], str]
"""The id of a row with this opening anchor; the second number tells rows apart whose opening anchors are the same,
because an edit moved the first one away from where it was opened."""


class Cause(NamedTuple):
    """Why something changes now: the post behind it, and `code`, the word for a row that it leaves without an episode.

    What is seen at an anchor becomes known at `known_at` or, for ticks, which the horizon passes one by one, `lag`
    after the anchor.
    """

    known_at: int | None
    lag: int = 0
    post: str = ""
    code: str = "withdrawn"

    def known(self, anchor: int) -> int:
        """When what is seen at `anchor` became known."""
        return self.known_at if self.known_at is not None else anchor + self.lag


class Change(NamedTuple):
    """What one step did to the crossings: those gone, those new, and what all crossing anchors that it touched see
    now. `lowered` means that other numbers than those in `seen` may have become less extreme."""

    removed: Sequence[int]
    added: Sequence[int]
    seen: Readings
    lowered: bool = False


_NOTHING = Change((), (), Readings((), ()))


class Piece(NamedTuple):
    """A run of crossings, and the row that had it before."""

    first: int
    last: int
    row: Row | None


class Episodes:
    """The crossings of one group in order, and its rows."""

    __slots__ = (
        "_changed",
        "_escalate",
        "_evidence",
        "_measure",
        "_name",
        "_reach",
        "_standing",
        "_when",
        "crossings",
        "rows",
    )

    def __init__(
        self,
        *,
        reach: int,
        when: When,
        escalate: Sequence[float],
        name: Name,
        measure: Measure,
        evidence: Evidence,
    ) -> None:
        self._reach = reach
        self._when = when
        self._escalate = escalate
        self._name = name
        self._measure = measure
        self._evidence = evidence
        self.crossings: list[int] = []
        self.rows: dict[str, Row] = {}
        self._changed: list[Row] = []
        self._standing: list[Row] = []

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, change: Change, cause: Cause, gone: Evidence) -> None:
        """Take in one step. `gone` gives the evidence of anchors as it was before the step."""
        bounds = [bound for some in (change.removed, change.seen.anchors) if some for bound in (some[0], some[-1])]
        if not bounds:
            return
        low, high = min(bounds), max(bounds)
        begin, end = self._near(low, high)
        near = self._standing[begin:end]
        pieces = self._pieces(near, change)
        self._update_crossings(change)
        standing = self._settle(near, pieces, change, cause, gone)
        self._standing[begin:end] = standing
        for row in standing:  # the evidence follows the posts even where nothing else does
            row.changed = row.changed or (row.opened <= high and low <= row.last)
        self._note(near, standing)

    def restore(
        self, crossings: list[int], known: Sequence[Row], withdrawal: Callable[[Row], Cause | None]
    ) -> list[tuple[int, int]]:
        """Take recorded rows and the crossings of all current posts; returns the episodes that no row stands for,
        for which the caller has to `adopt` rows. A row without any crossing is retracted if `withdrawal` knows the
        cause; otherwise its posts were not read, because it is settled."""
        self.crossings = crossings
        self.rows = {row.id: row for row in known}
        episodes = chain(crossings, self._reach)
        near = sorted((row for row in known if row.is_standing), key=_by_opening)
        kept = Spans([(row.opened, row.last) for row in near])
        orphans = [(first, last) for first, last in episodes if not kept.meets(first, last)]
        ours = Spans([episode for episode in episodes if kept.meets(*episode)])
        empty = [row for row in near if not ours.meets(row.opened, row.last)]
        for row in empty:
            cause = withdrawal(row)
            if cause is not None:
                self._retract(row, _NOTHING, cause, None)
        near = [row for row in near if ours.meets(row.opened, row.last)]
        pieces = [Piece(first, last, None) for first, last in ours]
        pieces += [
            Piece(max(first, row.opened), min(last, row.last), row)
            for row in near
            for first, last in ours.meeting(row.opened, row.last)
        ]
        added = [anchor for anchor in crossings if ours.meets(anchor, anchor) and not kept.meets(anchor, anchor)]
        standing = self._settle(near, pieces, Change((), added, Readings((), ()), lowered=True), Cause(None), None)
        for row in standing:
            row.changed = row.changed or self.evidence_of(row) != row.evidence
        self._standing = sorted([*standing, *(row for row in empty if row.is_standing)], key=_by_opening)
        self._note(near, standing, empty)
        return orphans

    def adopt(self, rows: Sequence[Row]) -> None:
        """Take rows that were made elsewhere for episodes of the current crossings."""
        for made in rows:
            row = self.rows.get(made.id)
            if row is None:
                row = self.rows[made.id] = made
            elif made.is_standing:
                row.reopen(made.opened)
                row.opened, row.last, row.value = made.opened, made.last, made.value
            if row.is_standing:
                insort(self._standing, row, key=_by_opening)
            self._note([row])

    def open_each(self, episodes: Sequence[tuple[int, int]], cause: Cause) -> None:
        """Make a row for each of these episodes of the current crossings."""
        change = _NOTHING._replace(lowered=True)
        for first, last in episodes:
            row = self._stand(first, last, [], change, cause)
            insort(self._standing, row, key=_by_opening)
            self._note([row])

    def forget(self, before: int) -> None:
        """Drop crossings and settled rows that lie wholly before that time."""
        del self.crossings[: bisect_left(self.crossings, before)]
        self.rows = {row.id: row for row in self.rows.values() if row.state == "open" or row.last >= before}
        self._standing = [row for row in self._standing if row.id in self.rows]

    def evidence_of(self, row: Row) -> tuple[str, ...]:
        """The keys of every post in the windows of the row's crossings."""
        return self._evidence(self._crossings_of(row)) if row.is_standing else row.evidence

    def take_changed(self) -> list[Row]:
        """Rows changed since the last call."""
        changed, self._changed = self._changed, []
        return changed

    @property
    def standing(self) -> Sequence[Row]:
        """Rows that stand for an episode, in order of time."""
        return self._standing

    # ── the steps of a change ────────────────────────────────────────────────────────────────────────────────────

    def _near(self, low: int, high: int) -> tuple[int, int]:
        """Bounds of the standing rows (disjoint, in order) that reach into [low, high]."""
        begin = bisect_left(self._standing, low - self._reach, key=lambda row: row.last)
        end = bisect_right(self._standing, high + self._reach, key=_by_opening)
        return begin, max(begin, end)

    def _pieces(self, near: Sequence[Row], change: Change) -> list[Piece]:
        """What is left of each row's run of crossings, and each new crossing by itself."""
        removed = frozenset(change.removed)
        pieces = [Piece(anchor, anchor, None) for anchor in change.added]
        for row in near:
            if not any(row.opened <= anchor <= row.last for anchor in removed):
                pieces.append(Piece(row.opened, row.last, row))
                continue
            left = chain([anchor for anchor in self._crossings_of(row) if anchor not in removed], self._reach)
            # A row that lost everything follows a post whose time was edited, when it is still within reach.
            moved = left or [
                (anchor, anchor)
                for anchor in change.added
                if row.opened - self._reach <= anchor <= row.last + self._reach
            ]
            pieces += [Piece(first, last, row) for first, last in moved]
        return pieces

    def _update_crossings(self, change: Change) -> None:
        crossings = self.crossings
        for anchor in change.removed:
            del crossings[bisect_left(crossings, anchor)]
        if change.added and (not crossings or change.added[0] > crossings[-1]):
            crossings.extend(change.added)
        else:
            for anchor in change.added:
                insort(crossings, anchor)

    def _settle(
        self, near: Sequence[Row], pieces: list[Piece], change: Change, cause: Cause, gone: Evidence | None
    ) -> list[Row]:
        """Join pieces to episodes, give each its row, and tell; returns the rows that stand, in order."""
        episodes: list[tuple[int, int]] = []
        rows_of: list[list[Row]] = []
        for piece in sorted(pieces, key=lambda piece: (piece.first, piece.last)):
            if episodes and piece.first - episodes[-1][1] <= self._reach:
                episodes[-1] = (episodes[-1][0], max(episodes[-1][1], piece.last))
            else:
                episodes.append((piece.first, piece.last))
                rows_of.append([])
            if piece.row is not None and piece.row not in rows_of[-1]:
                rows_of[-1].append(piece.row)
        homes = {row.id: _home(row, episodes, rows_of) for row in near}
        for row in near:
            if homes[row.id] is None:
                self._retract(row, change, cause, gone)
        standing: list[Row] = []
        for number, (first, last) in enumerate(episodes):
            candidates = [row for row in rows_of[number] if homes[row.id] == number]
            standing.append(self._stand(first, last, candidates, change, cause))
        return standing

    def _stand(self, first: int, last: int, candidates: list[Row], change: Change, cause: Cause) -> Row:
        """The row that stands for the episode [first, last]: made, continued, or left over from a merge."""
        added = [anchor for anchor in change.added if first <= anchor <= last]
        if not candidates:
            row = self._open(first, cause)
        else:
            row, *others = sorted(candidates, key=lambda row: (row.opening_anchor, row.id))
            for other in others:
                self._merge(other, row, at=min(added, default=other.opened))
            if row.state == "resolved" and added:
                row.reopen(min(added))
        if (row.opened, row.last) != (first, last):
            row.opened, row.last, row.changed = first, last, True
        if row.state == "resolved" and row.resolved != last + self._reach:
            row.resolved, row.changed = last + self._reach, True
        seen = change.seen.within(first, last)
        known = [other.value for other in candidates or [row] if other.value is not None]
        if change.lowered or not (known or seen.values):
            whole = self._measure(self._crossings_of(row))
            if whole.values:  # else its posts were not read, because it was settled before the restart
                seen, known = whole, []
        most = max if self._when.is_monotone else min  # `lt` and `lte` look for little
        value = most([*known, *seen.values])
        if row.value != value:
            row.value, row.changed = value, True
        self._tell_thresholds(row, seen)
        return row

    def _open(self, anchor: int, cause: Cause) -> Row:
        again = 0
        while (row := self.rows.get(row_id := self._name(anchor, again))) is not None and row.is_standing:
            again += 1
        if row is not None:  # what was retracted or merged stands for itself again
            row.value, row.evidence = None, ()
            row.reopen(anchor)
            return row
        row = self.rows[row_id] = Row(row_id, anchor=anchor, known_at=cause.known(anchor))
        row.tell("open", anchor)
        return row

    def _merge(self, row: Row, survivor: Row, *, at: int) -> None:
        row.evidence = self.evidence_of(row)
        row.state, row.merged_into, row.resolved = "merged", survivor.id, None
        row.tell("merge", at, about=survivor.id)
        row.changed = True

    def _retract(self, row: Row, change: Change, cause: Cause, gone: Evidence | None) -> None:
        """No anchor crosses any more; the row keeps what it last said."""
        lost = [anchor for anchor in change.removed if row.opened <= anchor <= row.last]
        if gone is not None:
            row.evidence = gone(lost)
        row.state, row.resolved = "retracted", None
        row.reason = {"code": cause.code, "post": cause.post} if cause.post else {"code": cause.code}
        row.tell("retract", cause.known(row.last))
        row.changed = True

    def _tell_thresholds(self, row: Row, seen: Readings) -> None:
        """One notice for each threshold that the number has reached, at the earliest anchor known to reach it."""
        for threshold in self._escalate:
            about = f"{threshold:g}"
            if f"escalate:{about}" in row.told or not self._reaches(row.value, threshold):
                continue
            for readings in (seen, self._measure(self._crossings_of(row))):
                reached = (a for a, value in zip(*readings, strict=True) if self._reaches(value, threshold))
                anchor = next(reached, None)
                if anchor is not None:
                    row.tell("escalate", anchor, about=about)
                    break

    def _reaches(self, value: float | None, threshold: float) -> bool:
        if value is None:
            return False
        return value >= threshold if self._when.is_monotone else value <= threshold

    def _crossings_of(self, row: Row) -> list[int]:
        return self.crossings[bisect_left(self.crossings, row.opened) : bisect_right(self.crossings, row.last)]

    def _note(self, *rows: Sequence[Row]) -> None:
        self._changed += {row.id: row for some in rows for row in some if row.changed}.values()


def _by_opening(row: Row) -> int:
    return row.opened


def _home(row: Row, episodes: Sequence[tuple[int, int]], rows_of: Sequence[Sequence[Row]]) -> int | None:
    """Which episode a row goes on to stand for: the one with its opening anchor, else the earliest that it had."""
    numbers = [number for number, rows in enumerate(rows_of) if row in rows]
    for number in numbers:
        if episodes[number][0] <= row.opening_anchor <= episodes[number][1]:
            return number
    return numbers[0] if numbers else None
