"""What late posts would have changed: recorded, never paged (alert-rules.md §3.3).

A late post is looked at over the posts on time plus the late ones with a smaller (g, key), as if it had come in time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from alerts.windows import Member, Reading, Window

__all__ = ["LatePost", "amend"]


class LatePost(NamedTuple):
    """A hit that came too late to count, with the ingest time of its post; sorts by (g, key)."""

    g: int
    key: str
    member: Member


def amend(
    on_time: Sequence[Member],
    late: Sequence[LatePost],
    wanted: frozenset[str],
    *,
    window: Window,
    crosses: Callable[[Reading], bool],
    ticks: Callable[[int, int], Sequence[int]] | None,
) -> list[tuple[str, Reading]]:
    """(post key, what its anchor would have seen) for each `wanted` late post that would have opened, enlarged or
    prevented an episode. `window` is an empty one; `ticks` gives the ticks in [first, last] of a tick-driven rule.

    The anchor is the one with the largest number among those where it makes the difference, the earliest on a tie.
    """
    for member in on_time:
        window.add(member)
    found: list[tuple[str, Reading]] = []
    for post in sorted(late):
        first, last = post.member.t, post.member.t + window.width - 1
        crossed_before: set[int] = set()
        if ticks is not None:
            crossed_before = {r.anchor for r in window.read(ticks(first, last)) if crosses(r)}
        window.add(post.member)
        if post.key not in wanted:
            continue
        if ticks is None:
            changed = [r for r in window.read(window.anchors(first, last)) if crosses(r)]
        else:
            changed = [r for r in window.read(ticks(first, last)) if crosses(r) is not (r.anchor in crossed_before)]
        if changed:
            found.append((post.key, max(changed, key=lambda reading: (reading.value, -reading.anchor))))
    return found
