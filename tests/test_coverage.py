"""Silence of a region: all its sources quiet at once, for longer than they usually are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hustings.source_health import SourceHealth
from runtime.coverage import silences

START = datetime(2027, 3, 10, tzinfo=UTC)


def health(minutes: list[float]) -> SourceHealth:
    return SourceHealth().after_posts([START + timedelta(minutes=m) for m in minutes])


def every(
    step: float, *, until: float = 6000, offset: float = 0, silent: tuple[float, float] | None = None
) -> list[float]:
    stamps = [offset + step * n for n in range(int(until / step))]
    return [m for m in stamps if silent is None or not silent[0] <= m < silent[1]]


def test_a_region_that_falls_silent_is_found_with_its_time() -> None:
    found = silences(
        {"a": health(every(50, silent=(1000, 1300))), "b": health(every(70, offset=9, silent=(1000, 1300)))},
        {"a": "South", "b": "South"},
    )
    assert [(s.region, s.sources) for s in found] == [("South", ("a", "b"))]
    assert found[0].start <= START + timedelta(minutes=1000)
    assert found[0].end >= START + timedelta(minutes=1300)


def test_one_source_alone_that_stops_is_not_a_silent_region() -> None:
    stopped = {"a": health(every(50, silent=(1000, 1300))), "b": health(every(70))}
    assert silences(stopped, {"a": "South", "b": "South"}) == []


def test_a_single_source_is_never_a_region() -> None:
    assert silences({"a": health(every(50, silent=(1000, 1300)))}, {"a": "South"}) == []


def test_sources_without_a_region_say_nothing() -> None:
    both = {"a": health(every(50, silent=(1000, 1300))), "b": health(every(50, silent=(1000, 1300)))}
    assert silences(both, {"a": "", "b": ""}) == []


@given(st.floats(min_value=20, max_value=90), st.floats(min_value=20, max_value=90))
def test_steady_sources_are_never_silent(one: float, other: float) -> None:
    assert silences({"a": health(every(one)), "b": health(every(other))}, {"a": "X", "b": "X"}) == []


def lasting(minutes: list[float], looked_at: float) -> SourceHealth:
    return msgspec.structs.replace(health(minutes), last_success=START + timedelta(minutes=looked_at))


def test_a_silence_that_lasts_is_told_up_to_the_last_time_we_looked() -> None:
    quiet = {"a": lasting(every(50, until=1000), 1400), "b": lasting(every(70, until=1000), 1390)}
    (found,) = silences(quiet, {"a": "South", "b": "South"}, is_live=True)
    assert found.lasts
    assert found.end == START + timedelta(minutes=1390)
    assert silences(quiet, {"a": "South", "b": "South"}) == [], "in a replay the clock says nothing of the posts"


def test_a_silence_that_is_over_does_not_last() -> None:
    over = {
        "a": lasting(every(50, silent=(1000, 1300)), 6001),
        "b": lasting(every(70, offset=9, silent=(1000, 1300)), 6001),
    }
    (found,) = silences(over, {"a": "South", "b": "South"}, is_live=True)
    assert not found.lasts


def test_a_collector_that_does_not_answer_is_a_gap_and_no_silence() -> None:
    stopped = {"a": lasting(every(50, until=1000), 1005), "b": lasting(every(70, until=1000), 1005)}
    assert silences(stopped, {"a": "South", "b": "South"}, is_live=True) == []
