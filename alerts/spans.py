"""Closed spans of whole numbers: episodes out of crossings, overlaps, and the search for them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

__all__ = ["Spans", "chain", "joined"]


def chain(anchors: Sequence[int], reach: int) -> list[tuple[int, int]]:
    """Episodes as (first, last): the maximal runs of ascending `anchors` whose gaps are at most `reach`."""
    episodes: list[tuple[int, int]] = []
    for anchor in anchors:
        if episodes and anchor - episodes[-1][1] <= reach:
            episodes[-1] = (episodes[-1][0], anchor)
        else:
            episodes.append((anchor, anchor))
    return episodes


def joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Closed spans as disjoint ones in order."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


class Spans:
    """Disjoint closed spans in order, searched by halving."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._spans = spans

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._spans)

    def meeting(self, first: int, last: int) -> list[tuple[int, int]]:
        """The spans that have a point in common with [first, last]."""
        begin = bisect_left(self._spans, first, key=lambda span: span[1])
        end = bisect_right(self._spans, last, key=lambda span: span[0])
        return self._spans[begin:end]

    def meets(self, first: int, last: int) -> bool:
        return bool(self.meeting(first, last))
