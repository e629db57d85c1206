"""`hustings rules run`: the window contract told as stories, each a few posts in and the whole answer out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from alerts.replay import ReplayClock, replay
from alerts.replay_input import DeadLine, read_assessments
from alerts.replay_json import replayed_to_json
from alerts.rules import load_rules
from runtime.build import vocabulary
from runtime.commands.rules import app

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
VOCABULARY = vocabulary(None)

COUNT = """
[[rule]]
id = "r"
name = "three"
kind = "count"
where = "flag:G"
group_by = ["aimed_at"]
window = "10m"
lateness = "5m"
when = { gte = 3 }
episode = { resolve_after = "30m" }
"""


def clock(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def line(
    key: str,
    t: float,
    *,
    g: float | None = None,
    to: Sequence[str] = ("c1",),
    flags: Sequence[str] = ("G",),
    **post: Any,
) -> dict[str, Any]:
    """One minimal line; times in minutes after noon."""
    first = post.pop("first", None)
    return {
        "post": {
            "source": "file",
            "native_id": key,
            "text": post.pop("text", "some words"),
            "published_at": clock(t),
            "collected_at": clock(t if g is None else g),
            **post,
        },
        "flags": [{"code": code, "score": 0.9} for code in flags],
        "targets": [{"id": name, "role": "aimed_at"} for name in to],
        **({} if first is None else {"first_collected_at": clock(first)}),
    }


def run(
    rules: str, lines: Sequence[dict[str, Any]], *, as_clock: ReplayClock = "as-collected", until: float | None = None
) -> dict[str, Any]:
    ruleset = load_rules({"r.toml": rules}, vocabulary=VOCABULARY, now=NOON, required=False)
    posts = read_assessments((json.dumps(one).encode() for one in lines), name="posts.jsonl")
    stop = None if until is None else NOON + timedelta(minutes=until)
    return replayed_to_json(replay(ruleset, posts, clock=as_clock, until=stop))


def told(alert: dict[str, Any]) -> list[tuple[str, float]]:
    """Notices as (kind, minutes after noon)."""
    return [(notice["kind"], minutes(notice["at"])) for notice in alert["notices"]]


def minutes(text: str | None) -> float:
    assert text is not None
    return (datetime.fromisoformat(text) - NOON).total_seconds() / 60


def without_order(answer: dict[str, Any]) -> dict[str, Any]:
    """What is a function of the set of posts (alert-rules.md §3.9)."""
    kept = ("rule", "group", "state", "opened_at", "last_crossing_at", "resolved_at", "value", "evidence")
    return {
        "alerts": [{name: alert[name] for name in kept} for alert in answer["alerts"]],
        "amendments": answer["amendments"],
        "counters": answer["counters"],
    }


# ── one episode ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_third_post_opens_and_silence_resolves() -> None:
    answer = run(COUNT, [line("1", 0), line("2", 4), line("3", 8, g=9), line("4", 20)])
    (alert,) = answer["alerts"]
    assert alert | {"id": ""} == {
        "id": "",
        "rule": "three",
        "group": {"aimed_at": "c1"},
        "state": "resolved",
        "revision": 2,
        "merged_into": None,
        "opened_at": "2026-10-01T12:08:00Z",
        "last_crossing_at": "2026-10-01T12:08:00Z",
        "resolved_at": "2026-10-01T12:38:00Z",
        "detected_at": "2026-10-01T12:09:00Z",
        "value": 3,
        "reason": {},
        "evidence": ["file:1", "file:2", "file:3"],
        "notices": [
            {"kind": "open", "at": "2026-10-01T12:08:00Z"},
            {"kind": "resolve", "at": "2026-10-01T12:38:00Z"},
        ],
    }
    assert answer["amendments"] == []
    assert answer["counters"]["posts"] == 4


def test_the_window_is_open_at_its_beginning_and_closed_at_its_end() -> None:
    assert run(COUNT, [line("1", 0), line("2", 5), line("3", 10)])["alerts"] == []
    assert len(run(COUNT, [line("1", 0.001), line("2", 5), line("3", 10)])["alerts"]) == 1


def test_counts_are_not_reset_after_firing_and_the_value_is_the_largest() -> None:
    (alert,) = run(COUNT, [line(str(n), n) for n in range(20)])["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["last_crossing_at"]), alert["value"]) == (2, 19, 10)
    assert len(alert["evidence"]) == 20
    assert alert["revision"] == 2


def test_a_gap_longer_than_resolve_after_makes_two_episodes() -> None:
    first = [line(f"a{n}", n) for n in range(3)]
    at_the_limit = [line(f"b{n}", 30 + n) for n in range(3)]
    beyond = [line(f"b{n}", 30.1 + n) for n in range(3)]
    assert [told(a) for a in run(COUNT, first + at_the_limit)["alerts"]] == [[("open", 2), ("resolve", 62)]]
    assert [told(a) for a in run(COUNT, first + beyond)["alerts"]] == [
        [("open", 2), ("resolve", 32)],
        [("open", 32.1), ("resolve", 62.1)],
    ]


def test_until_stops_the_clock_and_keeps_later_posts_out() -> None:
    answer = run(COUNT, [line("1", 0), line("2", 1), line("3", 2), line("4", 3)], until=2)
    (alert,) = answer["alerts"]
    assert (alert["state"], alert["resolved_at"], alert["value"], answer["as_of"]) == ("open", None, 3, clock(2))
    assert answer["counters"]["posts"] == 3


def test_a_post_with_several_values_counts_once_in_each_of_their_groups() -> None:
    answer = run(COUNT, [line(str(n), n, to=["c1", "c2", "c1"]) for n in range(3)])
    assert [(a["group"], a["value"]) for a in answer["alerts"]] == [({"aimed_at": "c1"}, 3), ({"aimed_at": "c2"}, 3)]


def test_a_post_without_a_group_is_skipped_and_counted_or_put_into_a_bucket() -> None:
    lines = [line(str(n), n, to=[]) for n in range(3)]
    assert run(COUNT, lines)["alerts"] == []
    assert run(COUNT, lines)["counters"]["no_group"] == 3
    (alert,) = run(COUNT.replace('"three"', '"three"\non_missing_group = "bucket"'), lines)["alerts"]
    assert alert["group"] == {"aimed_at": ""}


def test_without_group_by_there_is_one_group() -> None:
    (alert,) = run(COUNT.replace('group_by = ["aimed_at"]', ""), [line(str(n), n) for n in range(3)])["alerts"]
    assert alert["group"] == {}


def test_a_guard_asks_for_posts_beside_the_number() -> None:
    rule = COUNT.replace('"count"', '"distinct"\nof = "author"').replace("gte = 3", "gte = 2")
    lines = [line(str(n), n, author=f"a{n % 2}") for n in range(5)]
    assert [minutes(a["opened_at"]) for a in run(rule, lines)["alerts"]] == [1]
    guarded = rule + "guard = { min_posts = 4 }\n"
    assert [minutes(a["opened_at"]) for a in run(guarded, lines)["alerts"]] == [3]


def test_distinct_does_not_count_a_missing_value() -> None:
    rule = COUNT.replace('"count"', '"distinct"\nof = "author"')
    lines = [line("1", 0, author="a"), line("2", 1), line("3", 2, author="b"), line("4", 3, author="c")]
    (alert,) = run(rule, lines)["alerts"]
    assert (alert["value"], alert["evidence"]) == (3, ["file:1", "file:2", "file:3", "file:4"])


# ── match ────────────────────────────────────────────────────────────────────────────────────────────────────────

MATCH = '[[rule]]\nid = "m"\nname = "threat"\nkind = "match"\nwhere = "flag:G-THR"\ngroup_by = ["aimed_at"]\n'


def test_match_has_one_episode_per_story_else_per_post() -> None:
    lines = [line("1", 0, flags=["G-THR"]), line("2", 1, flags=["G-THR-KILL"]), line("3", 2, flags=["G-DEROG"])]
    lines += [line("4", 3, flags=["G-THR"]) | {"story": "s9"}, line("5", 50, flags=["G-THR"]) | {"story": "s9"}]
    answer = run(MATCH, lines)
    assert [(a["group"], a["evidence"], a["value"]) for a in answer["alerts"]] == [
        ({"aimed_at": "c1", "key": "file:1"}, ["file:1"], 1),
        ({"aimed_at": "c1", "key": "file:2"}, ["file:2"], 1),
        ({"aimed_at": "c1", "story": "s9"}, ["file:4", "file:5"], 1),
    ]
    assert told(answer["alerts"][2]) == [("open", 3), ("resolve", 110)]


# ── order, revisions ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_order_of_the_lines_gives_the_same_answer() -> None:
    lines = [
        line("1", 0),
        line("2", 6, g=8),
        line("3", 5, g=9.5),
        line("4", 9, g=9),
        line("5", 1, g=12),
        line("4", 9, g=13, revision=1, flags=[]),
    ]
    answers = [run(COUNT, order) for order in permutations(lines)]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["counters"] | {"posts": 5, "revised": 1, "late": 1} == answers[0]["counters"]


def test_any_arrival_of_posts_on_time_gives_the_same_episodes() -> None:
    times = [0, 3, 7, 12, 14, 33]
    answers = []
    for order in permutations(range(6)):
        lines = [line(str(n), times[n], g=40 + place) for place, n in enumerate(order)]
        answers.append(without_order(run(COUNT.replace('"5m"', '"1h"'), lines)))
    assert all(answer == answers[0] for answer in answers)
    (alert,) = answers[0]["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["last_crossing_at"])) == (7, 14)


def test_an_earlier_crossing_moves_the_opening_but_not_the_id() -> None:
    rule = COUNT.replace('"5m"', '"1h"')
    lines = [line("1", 0), line("2", 5), line("3", 9), line("4", 4, g=20)]
    (before,) = run(rule, lines, until=10)["alerts"]
    (after,) = run(rule, lines, until=21)["alerts"]
    assert (minutes(before["opened_at"]), minutes(after["opened_at"])) == (9, 5)
    assert (before["id"], told(before)) == (after["id"], told(after))


def test_the_same_key_counts_once_and_another_content_is_conflicting() -> None:
    same = [line("1", 0), line("1", 0, g=1), line("1", 0, g=2, text="other words"), line("2", 3)]
    answer = run(COUNT, same)
    assert answer["alerts"] == []
    assert answer["counters"] | {"posts": 2, "unchanged": 1, "conflicting": 1} == answer["counters"]


def test_an_older_revision_that_comes_later_is_stale() -> None:
    lines = [line("1", 0, revision=5, flags=[]), line("1", 0, g=1), line("2", 1), line("3", 2)]
    answer = run(COUNT, lines)
    assert (answer["alerts"], answer["counters"]["stale"]) == ([], 1)


def test_an_edit_on_time_that_meets_the_rule_counts() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2, flags=[]), line("3", 2, g=4, revision=1)]
    (alert,) = run(COUNT, lines)["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["detected_at"])) == (2, 4)


def test_an_edit_that_comes_too_late_opens_nothing_and_is_amended() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2, flags=[]), line("3", 2, g=8, revision=1)]
    answer = run(COUNT, lines)
    assert answer["alerts"] == []
    assert answer["amendments"] == [
        {"rule": "three", "group": {"aimed_at": "c1"}, "anchor": clock(2), "value": 3, "post": "file:3"}
    ]
    assert answer["counters"]["late"] == 0


def test_a_cosmetic_edit_that_comes_too_late_leaves_everything_as_it_was() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2)]
    edit = line("2", 1, g=300, revision=1, text="Some words!")
    again = line("2", 1, g=400, revision=2, text="some words.")
    assert without_order(run(COUNT, lines)) | {"counters": {}} == without_order(run(COUNT, [*lines, edit, again])) | {
        "counters": {}
    }


def test_values_that_a_late_edit_adds_do_not_count_and_those_it_takes_away_do_no_longer() -> None:
    rule = COUNT.replace('"count"', '"distinct"\nof = "hashtag"')
    lines = [line("1", 0, hashtags=["a", "b"]), line("2", 1, hashtags=["c"])]
    assert [a["value"] for a in run(rule, lines)["alerts"]] == [3]
    more = line("1", 0, g=60, revision=1, hashtags=["a", "b", "d"])
    assert [(a["state"], a["value"]) for a in run(rule, [*lines, more])["alerts"]] == [("resolved", 3)]
    fewer = line("1", 0, g=60, revision=1, hashtags=["b", "d"])
    assert [(a["state"], a["value"]) for a in run(rule, [*lines, fewer])["alerts"]] == [("retracted", 3)]


def test_a_late_edit_that_moves_a_post_to_another_group_only_withdraws() -> None:
    lines = [line(str(n), n) for n in range(4)] + [line(f"x{n}", n, to=["c2"]) for n in range(2)]
    answer = run(COUNT, [*lines, line("1", 1, g=60, revision=1, to=["c2"])])
    (alert,) = answer["alerts"]
    assert (alert["group"], alert["value"], alert["evidence"]) == (
        {"aimed_at": "c1"},
        3,
        ["file:0", "file:2", "file:3"],
    )
    assert [(a["group"], a["post"], a["value"]) for a in answer["amendments"]] == [({"aimed_at": "c2"}, "file:1", 3)]


# ── deletions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_deletion_that_leaves_no_crossing_retracts_even_after_the_episode_is_over() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2), line("2", 1, g=90, revision=1, deleted=True, text="")]
    (alert,) = run(COUNT, lines)["alerts"]
    assert (alert["state"], alert["resolved_at"], alert["value"]) == ("retracted", None, 3)
    assert alert["reason"] == {"code": "withdrawn", "post": "file:2"}
    assert alert["evidence"] == ["file:1", "file:2", "file:3"]
    assert told(alert) == [("open", 2), ("resolve", 32), ("retract", 90)]


def test_a_deletion_that_leaves_crossings_changes_the_row_without_a_notice() -> None:
    lines = [line(str(n), n) for n in range(5)] + [line("4", 4, g=6, revision=1, deleted=True, text="")]
    (alert,) = run(COUNT, lines)["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["last_crossing_at"]), alert["value"]) == (2, 3, 4)
    assert told(alert) == [("open", 2), ("resolve", 33)]


def test_a_deletion_in_the_middle_leaves_two_episodes() -> None:
    first, last = [line(f"a{n}", n) for n in range(3)], [line(f"b{n}", 50 + n) for n in range(3)]
    middle = [line(f"m{n}", 25 + n) for n in range(3)]
    (whole,) = run(COUNT, [*first, *middle, *last])["alerts"]
    early, late = run(COUNT, [*first, *middle, *last, line("m1", 26, g=60, revision=1, deleted=True, text="")])[
        "alerts"
    ]
    assert (whole["id"], minutes(whole["opened_at"]), minutes(whole["last_crossing_at"])) == (early["id"], 2, 52)
    assert [minutes(a["last_crossing_at"]) for a in (early, late)] == [2, 52]
    assert told(late) == [("open", 52), ("resolve", 82)]


def test_a_post_that_comes_back_brings_its_alert_back_under_the_same_id() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2), line("3", 2, g=3, revision=1, flags=[])]
    (gone,) = run(COUNT, lines)["alerts"]
    (back,) = run(COUNT, [*lines, line("3", 2, g=4, revision=2)])["alerts"]
    assert (gone["id"], gone["state"]) == (back["id"], "retracted")
    assert (back["state"], back["reason"]) == ("resolved", {})
    assert told(back) == [("open", 2), ("retract", 3), ("reopen", 2), ("resolve", 32)]


# ── late posts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_late_is_a_property_of_the_post_and_exactly_the_lateness_is_not_late() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2, g=7)]
    assert len(run(COUNT, lines)["alerts"]) == 1
    answer = run(COUNT, [*lines[:2], line("3", 2, g=7.001)])
    assert (answer["alerts"], answer["counters"]["late"]) == ([], 1)
    assert answer["amendments"] == [
        {"rule": "three", "group": {"aimed_at": "c1"}, "anchor": clock(2), "value": 3, "post": "file:3"}
    ]


def test_a_late_post_is_amended_over_posts_on_time_and_earlier_late_ones() -> None:
    lines = [line("1", 0), line("2", 5), line("a", 4, g=30), line("b", 3, g=31), line("c", 60, g=90)]
    answer = run(COUNT, lines)
    assert answer["alerts"] == []
    assert [(a["post"], minutes(a["anchor"]), a["value"]) for a in answer["amendments"]] == [
        ("file:a", 5, 3),
        ("file:b", 5, 4),
    ]
    assert answer["counters"]["late"] == 3


def test_a_late_post_that_enlarges_an_episode_leaves_it_as_it_is() -> None:
    lines = [line(str(n), n) for n in range(4)]
    with_late = run(COUNT, [*lines, line("x", 2.5, g=20)])
    assert with_late["alerts"] == run(COUNT, lines)["alerts"]
    assert [(minutes(a["anchor"]), a["value"]) for a in with_late["amendments"]] == [(3, 5)]


def test_a_post_published_far_ahead_of_its_collection_is_taken_at_its_collection() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 600, g=2)]
    answer = run(COUNT, lines)
    assert [minutes(a["opened_at"]) for a in answer["alerts"]] == [2]
    assert answer["counters"]["published_ahead"] == 1
    (a_little_ahead,) = run(COUNT, [line("1", 0), line("2", 1), line("3", 4, g=2)])["alerts"]
    assert minutes(a_little_ahead["opened_at"]) == 4


def test_as_posted_lets_an_archive_fire() -> None:
    archive = [line(str(n), n, g=9_000 + n) for n in range(3)]
    assert run(COUNT, archive)["alerts"] == []
    assert run(COUNT, archive)["counters"]["late"] == 3
    (alert,) = run(COUNT, archive, as_clock="as-posted")["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["detected_at"])) == (2, 2)


# ── merging, reopening ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_bridge_merges_into_the_row_that_opened_earlier() -> None:
    rule = COUNT.replace('"5m"', '"3h"')
    first, last = [line(f"a{n}", n) for n in range(3)], [line(f"b{n}", 50 + n) for n in range(3)]
    bridge = [line(f"m{n}", 25 + n, g=60 + n) for n in range(3)]
    answer = run(rule, [*first, *last, *bridge])
    survivor, merged = answer["alerts"]
    assert (survivor["state"], merged["state"], merged["merged_into"]) == ("resolved", "merged", survivor["id"])
    assert (minutes(survivor["opened_at"]), minutes(survivor["last_crossing_at"])) == (2, 52)
    assert told(survivor) == [("open", 2), ("resolve", 82)]
    assert told(merged) == [("open", 52), ("merge", 27)]
    assert len(survivor["evidence"]) == 9


def test_when_the_bridge_is_deleted_the_merged_row_stands_again() -> None:
    rule = COUNT.replace('"5m"', '"3h"')
    first, last = [line(f"a{n}", n) for n in range(3)], [line(f"b{n}", 50 + n) for n in range(3)]
    bridge = [line(f"m{n}", 25 + n, g=60 + n) for n in range(3)]
    deleted = line("m1", 26, g=70, revision=1, deleted=True, text="")
    before = [alert["id"] for alert in run(rule, [*first, *last])["alerts"]]
    after = run(rule, [*first, *last, *bridge, deleted])["alerts"]
    assert [alert["id"] for alert in after] == before
    assert [alert["state"] for alert in after] == ["resolved", "resolved"]
    assert told(after[1]) == [("open", 52), ("merge", 27), ("reopen", 52), ("resolve", 82)]


def test_a_post_on_time_behind_the_horizon_reopens_its_episode() -> None:
    lines = [line("1", 0), line("2", 1), line("3", 2), line("9", 300, to=["c9"])]
    held_up = [line(f"h{n}", 20 + n, g=400 + n, first=20 + n) for n in range(3)]
    answer = run(COUNT, [*lines, *held_up])
    (alert,) = answer["alerts"]
    assert told(alert) == [("open", 2), ("resolve", 32), ("reopen", 22), ("resolve", 52)]
    assert (alert["revision"], alert["state"], minutes(alert["resolved_at"])) == (4, "resolved", 52)
    assert answer["counters"]["behind_horizon"] == 3


# ── notices in event time ────────────────────────────────────────────────────────────────────────────────────────


def test_escalations_are_told_once_at_the_anchor_that_reached_them() -> None:
    rule = COUNT.replace('"30m" }', '"30m", escalate = [4, 6] }')
    (alert,) = run(rule, [line(str(n), n) for n in range(9)])["alerts"]
    assert told(alert) == [("open", 2), ("escalate", 3), ("escalate", 5), ("resolve", 38)]
    assert alert["revision"] == 4


def test_renotify_is_told_at_its_due_times_while_the_episode_lasts() -> None:
    rule = COUNT.replace('"30m" }', '"30m", renotify = "20m" }')
    (alert,) = run(rule, [line(str(n), 2 * n) for n in range(20)])["alerts"]
    assert told(alert) == [("open", 4), ("renotify", 24), ("renotify", 44), ("renotify", 64), ("resolve", 68)]


# ── ticks ────────────────────────────────────────────────────────────────────────────────────────────────────────

SILENCE = """
[[rule]]
id = "s"
name = "silence"
kind = "count"
where = "*"
group_by = ["source"]
window = "10m"
step = "5m"
when = { lt = 1 }
episode = { resolve_after = "10m" }
"""


def test_silence_is_seen_at_ticks_once_the_horizon_has_passed_them() -> None:
    lines = [line("1", 1), line("2", 8), line("3", 41), line("4", 48)]
    (alert,) = run(SILENCE, lines)["alerts"]
    assert (minutes(alert["opened_at"]), minutes(alert["last_crossing_at"]), alert["value"]) == (20, 40, 0)
    assert (alert["state"], alert["evidence"]) == ("open", [])
    assert minutes(alert["detected_at"]) == 20


def test_no_data_after_the_last_post_is_not_zero_unless_until_says_so() -> None:
    lines = [line("1", 1), line("2", 8)]
    assert run(SILENCE, lines)["alerts"] == []
    (alert,) = run(SILENCE, lines, until=60)["alerts"]
    assert (alert["state"], minutes(alert["opened_at"]), minutes(alert["last_crossing_at"])) == ("open", 20, 60)


def test_a_tick_at_the_very_time_of_a_post_sees_it() -> None:
    assert run(SILENCE, [line(str(n), 10 * n) for n in range(5)])["alerts"] == []


def test_groups_named_in_expect_are_silent_although_no_post_ever_came() -> None:
    rule = SILENCE.replace("[[rule]]", '[[rule]]\nexpect = ["radio", "file"]\nactive_from = 2026-10-01T12:00:00Z')
    answer = run(rule, [line("1", 1), line("2", 8), line("3", 16), line("4", 24)])
    assert [(a["group"], minutes(a["opened_at"])) for a in answer["alerts"]] == [({"source": "radio"}, 10)]


# ── any history of any posts ─────────────────────────────────────────────────────────────────────────────────────


@st.composite
def files_of_lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Posts with edits, deletions, changing groups and hashtags; no two lines are collected at the same time."""
    lines: list[dict[str, Any]] = []
    taken: set[float] = set()
    for key in "abcdefgh"[: draw(st.integers(1, 8))]:
        t, known = draw(st.integers(0, 25)), 0.0
        for revision in range(draw(st.integers(1, 3))):
            known = max(t, known) + draw(st.sampled_from([0, 1, 3, 8, 45]))
            while known in taken:
                known += 1 / 64
            taken.add(known)
            lines.append(
                line(
                    key,
                    t,
                    g=known,
                    revision=revision,
                    deleted=revision > 0 and draw(st.booleans()),
                    flags=draw(st.sampled_from([["G"], ["G"], ["G-THR"], []])),
                    to=draw(st.sampled_from([["c1"], ["c1"], ["c1"], ["c2"], ["c1", "c2"], []])),
                    hashtags=draw(st.lists(st.sampled_from("xyz"), max_size=2, unique=True)),
                )
            )
    return lines


