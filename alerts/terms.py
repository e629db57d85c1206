"""What one rule says about time and number, worked out once: in microseconds, and as bounds of whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from math import ceil, floor

from alerts.instants import span_us, to_us
from alerts.rule import Rule
from alerts.windows import Counts, Readings, Window
from hustings.types import Hit

__all__ = ["Terms"]

_COUNTS: dict[str, Counts] = {"match": "presence", "count": "posts", "distinct": "values"}
_INSTANT = 1
"""Microseconds: the width of a window that sees only its own anchor, for `match`, which has none."""


class Terms:
    """Durations, bounds and kind of one rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.width = _INSTANT if rule.window is None else span_us(rule.window)
        self.lateness = span_us(rule.lateness)
        self.reach = span_us(rule.resolve_after)
        self.renotify = None if rule.renotify is None else span_us(rule.renotify)
        self.step = None if rule.step is None or not rule.is_tick_driven else span_us(rule.step)
        self.active_from = None if rule.active_from is None else to_us(rule.active_from)
        self.ends = None if rule.ends is None else to_us(rule.ends)
        when = rule.when
        lower = [ceil(when.gte)] if when.gte is not None else [] if when.gt is None else [floor(when.gt) + 1]
        upper = [floor(when.lte)] if when.lte is not None else [] if when.lt is None else [ceil(when.lt) - 1]
        self._least, self._most = min(lower, default=0), max(upper, default=1 << 62)

    def window(self) -> Window:
        """An empty window of this rule."""
        return Window(self.width, _COUNTS[self.rule.kind])

    def crossing(self, window: Window, anchors: Sequence[int]) -> Readings:
        """Those of the ascending `anchors` whose sight meets the condition and the guard, with their numbers."""
        least, most, guard = self._least, self._most, self.rule.min_posts
        values = window.values(anchors)
        if not guard and values and least <= min(values) and max(values) <= most:
            return Readings(anchors if isinstance(anchors, list) else list(anchors), values)
        crosses = [least <= value <= most for value in values]
        if guard:
            crosses = [meets and posts >= guard for meets, posts in zip(crosses, window.sizes(anchors), strict=True)]
        return Readings(list(compress(anchors, crosses)), list(compress(values, crosses)))

    def is_late(self, hit: Hit) -> bool:
        """Did the post, or this revision of it, come later than the rule waits?"""
        if hit.g - hit.t > self.rule.lateness:
            return True
        return hit.revision > 0 and hit.revised_at - hit.t > self.rule.lateness
