"""`hustings rules run` held against a slow second reading of alert-rules.md §3, and the corners that this found."""

from __future__ import annotations

from tests.test_rules_run import COUNT, line, minutes, run, told

ONE = COUNT.replace("gte = 3", "gte = 1")
TAGS = ONE.replace('kind = "count"', 'kind = "distinct"\nof = "hashtag"')

# ── corners ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_stops_where_reminder_and_end_fall_together_comes_back() -> None:
    rule = ONE.replace('resolve_after = "30m"', 'resolve_after = "30m", renotify = "15m"')
    (alert,) = run(rule, [line("1", 0)], until=35)["alerts"]
    assert (alert["state"], told(alert)) == ("open", [("open", 0), ("renotify", 15)])
    (alert,) = run(rule, [line("1", 0)], until=36)["alerts"]
    assert (alert["state"], told(alert)) == ("resolved", [("open", 0), ("renotify", 15), ("resolve", 30)])


def test_a_late_post_is_amended_as_its_last_edit_reads() -> None:
    answer = run(TAGS, [line("1", 0, g=10, hashtags=["x"]), line("1", 0, g=12, revision=1, hashtags=["x", "y"])])
    assert [(a["post"], a["value"]) for a in answer["amendments"]] == [("file:1", 2)]


def test_a_cosmetic_late_edit_of_a_post_that_was_collected_anew_leaves_it_counted() -> None:
    lines = [line("1", 0, first=1, g=40), line("1", 0, g=50, revision=1, text="other words")]
    answer = run(ONE, lines)
    assert [(a["state"], a["evidence"]) for a in answer["alerts"]] == [("resolved", ["file:1"])]
    assert answer["amendments"] == []


def test_a_late_edit_that_takes_the_only_value_away_retracts_when_it_was_collected() -> None:
    answer = run(TAGS, [line("1", 0, hashtags=["x"]), line("1", 0, g=12, revision=1)])
    (alert,) = answer["alerts"]
    assert (alert["state"], alert["notices"][-1]["kind"]) == ("retracted", "retract")
    assert minutes(alert["notices"][-1]["at"]) == 12