def oracle(lines: Sequence[dict[str, Any]], *, distinct: bool) -> list[tuple[str, float, float, float, list[str]]]:
    """(group, opened, last, value, evidence): lateness 5, window 10, 3 or more, resolved after 30 minutes."""
    first: dict[str, float] = {}
    highest: dict[str, int] = {}
    stands: dict[tuple[str, str], tuple[float, frozenset[str], float, int]] = {}
    for one in sorted(lines, key=lambda one: minutes(one["post"]["collected_at"])):
        post, key = one["post"], one["post"]["native_id"]
        known, t = minutes(post["collected_at"]), minutes(post["published_at"])
        first.setdefault(key, known)
        if post["revision"] <= highest.get(key, -1):
            continue
        highest[key] = post["revision"]
        meets = not post["deleted"] and any(flag["code"].startswith("G") for flag in one["flags"])
        groups = {target["id"] for target in one["targets"]} if meets else set()
        for group in ("c1", "c2"):
            before = stands.pop((group, key), None)
            if group in groups:
                tags, since = frozenset(post["hashtags"]) if distinct else frozenset(), known
                if before and before[0] == t and known - t > 5 and (not tags or tags & before[1]):
                    tags, since = tags & before[1], before[2]
                stands[group, key] = (t, tags, since, post["revision"])
    found = []
    for group in ("c1", "c2"):
        counted = {
            key: (t, tags)
            for (of_group, key), (t, tags, since, revision) in stands.items()
            if of_group == group and first[key] - t <= 5 and (revision == 0 or since - t <= 5)
        }

        def seen(anchor: float, counted: dict[str, tuple[float, frozenset[str]]] = counted) -> dict[str, Any]:
            return {key: tags for key, (t, tags) in counted.items() if anchor - 10 < t <= anchor}

        def value(anchor: float, seen: Callable[[float], dict[str, Any]] = seen) -> int:
            inside = seen(anchor)
            return len(frozenset().union(*inside.values())) if distinct else len(inside)

        runs: list[list[float]] = []
        for anchor in sorted({t for t, _ in counted.values()}):
            if value(anchor) >= 3:
                if runs and anchor - runs[-1][-1] <= 30:
                    runs[-1].append(anchor)
                else:
                    runs.append([anchor])
        for run_of in runs:
            keys = {key for anchor in run_of for key in seen(anchor)}
            evidence = [f"file:{key}" for key in sorted(keys, key=lambda key: (counted[key][0], key))]
            found.append((group, run_of[0], run_of[-1], max(map(value, run_of)), evidence))
    return sorted(found)


