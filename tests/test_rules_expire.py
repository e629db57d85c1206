"""A rule ends with the day `expires`: it fires no more, what it told settles, and all other rules go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from alerts.evaluator import Evaluator
from alerts.matcher import Matcher
from alerts.rule import Rule, RuleSet, When
from alerts.rules import load_rules
from hustings.clock import VirtualClock
from hustings.errors import RuleError
from hustings.query import Query
from hustings.query.tree import Everything
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Alert, Assessment, Hit, Mark, Post
from runtime.check import find_problems
from tests.loops_world import LoopsWorld, at, post
from tests.test_check import GOOD, deployment

LAST_DAY = date(2027, 3, 10)
MIDNIGHT = datetime(2027, 3, 11, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MANY = Rule(
    id="r1",
    name="many",
    kind="count",
    query=Query(text="*", node=Everything()),
    logic="L1",
    expires=LAST_DAY,
    window=timedelta(hours=1),
    lateness=timedelta(minutes=10),
    when=When(gte=1),
)
SILENCE = replace(MANY, when=When(lt=1), step=timedelta(minutes=10), resolve_after=timedelta(hours=2))


def assessment(collected: datetime, **changes: object) -> Assessment:
    values = {"source": "s", "native_id": "1", "text": "", "published_at": collected, "collected_at": collected}
    return Assessment(post=Post(**(values | changes)))  # type: ignore[arg-type]


def matcher(rule: Rule = MANY) -> Matcher:
    return Matcher(RuleSet(rules=(rule,)))


@pytest.mark.parametrize(("collected", "hits"), [(MIDNIGHT - SECOND, 1), (MIDNIGHT, 0), (MIDNIGHT + SECOND, 0)])
@pytest.mark.parametrize("rule", [MANY, replace(MANY, kind="match", outcome="review")], ids=["alert", "review"])
def test_the_last_post_that_a_rule_takes_is_that_of_the_last_second_of_its_day(
    collected: datetime, hits: int, rule: Rule
) -> None:
    assert len(matcher(rule).match([assessment(collected)])) == hits


def test_a_post_of_the_last_day_that_comes_after_it_is_no_hit() -> None:
    assert matcher().match([assessment(MIDNIGHT + SECOND, published_at=MIDNIGHT - timedelta(hours=1))]) == []


def test_an_edit_after_the_last_day_leaves_the_hit_and_a_deletion_takes_it_back() -> None:
    before = assessment(MIDNIGHT - SECOND)
    (hit,) = matcher().match([before])
    later = replace(before.post, collected_at=MIDNIGHT + timedelta(days=1), revision=1)
    edited = replace(before, post=later, first_collected_at=before.post.collected_at)
    deleted = replace(edited, post=replace(later, deleted=True))
    assert [one.withdrawn for one in matcher().revise(edited, [hit])] == [False]
    assert [one.withdrawn for one in matcher().revise(deleted, [hit])] == [True]


def test_a_rule_may_end_on_the_last_day_that_there_is() -> None:
    assert len(matcher(replace(MANY, expires=date.max)).match([assessment(MIDNIGHT)])) == 1


# ── silence ──────────────────────────────────────────────────────────────────────────────────────────────────────


def heard(before_midnight: timedelta) -> Hit:
    t = MIDNIGHT - before_midnight
    return Hit(rule="r1", logic="L1", key="s:1", t=t, g=t, revised_at=t)


def mark(after_midnight: timedelta) -> Mark:
    return Mark(partition=0, offset=0, at=MIDNIGHT + after_midnight)


def silences(*entries: Hit | Mark, restart: bool = False) -> list[Alert]:
    """What is told of silence in the end; with `restart` a new worker takes over before each entry."""
    ruleset = RuleSet(rules=(SILENCE,))
    evaluator = Evaluator(ruleset, partition=0)
    known: dict[str, Alert] = {}
    hits: list[Hit] = []
    for entry in entries:
        if restart:
            evaluator = Evaluator(ruleset, partition=0)
            evaluator.restore(hits, list(known.values()))
        known |= {alert.id: alert for alert in evaluator.feed([entry]).alerts}
        hits += [entry] if isinstance(entry, Hit) else []
    return list(known.values())


HOURS = [mark(timedelta(hours=hour)) for hour in range(-1, 12)]


@pytest.mark.parametrize("restart", [False, True], ids=["one worker", "a new worker each hour"])
def test_a_silence_of_the_last_day_is_over_two_hours_after_midnight(restart: bool) -> None:
    (alert,) = silences(heard(timedelta(hours=3)), *HOURS, restart=restart)
    assert alert.state == "resolved"
    assert alert.opened_at == MIDNIGHT - timedelta(hours=2)
    assert alert.last_crossing_at == MIDNIGHT - timedelta(minutes=10)
    assert alert.resolved_at == alert.last_crossing_at + timedelta(hours=2)
    assert [notice.kind for notice in alert.notices] == ["open", "resolve"]


@pytest.mark.parametrize("restart", [False, True], ids=["one worker", "a new worker each hour"])
def test_a_silence_that_would_begin_after_the_last_day_is_not_told(restart: bool) -> None:
    assert silences(heard(timedelta(minutes=30)), *HOURS, restart=restart) == []


# ── what runs ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def world(tmp_path: Path, desk_url: str) -> Iterator[LoopsWorld]:
    with ExitStack() as closing:
        made = LoopsWorld(tmp_path, desk_url, closing)
        ending, endless = (replace(rule, expires=LAST_DAY) for rule in made.rules.rules)
        made.rules = replace(made.rules, rules=(ending, replace(endless, expires=None)))
        yield made


def test_processes_that_run_over_midnight_fire_no_more_and_settle_what_they_told(world: LoopsWorld) -> None:
    analyzer, watcher = world.analyzer(), world.watcher()

    def run(hour: float) -> list[tuple[str, int]]:
        world.append(*(post(f"{hour}-{n}", "vote on sunday", minutes=hour * 60 + n) for n in range(4)))
        world.clock.set(at(hour * 60 + 10))
        while analyzer.step():
            pass
        analyzer.send_marks()
        while watcher.step():
            pass
        return [(alert.state, len(alert.evidence)) for alert in world.alerts()]

    assert run(11) == [("open", 4)]  # at 23:00
    assert run(12) == [("open", 4)]
    assert run(14) == [("resolved", 4)]
    assert len([hit for hit in world.hits() if hit.rule == world.rules.rules[0].id]) == 4
    assert len([hit for hit in world.hits() if hit.rule == world.rules.rules[1].id]) == 12, "the other rule goes on"


EXPIRING = """
[[rule]]
id = "5e0b7c1e-7f0f-4f3a-9a55-0c4a4f0f9c1{number}"
name = "of {day}"
version = 1
state = "active"
owner = "desk"
expires = {day}
why = "to see when it ends"
outcome = "alert"
kind = "match"
where = "sunday"
lateness = "10m"
review = "required"
route = {{ severity = "low", tlp = "AMBER" }}
[[rule.test]]
posts = {{ text = "sunday" }}
expect = [ {{ open = {{}} }} ]
[[rule.test]]
posts = {{ text = "monday" }}
expect = []
"""
RULES = EXPIRING.format(number=1, day="2020-01-01") + EXPIRING.format(number=2, day="2027-03-10")


def test_one_rule_that_has_ended_keeps_no_other_from_running() -> None:
    rules = load_rules({"r.toml": RULES}, vocabulary=query_vocabulary())
    assert [rule.name for rule in rules.rules] == ["of 2020-01-01", "of 2027-03-10"]
    assert [rule.name for rule in rules.expired(MIDNIGHT - SECOND)] == ["of 2020-01-01"]
    assert [rule.name for rule in rules.expired(MIDNIGHT)] == ["of 2020-01-01", "of 2027-03-10"]


def test_rules_check_names_each_rule_that_has_ended() -> None:
    with pytest.raises(RuleError) as wrong:
        load_rules({"r.toml": RULES}, vocabulary=query_vocabulary(), now=MIDNIGHT - SECOND)
    assert [problem.partition(" E19 ")[2] for problem in wrong.value.problems] == [
        'rule "of 2020-01-01": expires: 2020-01-01 is past; a active rule has to end later or be retired'
    ]


@pytest.mark.parametrize(
    ("clock", "notes"),
    [
        ("live", ["rules: 'of 2020-01-01' expired on 2020-01-01 and fires no more; retire it or move the day"]),
        ("replay", []),
    ],
)
def test_check_notes_a_rule_that_has_ended_where_the_clock_is_that_of_today(
    tmp_path: Path, clock: str, notes: list[str]
) -> None:
    path = deployment(tmp_path, GOOD.replace("[deployment]\n", f'[deployment]\nclock = "{clock}"\n'))
    (tmp_path / "rules" / "expiring.toml").write_text(RULES)
    report = find_problems(path, clock=VirtualClock(MIDNIGHT - SECOND))
    assert [problem for problem in report.problems if "rules" in problem] == []
    assert [note.partition(": ")[2] for note in report.warnings if "expired" in note] == notes
