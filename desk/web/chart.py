"""A time chart as numbers for the SVG macro: two lines over the same hours, and the table that is their source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

__all__ = ["HEIGHT", "WIDTH", "Chart", "Row", "Tick", "draw"]

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 24
_MOST_LABELS = 10
"""Below the chart; more of them would run into each other."""


class Row(Struct, frozen=True, kw_only=True):
    """One step of time: what the table shows."""

    start: datetime
    posts: int
    flagged: int


class Tick(Struct, frozen=True, kw_only=True):
    """A labelled place on one axis, in the chart's own units."""

    at: float
    label: str


class Chart(Struct, frozen=True, kw_only=True):
    """Everything that the macro writes. `posts` is an area and a line on the same points, `flagged` a line."""

    rows: tuple[Row, ...]
    posts: str
    area: str
    flagged: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]

    @property
    def total(self) -> int:
        return sum(row.posts for row in self.rows)

    @property
    def total_flagged(self) -> int:
        return sum(row.flagged for row in self.rows)


def draw(
    posts: Mapping[datetime, int],
    flagged: Mapping[datetime, int],
    *,
    start: datetime,
    steps: int,
    step: timedelta,
) -> Chart:
    """Both series over `steps` steps from `start`, steps without a post as zero."""
    rows = tuple(
        Row(start=at, posts=posts.get(at, 0), flagged=flagged.get(at, 0))
        for at in (start + step * number for number in range(steps))
    )
    top = _round_up(max((max(row.posts, row.flagged) for row in rows), default=0))
    width, floor = WIDTH - _LEFT - _RIGHT, HEIGHT - _BOTTOM
    height = floor - _TOP

    def line(numbers: Sequence[int]) -> str:
        gap = width / max(1, len(numbers) - 1)
        return " ".join(
            f"{_LEFT + gap * place:.1f},{floor - height * number / top:.1f}" for place, number in enumerate(numbers)
        )

    curve = line([row.posts for row in rows])
    gap = width / max(1, steps - 1)
    labelled = [place for place, row in enumerate(rows) if _is_labelled(row.start, step)]
    every = -(-len(labelled) // _MOST_LABELS) or 1
    return Chart(
        rows=rows,
        posts=curve,
        area=f"{_LEFT},{floor} {curve} {WIDTH - _RIGHT},{floor}",
        flagged=line([row.flagged for row in rows]),
        across=tuple(
            Tick(at=round(_LEFT + gap * place, 1), label=_label(rows[place].start, step)) for place in labelled[::every]
        ),
        up=tuple(Tick(at=round(floor - height * share, 1), label=f"{int(top * share):,}") for share in (0.0, 0.5, 1.0)),
    )


def _round_up(number: int) -> int:
    """The next even number of the form 2, 4, 6, 8, 10 times a power of ten, so that the half is a whole number."""
    power = 1
    while number > 10 * power:
        power *= 10
    return next(power * step for step in (2, 4, 6, 8, 10) if power * step >= number)


def _is_labelled(start: datetime, step: timedelta) -> bool:
    if step < timedelta(hours=6):
        return start.hour % 12 == 0
    return start.hour == 0 if step < timedelta(days=1) else start.weekday() == 0


def _label(start: datetime, step: timedelta) -> str:
    if step < timedelta(days=1) and start.hour:
        return f"{start:%H:%M}"
    return f"{start.day} {start:%b}"