@given(files_of_lines(), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_any_file_gives_the_episodes_of_its_posts(lines: list[dict[str, Any]], distinct: bool, random: Any) -> None:
    rule = COUNT.replace('"count"', '"distinct"\nof = "hashtag"') if distinct else COUNT
    answer = run(rule, lines)
    found = [
        (a["group"]["aimed_at"], minutes(a["opened_at"]), minutes(a["last_crossing_at"]), a["value"], a["evidence"])
        for a in answer["alerts"]
        if a["state"] == "resolved"
    ]
    assert sorted(found) == oracle(lines, distinct=distinct)
    assert {alert["state"] for alert in answer["alerts"]} <= {"resolved", "retracted", "merged"}
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert run(rule, shuffled) == answer


# ── the review queue ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_review_rule_queues_posts_and_a_sample_is_the_same_every_time() -> None:
    rule = '[[rule]]\nid = "q"\nname = "slice"\nkind = "match"\nwhere = "-flag:*"\noutcome = "review"\nsample = 0.25\n'
    lines = [line(str(n), n, flags=[]) for n in range(400)]
    answer = run(rule, lines)
    assert answer["alerts"] == []
    assert 60 < len(answer["queue"]) < 140
    assert answer["queue"][0]["probability"] == 0.25
    assert answer["queue"] == run(rule, [*lines, lines[0]])["queue"]


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """Writes a rule file and a file of lines; returns the arguments that name them."""

    def write(rules: str, lines: Sequence[dict[str, Any] | str]) -> list[str]:
        (tmp_path / "r.toml").write_text(rules)
        text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines)
        (tmp_path / "posts.jsonl").write_text(text + "\n")
        return ["run", str(tmp_path / "r.toml"), "--assessments", str(tmp_path / "posts.jsonl")]

    return write


