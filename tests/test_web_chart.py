"""The time chart: numbers to points, the table as its source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from desk.web.chart import draw
from desk.web.rendering import plain_moment, span_of_time, ticks

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_steps_without_a_post_stand_in_the_table_as_zero() -> None:
    chart = draw({NOON: 4, NOON + 2 * HOUR: 1}, {NOON: 2}, start=NOON, steps=3, step=HOUR)
    assert [(row.posts, row.flagged) for row in chart.rows] == [(4, 2), (0, 0), (1, 0)]
    assert (chart.total, chart.total_flagged) == (5, 2)


def test_the_line_runs_from_edge_to_edge_and_from_floor_to_top() -> None:
    chart = draw({NOON: 0, NOON + HOUR: 4}, {}, start=NOON, steps=2, step=HOUR)
    assert chart.posts == "44.0,176.0 712.0,10.0"
    assert chart.area == "44,176 44.0,176.0 712.0,10.0 712,176"
    assert [(tick.at, tick.label) for tick in chart.up] == [(176.0, "0"), (93.0, "2"), (10.0, "4")]


@pytest.mark.parametrize(
    ("steps", "step", "labels"),
    [
        (48, HOUR, ["11 Mar", "12:00", "12 Mar", "12:00"]),
        (4 * 14, 6 * HOUR, ["10 Mar", "12 Mar", "14 Mar", "16 Mar", "18 Mar", "20 Mar", "22 Mar"]),
        (28, 24 * HOUR, ["15 Mar", "22 Mar", "29 Mar", "5 Apr"]),
    ],
)
def test_so_few_times_are_written_below_the_chart_that_they_stand_apart(
    steps: int, step: timedelta, labels: list[str]
) -> None:
    start = NOON.replace(hour=0) if step > HOUR else NOON + HOUR
    across = draw({}, {}, start=start, steps=steps, step=step).across
    assert [tick.label for tick in across] == labels
    assert all(later.at - former.at > 50 for former, later in pairwise(across))


@pytest.mark.parametrize(
    ("most", "top"), [(0, "2"), (1, "2"), (2, "2"), (5, "6"), (10, "10"), (11, "20"), (61, "80"), (950, "1,000")]
)
def test_the_scale_ends_at_a_round_even_number(most: int, top: str) -> None:
    assert draw({NOON: most}, {}, start=NOON, steps=1, step=HOUR).up[-1].label == top


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(minutes=12, seconds=30), "12 min"),
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=1, hours=5), "1 day 5 h"),
        (timedelta(days=4, hours=5), "4 days"),
    ],
)
def test_a_length_of_time_is_said_in_the_units_that_matter(length: timedelta, words: str) -> None:
    assert span_of_time(length) == words


def test_a_moment_is_told_in_utc() -> None:
    assert plain_moment(NOON) == "10 Mar 2027, 12:00"


def test_backticks_become_code_and_everything_is_escaped() -> None:
    assert ticks("no field `<b>`; did you mean `flag`?") == (
        "no field <code>&lt;b&gt;</code>; did you mean <code>flag</code>?"
    )
    assert ticks("one ` alone <i>") == "one ` alone &lt;i&gt;"
