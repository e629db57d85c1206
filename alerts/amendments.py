"""What late posts would have changed: recorded, never paged.

A late post is looked at over the posts on time plus the late ones with a smaller (g, key), as if it had come in time.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from alerts.terms import Terms
from alerts.windows import Member, Readings

__all__ = ["LatePost", "LatePosts", "amend"]


class LatePost(NamedTuple):
    """A hit that came too late to count, with the ingest time of its post; sorts by (g, key)."""

    g: int
    key: str
    member: Member


class LatePosts:
    """The late posts of one group, found by key and by time."""

    __slots__ = ("_by_key", "_order")

    def __init__(self) -> None:
        self._by_key: dict[str, LatePost] = {}
        self._order: list[tuple[int, str]] = []

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[LatePost]:
        return iter(self._by_key.values())

    def add(self, post: LatePost) -> None:
        """Keep a late post; its key must not be kept yet."""
        self._by_key[post.key] = post
        insort(self._order, (post.member.t, post.key))

    def drop(self, key: str) -> None:
        """Forget a post, if it is here."""
        post = self._by_key.pop(key, None)
        if post is not None:
            del self._order[bisect_left(self._order, (post.member.t, key))]

    def named(self, keys: Iterable[str]) -> list[LatePost]:
        """Those of these keys that are here."""
        return [self._by_key[key] for key in keys if key in self._by_key]

    def between(self, first: int, last: int) -> list[LatePost]:
        """Those with an event time in [first, last]."""
        low, high = bisect_left(self._order, (first, "")), bisect_left(self._order, (last + 1, ""))
        return [self._by_key[key] for _, key in self._order[low:high]]


_NOTHING = Readings((), ())


def amend(
    terms: Terms,
    on_time: Sequence[Member],
    late: Sequence[LatePost],
    wanted: frozenset[str],
    *,
    ticks: Callable[[int, int], Sequence[int]] | None,
) -> list[tuple[str, int, int]]:
    """(post key, anchor, number that the anchor would have seen) for each `wanted` late post that would have opened,
    enlarged or prevented an episode. `ticks` gives the ticks in [first, last] of a tick-driven rule. A post of which a
    part is `on_time` too (a late edit added values) enlarges an episode only where it makes the number larger.

    The anchor is the one with the largest number among those where it makes the difference, the earliest on a tie.
    """
    window = terms.window()
    anchors = window.anchors if ticks is None else ticks
    counted = {member.key: member for member in on_time}
    for member in on_time:
        window.add(member)
    found: list[tuple[str, int, int]] = []
    for post in sorted(late):
        first, last = post.member.t, post.member.t + terms.width - 1
        part = counted.get(post.key)
        before = _NOTHING if ticks is None and part is None else terms.crossing(window, anchors(first, last))
        if part is not None:
            window.remove(part)
        window.add(post.member)
        if post.key not in wanted:
            continue
        if ticks is None:
            changed = terms.crossing(window, anchors(first, last)).beyond(before)
        else:
            crossing = terms.crossing(window, anchors(first, last))
            differing = sorted(set(before.anchors) ^ set(crossing.anchors))
            changed = Readings(differing, window.values(differing))
        if changed.anchors:
            value = max(changed.values)
            found.append((post.key, changed.anchors[changed.values.index(value)], value))
    return found
