"""`hustings rules run` held against a slow second reading of alert-rules.md §3, and the corners that this found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.rules.load import load_tests
from hustings.errors import RuleError
from runtime.commands.rules import app
from tests.test_rules_run import COUNT, VOCABULARY, line, minutes, run, told

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


def test_values_that_a_late_edit_adds_are_amended_where_they_would_have_made_more() -> None:
    two = TAGS.replace("gte = 1", "gte = 2")
    lines = [line("1", 0, hashtags=["x"]), line("1", 0, g=12, revision=1, hashtags=["x", "y"])]
    answer = run(two, lines)
    assert answer["alerts"] == []
    assert [(a["post"], minutes(a["anchor"]), a["value"]) for a in answer["amendments"]] == [("file:1", 0, 2)]
    answer = run(two, [*lines, line("2", 0, hashtags=["y"])])
    assert [(a["value"], a["evidence"]) for a in answer["alerts"]] == [(2, ["file:1", "file:2"])]
    assert answer["amendments"] == []


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


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00+05:00", "2026-02-30"])
def test_a_time_that_no_post_can_have_is_refused(until: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(ONE)
    (tmp_path / "posts.jsonl").write_text(json.dumps(line("1", 0)) + "\n")
    files = [str(tmp_path / "r.toml"), "--assessments", str(tmp_path / "posts.jsonl")]
    result = CliRunner().invoke(app, ["run", *files, "--until", until])
    assert result.exit_code == 2
    assert until in result.stderr


# ── tests of rules that cannot be read ───────────────────────────────────────────────────────────────────────────

TESTED = ONE.replace('lateness = "5m"\n', "") + (
    '\n[[rule.test]]\nposts = { every = "1m", n = 2, flag = "G", aimed_at = "c1" }\n'
    'expect = [ { open = { at = "+0m", group = "c1", value = 2 } } ]\n'
)


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ("every", "evry", "r.toml:13:11: E01 rule \"three\": test 1: posts has no key 'evry'; did you mean `every`?"),
        (
            "value",
            "valu",
            "r.toml:14:49: E01 rule \"three\": test 1: expect: open has no key 'valu'; did you mean `value`?",
        ),
        ("{ open", "{ opn", "E01 rule \"three\": test 1: expect: nothing is called 'opn'; did you mean `open`?"),
        ('every = "1m", ', "", 'E04 rule "three": test 1: posts: n needs `every`'),
        ("expect = [", "xpect = [", "E01 rule \"three\": test 1: a test has no key 'xpect'; did you mean `expect`?"),
        ('"1m"', '"1"', "E05 rule \"three\": test 1: expected a time such as `+56m` or `+1h30m`; found '1'"),
        ('flag = "G"', 'flag = "GG"', "E11 rule \"three\": test 1: posts: no code or alias 'GG'; did you mean `G`?"),
        ("n = 2", "n = 2, reach = []", 'E12 rule "three": test 1: posts: reach takes a whole number from 0; found []'),
        ("n = 2", 'n = 2, revision = "x"', "posts: revision takes a whole number from 0; found 'x'"),
        ("n = 2", "n = 2, revision = -1", "posts: revision takes a whole number from 0; found -1"),
        ("value = 2", 'value = "2"', "E12 rule \"three\": test 1: expect: value takes a number; found '2'"),
        ("value = 2", "value = nan", "expect: value takes a number; found nan"),
        ('group = "c1"', "group = 3", "expect: group takes a text or a table of texts; found 3"),
        ("value = 2", "value = 2, post = 3", "expect: post takes a text; found 3"),
        ('group_by = ["aimed_at"]', 'group_by = ["aimed_at", 3]', "group_by: takes a list of texts"),
        ("posts =", "start = 9999-12-31T23:59:59Z\nposts =", "test 1: posts are of the years 1970 to 2199"),
    ],
)
def test_a_slip_in_a_test_has_its_code_and_never_stops_the_report(found: str, instead: str, told: str) -> None:
    assert found in TESTED
    with pytest.raises(RuleError) as caught:
        load_tests({"r.toml": TESTED.replace(found, instead, 1)}, vocabulary=VOCABULARY)
    assert any(told in problem for problem in caught.value.problems), caught.value.problems
