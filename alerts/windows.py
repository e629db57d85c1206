"""One window: the hits of one rule and group that count, and the number that is seen from each anchor.

An anchor `a` sees the hits with `a - width < t <= a` (docs/alert-rules.md, "Time"). All times are microseconds
(`instants`). Adding and removing a hit costs a binary search; reading ascending anchors costs one pass over what they
see.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from typing import Literal, NamedTuple

__all__ = ["Counts", "Member", "Readings", "Window"]

Counts = Literal["presence", "posts", "values"]
"""What a window's number is: 1 when there is any post (`match`), posts (`count`), distinct values (`distinct`)."""


class Member(NamedTuple):
    """A hit that counts: event time, post key, and the values that it brings."""

    t: int
    key: str
    of: tuple[str, ...] = ()


class Readings(NamedTuple):
    """Anchors, ascending, and the number that each of them sees."""

    anchors: Sequence[int]
    values: Sequence[int]

    def within(self, first: int, last: int) -> Readings:
        """Those with an anchor in [first, last]."""
        low, high = bisect_left(self.anchors, first), bisect_right(self.anchors, last)
        return Readings(self.anchors[low:high], self.values[low:high])

    def beyond(self, former: Readings) -> Readings:
        """Those that are new or see a larger number than in `former`."""
        if not former.anchors:
            return self
        known = dict(zip(*former, strict=True))
        pairs = [pair for pair in zip(*self, strict=True) if pair[1] > known.get(pair[0], -1)]
        return Readings([anchor for anchor, _ in pairs], [value for _, value in pairs])


class Window:
    """The members of one group in order of (t, key), read at any anchor.

    Distinct values are counted without looking at them again: each value covers the anchors of `[t, t + width)` for
    every hit that brings it, and the number at an anchor is how many such (merged) ranges have begun minus how many
    have ended.
    """

    __slots__ = ("_counts", "_ends", "_keys", "_starts", "_times", "_times_by_value", "width")

    def __init__(self, width: int, counts: Counts) -> None:
        self.width = width
        self._counts = counts
        self._times: list[int] = []
        self._keys: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._times_by_value: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._times)

    @property
    def first(self) -> int | None:
        """The earliest member's time."""
        return self._times[0] if self._times else None

    def add(self, member: Member) -> None:
        """Count a hit; its key must not be counted yet."""
        place = self._place(member.t, member.key)
        self._times.insert(place, member.t)
        self._keys.insert(place, member.key)
        if self._counts == "values":
            for value in member.of:
                self._cover(value, member.t)

    def remove(self, member: Member) -> None:
        """Count a hit no longer; exactly this member must have been added."""
        place = self._place(member.t, member.key)
        del self._times[place], self._keys[place]
        if self._counts == "values":
            for value in member.of:
                self._uncover(value, member.t)

    def anchors(self, first: int, last: int) -> list[int]:
        """The distinct times of members in [first, last], ascending."""
        times = self._times
        inside = times[bisect_left(times, first) : bisect_right(times, last)]
        return inside if len(inside) < 2 else list(dict.fromkeys(inside))

    def posts(self, after: int, until: int) -> list[tuple[int, str]]:
        """(t, key) of the members with after < t <= until, in order."""
        low, high = bisect_right(self._times, after), bisect_right(self._times, until)
        return list(zip(self._times[low:high], self._keys[low:high], strict=True))

    def values(self, anchors: Sequence[int]) -> list[int]:
        """The number of the condition that each of the ascending `anchors` sees."""
        if self._counts == "values":
            return _open_at(self._starts, self._ends, 0, anchors)
        posts = self.sizes(anchors)
        return posts if self._counts == "posts" else [min(number, 1) for number in posts]

    def sizes(self, anchors: Sequence[int]) -> list[int]:
        """How many posts each of the ascending `anchors` sees."""
        return _open_at(self._times, self._times, self.width, anchors)

    def _place(self, t: int, key: str) -> int:
        """Where (t, key) stands or would stand."""
        low, high = bisect_left(self._times, t), bisect_right(self._times, t)
        return bisect_left(self._keys, key, low, high)

    def _cover(self, value: str, t: int) -> None:
        times = self._times_by_value.setdefault(value, [])
        place = bisect_right(times, t)
        former, following = self._neighbours(times, place)
        times.insert(place, t)
        if self._are_joined(former, following):
            return
        if self._are_joined(former, t):
            _take(self._ends, former + self.width)
        else:
            insort(self._starts, t)
        if self._are_joined(t, following):
            _take(self._starts, following)
        else:
            insort(self._ends, t + self.width)

    def _uncover(self, value: str, t: int) -> None:
        times = self._times_by_value[value]
        place = bisect_left(times, t)
        del times[place]
        if not times:
            del self._times_by_value[value]
        former, following = self._neighbours(times, place)
        if self._are_joined(former, following):
            return
        if self._are_joined(former, t):
            insort(self._ends, former + self.width)
        else:
            _take(self._starts, t)
        if self._are_joined(t, following):
            insort(self._starts, following)
        else:
            _take(self._ends, t + self.width)

    def _neighbours(self, times: list[int], place: int) -> tuple[int, int]:
        """The times before and at `place`, or ones too far away to matter."""
        far = 1 << 62
        return (times[place - 1] if place else -far), (times[place] if place < len(times) else far)

    def _are_joined(self, former: int, following: int) -> bool:
        """Does the range of the one run into the range of the other?"""
        return following - former < self.width


def _open_at(starts: list[int], ends: list[int], delay: int, anchors: Sequence[int]) -> list[int]:
    """For each ascending anchor how many `starts` are at or before it, less how many `ends` plus `delay` are."""
    if not anchors:
        return []
    begun, ended = bisect_right(starts, anchors[0]), bisect_right(ends, anchors[0] - delay)
    all_starts, all_ends = len(starts), len(ends)
    open_at: list[int] = []
    for anchor in anchors:
        while begun < all_starts and starts[begun] <= anchor:
            begun += 1
        gone = anchor - delay
        while ended < all_ends and ends[ended] <= gone:
            ended += 1
        open_at.append(begun - ended)
    return open_at


def _take(ordered: list[int], number: int) -> None:
    del ordered[bisect_left(ordered, number)]