def test_the_command_prints_one_json_object(files: Callable[..., list[str]]) -> None:
    lines = [line(str(n), n) for n in range(3)]
    result = CliRunner().invoke(app, [*files(COUNT, [*lines, ""]), "--json", "--until", "2026-10-01T12:02:00Z"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == run(COUNT, lines, until=2)


def test_the_command_prints_a_table_for_people(files: Callable[..., list[str]]) -> None:
    result = CliRunner().invoke(app, files(COUNT, [line(str(n), n) for n in range(3)]))
    assert result.exit_code == 0
    assert "aimed_at=c1" in result.stdout
    assert "open resolve" in result.stdout


def test_dead_lines_are_named_and_nothing_runs(files: Callable[..., list[str]]) -> None:
    result = CliRunner().invoke(app, [*files(COUNT, [line("1", 0), "{", '{"post": {}}']), "--json"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "posts.jsonl:2: not_json" in result.stderr
    assert "posts.jsonl:3: missing_key" in result.stderr


def test_a_rule_that_does_not_check_is_told_and_nothing_runs(files: Callable[..., list[str]]) -> None:
    result = CliRunner().invoke(app, [*files(COUNT.replace("gte", "gtee"), [line("1", 0)]), "--json"])
    assert result.exit_code == 1
    assert "r.toml:10:10: E01" in result.stderr


def test_words_are_found_in_minimal_lines_although_they_hold_no_tokens() -> None:
    rule = MATCH.replace('"flag:G-THR"', "'\"polling station\"'")
    lines = [line("1", 0, text="The p0lling station is closed"), line("2", 1, text="station polling")]
    assert [a["evidence"] for a in run(rule, lines)["alerts"]] == [["file:1"]]


def test_more_dead_lines_than_can_be_read_are_counted() -> None:
    with pytest.raises(DeadLine) as caught:
        read_assessments([b"x"] * 25, name="a")
    assert caught.value.problems[-1] == "a: 5 more dead lines"
