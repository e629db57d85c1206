"""What late posts would have changed: recorded, never paged (alert-rules.md §3.3).

A late post is looked at over the posts on time plus the late ones with a smaller (g, key), as if it had come in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from alerts.terms import Terms
from alerts.windows import Member, Readings

__all__ = ["LatePost", "amend"]


class LatePost(NamedTuple):
    """A hit that came too late to count, with the ingest time of its post; sorts by (g, key)."""

    g: int
    key: str
    member: Member


def amend(
    terms: Terms,
    on_time: Sequence[Member],
    late: Sequence[LatePost],
    wanted: frozenset[str],
    *,
    ticks: Callable[[int, int], Sequence[int]] | None,
) -> list[tuple[str, int, int]]:
    """(post key, anchor, number that the anchor would have seen) for each `wanted` late post that would have opened,
    enlarged or prevented an episode. `ticks` gives the ticks in [first, last] of a tick-driven rule.

    The anchor is the one with the largest number among those where it makes the difference, the earliest on a tie.
    """
    window = terms.window()
    for member in on_time:
        window.add(member)
    found: list[tuple[str, int, int]] = []
    for post in sorted(late):
        first, last = post.member.t, post.member.t + terms.width - 1
        crossed = () if ticks is None else terms.crossing(window, ticks(first, last)).anchors
        window.add(post.member)
        if post.key not in wanted:
            continue
        if ticks is None:
            changed = terms.crossing(window, window.anchors(first, last))
        else:
            crossing = terms.crossing(window, ticks(first, last)).anchors
            anchors = sorted(set(crossed) ^ set(crossing))
            changed = Readings(anchors, window.values(anchors))
        if changed.anchors:
            value = max(changed.values)
            found.append((post.key, changed.anchors[changed.values.index(value)], value))
    return found
