"""Two things measured by turns in one run, and how they compare."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.cluster.passage import Passage

__all__ = ["Ratio", "alternate", "ratio"]


class Ratio(NamedTuple):
    """Median, least and largest of the ratios of the rounds."""

    median: float
    least: float
    largest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}–{self.largest:.2f})"


def alternate(
    rounds: int, one: Callable[[], Passage], other: Callable[[], Passage]
) -> tuple[list[Passage], list[Passage]]:
    """A-B-A-B: whatever else the machine does meets both."""
    ones: list[Passage] = []
    others: list[Passage] = []
    for _ in range(rounds):
        ones.append(one())
        others.append(other())
    return ones, others


def ratio(ones: Sequence[Passage], others: Sequence[Passage]) -> Ratio:
    """How many times faster `ones` are, round by round."""
    found = [a.per_s / b.per_s for a, b in zip(ones, others, strict=True)]
    return Ratio(statistics.median(found), min(found), max(found))
