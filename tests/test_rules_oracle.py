"""`hustings rules run` held against a slow second reading of alert-rules.md §3, and the corners that this found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from alerts.replay import replay
from alerts.replay_input import read_assessments
from alerts.replay_json import replayed_to_json
from alerts.rules import load_rules
from alerts.rules.load import load_tests
from hustings import wire
from hustings.errors import RuleError
from hustings.types import Assessment, Post, Target
from runtime.commands.rules import app
from tests.rules_oracle import INSTANT, Asked, Expected, expected
from tests.test_rules_run import COUNT, NOON, VOCABULARY, line, minutes, run, told

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


# ── any rule over any posts ──────────────────────────────────────────────────────────────────────────────────────


def a_time(of_minutes: st.SearchStrategy[int]) -> st.SearchStrategy[timedelta]:
    return of_minutes.map(lambda number: timedelta(minutes=number))


@st.composite
def rules(draw: st.DrawFn, *, ticks: bool) -> Asked:
    kind = draw(st.sampled_from(["count", "distinct"] if ticks else ["count", "distinct", "match"]))
    windowed = kind != "match"
    comparator = draw(st.sampled_from(["lt", "lte"] if ticks else ["gte", "gt"])) if windowed else "gte"
    return Asked(
        kind=kind,
        group_by=draw(st.sampled_from([(), ("aimed_at",), ("author",), ("hashtag", "aimed_at")])),
        buckets=draw(st.booleans()),
        of=draw(st.sampled_from(["author", "hashtag"])) if kind == "distinct" else "",
        window=draw(a_time(st.sampled_from([5, 10, 20]))) if windowed else INSTANT,
        lateness=draw(a_time(st.sampled_from([0, 5, 30]))),
        comparator=comparator,
        number=draw(st.integers(0 if comparator in ("gt", "lte") else 1, 3)) if windowed else 1,
        min_posts=draw(st.sampled_from([0, 0, 2])) if kind == "distinct" else 0,
        resolve_after=draw(a_time(st.sampled_from([5, 8, 20]))),
        renotify=draw(st.none() | a_time(st.sampled_from([2, 4, 7, 10]))),
        escalate=draw(st.sampled_from([(), (2, 3)])) if windowed else (),
        step=timedelta(minutes=5) if ticks else None,
    )


def written(asked: Asked) -> str:
    """The rule as a file."""
    seconds = {
        name: f"{int(span.total_seconds())}s"
        for name in ("window", "lateness", "resolve_after", "renotify", "step")
        if (span := getattr(asked, name)) is not None
    }
    episode = {name: seconds[name] for name in ("resolve_after", "renotify") if name in seconds}
    lines = ['[[rule]]\nid = "r"\nname = "any"', f'kind = "{asked.kind}"', 'where = "score.G:>=0.5"']
    lines += [f'{name} = "{seconds[name]}"' for name in ("lateness", "step") if name in seconds]
    lines += [f"group_by = {json.dumps(asked.group_by)}"] if asked.group_by else []
    lines += ['on_missing_group = "bucket"'] if asked.buckets else []
    lines += [f'of = "{asked.of}"'] if asked.of else []
    if asked.kind != "match":
        lines += [f'window = "{seconds["window"]}"', f"when = {{ {asked.comparator} = {asked.number} }}"]
    lines += [f"guard = {{ min_posts = {asked.min_posts} }}"] if asked.min_posts else []
    parts = [f'{name} = "{text}"' for name, text in episode.items()]
    parts += [f"escalate = {list(asked.escalate)}"] if asked.escalate else []
    return "\n".join([*lines, f"episode = {{ {', '.join(parts)} }}", ""])


@st.composite
def files(draw: st.DrawFn) -> list[Assessment]:
    """Posts in any order: early and late ones, ties, edits and deletions, times ahead of the clock, and keys whose
    first collection the file does not hold."""
    made: list[Assessment] = []
    for number in range(draw(st.integers(1, 12))):
        published = NOON + timedelta(
            minutes=draw(st.integers(0, 60)), microseconds=draw(st.sampled_from([0, 0, 120000]))
        )
        known = published + draw(a_time(st.sampled_from([0, 0, 1, 3, 5, 6, 29, 31, -1, -2, -3])))
        first = draw(st.sampled_from([None, None, None, known]))
        known += draw(a_time(st.sampled_from([5, 40]))) if first else timedelta(0)
        for revision in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
            deleted = revision > 0 and draw(st.booleans())
            post = Post(
                source="file",
                native_id=str(number),
                text="" if deleted else "words",
                author=draw(st.sampled_from("abc")),
                published_at=published,
                collected_at=known,
                revision=revision,
                deleted=deleted,
                hashtags=tuple(draw(st.sampled_from(["", "x", "xy"]))),
            )
            targets = tuple(
                Target(id=name, role="aimed_at") for name in draw(st.sampled_from([["c1"], ["c1", "c2"], []]))
            )
            scores = {"G": draw(st.sampled_from([0.9, 0.9, 0.3]))}
            story = draw(st.sampled_from(["", "s"]))
            made.append(Assessment(post=post, targets=targets, scores=scores, story=story, first_collected_at=first))
            known += draw(a_time(st.sampled_from([0, 1, 5, 40])))
            published += draw(a_time(st.sampled_from([0, 0, 0, -4, 1])))
    return draw(st.permutations(made))


def in_short(answer: dict[str, Any]) -> Expected:
    """The answer of `rules run` in the form of the oracle."""

    def time(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text)

    def group(one: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple(one["group"].items())

    alerts = answer["alerts"]
    assert all(alert["revision"] == len(alert["notices"]) for alert in alerts)
    return Expected(
        episodes=sorted(
            (group(a), time(a["opened_at"]), time(a["last_crossing_at"]), a["state"], a["value"], a["evidence"])
            for a in alerts
            if a["state"] in ("open", "resolved")
        ),
        amendments=sorted((group(a), a["post"], time(a["anchor"]), a["value"]) for a in answer["amendments"]),
        rows=sorted(
            (
                *(group(a), time(a["opened_at"]), time(a["last_crossing_at"]), a["state"], a["value"]),
                *(
                    time(a["detected_at"]),
                    str(time(a["resolved_at"])),
                    [(n["kind"], time(n["at"])) for n in a["notices"]],
                ),
            )
            for a in alerts
        ),
    )


def answered(asked: Asked, posts: Sequence[Assessment], until: datetime | None) -> Expected:
    ruleset = load_rules({"r.toml": written(asked)}, vocabulary=VOCABULARY, now=NOON, required=False)
    read = read_assessments([wire.encode(post) for post in posts], name="posts.jsonl")
    return in_short(replayed_to_json(replay(ruleset, read, until=until)))


UNTIL = st.sampled_from([10, 40, 65, 200]).map(lambda minutes: NOON + timedelta(minutes=minutes))


@given(rules(ticks=False), files(), st.none() | UNTIL)
@settings(max_examples=250)
def test_any_posts_tell_what_the_text_says(asked: Asked, posts: list[Assessment], until: datetime | None) -> None:
    assert answered(asked, posts, until) == expected(asked, posts, until=until)


@given(rules(ticks=True), files(), UNTIL)
@settings(max_examples=100)
def test_any_silence_is_what_the_text_says(asked: Asked, posts: list[Assessment], until: datetime) -> None:
    assert answered(asked, posts, until)[:2] == expected(asked, posts, until=until)[:2]
