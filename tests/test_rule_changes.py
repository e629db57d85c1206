"""A logic edit rebuilds from the index: the windows of the new logic know the posts of before."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.rule import RuleSet
from alerts.rules import load_rules
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.testing.memory import DictMemory
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Assessment, Hit, Post
from index.sqlite import SqliteIndex
from ingest.log_sqlite import SqliteLog
from runtime.events import open_events
from runtime.rule_changes import EditedRules

START = datetime(2027, 3, 10, tzinfo=UTC)
RULE = """
[[rule]]
id = "5e0b7c1e-7f0f-4f3a-9a55-0c4a4f0f9c11"
name = "many"
kind = "count"
where = "{where}"
window = "1h"
lateness = "10m"
when = {{ gte = 2 }}
"""


def rules(where: str) -> RuleSet:
    return load_rules({"r.toml": RULE.format(where=where)}, vocabulary=query_vocabulary(), now=START, required=False)


def post(number: int, word: str, *, after: timedelta) -> Post:
    when = START + after
    return Post(source="s", native_id=str(number), text=word, published_at=when, collected_at=when)


POSTS = [post(n, word, after=timedelta(minutes=n)) for n, word in enumerate(["apple", "pear", "apple", "plum"])]
LATER = post(9, "pear", after=timedelta(days=5))


class Deployment:
    """A log of which `analyze` has done everything, and an index that holds it."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self.log = SqliteLog(folder / "log", clock=SystemClock()).open()
        closing.callback(self.log.close)
        self.log.append("posts", [Record(post.key, wire.encode(post)) for post in POSTS])
        self.log.reader("posts", "analyze").commit({0: len(POSTS)})
        self.index = SqliteIndex(folder / "index").open()
        closing.callback(self.index.close)
        self.fill(POSTS)
        self.lost = SqliteIndex(folder / "new").open()
        closing.callback(self.lost.close)
        self.memory = DictMemory()
        self.stream = io.StringIO()
        self.events = open_events(loop="watch", style="json", stream=self.stream)

    def fill(self, posts: list[Post]) -> None:
        assessments = [Assessment(post=post, tokens=(post.text,)) for post in posts]
        self.index.write(assessments, log_id=self.log.id, positions={0: len(posts)})

    def lose_index(self) -> None:
        """From now on the index is an empty one."""
        self.index = self.lost

    def edited(self, where: str) -> EditedRules:
        return EditedRules(rules(where), index=self.index, log=self.log, memory=self.memory, events=self.events)

    def told(self) -> list[tuple[str, list[str]]]:
        """The events so far and the rules that they name."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [(line["event"], line["rules"]) for line in lines]

    def write(self, hits: Sequence[Hit]) -> None:
        self.index.write_hits(hits, log_id=self.log.id)

    def hits(self, where: str) -> list[str]:
        (rule,) = rules(where).rules
        return [hit.key for hit in self.index.hits(rule.id, rule.logic)]


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as closing:
        yield Deployment(tmp_path, closing)


def test_an_edited_rule_gets_the_hits_of_posts_that_came_before(deployment: Deployment) -> None:
    assert not deployment.edited("apple").rematch(deployment.write)
    edited = deployment.edited("apple OR pear")
    assert [edited.rematch(deployment.write), edited.rematch(deployment.write)] == [True, False]
    assert deployment.hits("apple OR pear") == ["s:0", "s:1", "s:2"]
    assert not deployment.edited("apple OR pear").rematch(deployment.write)


def test_a_rule_that_was_not_edited_and_a_rule_that_is_new_have_no_past(deployment: Deployment) -> None:
    assert not deployment.edited("plum").rematch(deployment.write)
    assert not deployment.edited("plum").rematch(deployment.write)
    assert deployment.hits("plum") == []


def test_an_edited_rule_waits_for_an_index_that_was_lost(deployment: Deployment) -> None:
    deployment.edited("apple").rematch(deployment.write)
    deployment.lose_index()
    before_a_restart, edited = deployment.edited("apple OR pear"), deployment.edited("apple OR pear")
    assert not before_a_restart.rematch(deployment.write)
    assert not edited.rematch(deployment.write)
    deployment.fill(POSTS[:2])
    assert not edited.rematch(deployment.write)
    deployment.fill(POSTS)
    assert edited.rematch(deployment.write)
    assert deployment.hits("apple OR pear") == ["s:0", "s:1", "s:2"]
    assert deployment.told() == [("rules_wait_for_posts", ["many"])] * 2 + [("rules_rematched", ["many"])]


def test_after_a_loss_only_rules_that_were_edited_get_a_past(deployment: Deployment) -> None:
    deployment.edited("apple").rematch(deployment.write)
    deployment.lose_index()
    deployment.fill(POSTS)
    edited = deployment.edited("apple")
    edited.index_was_lost()
    assert not edited.rematch(deployment.write)
    assert deployment.edited("apple OR pear").rematch(deployment.write)
    again = deployment.edited("apple OR pear")
    again.index_was_lost()
    assert again.rematch(deployment.write)


def test_after_a_loss_the_past_of_a_rule_is_what_it_was(deployment: Deployment) -> None:
    """Neither less, for the sake of alerts that are open since, nor hits of posts that came later: those are in the
    log."""
    deployment.edited("apple").rematch(deployment.write)
    assert deployment.edited("apple OR pear").rematch(deployment.write)
    deployment.lose_index()
    deployment.edited("apple OR pear").index_was_lost()
    deployment.fill([*POSTS, LATER])
    assert deployment.edited("apple OR pear").rematch(deployment.write)
    assert deployment.hits("apple OR pear") == ["s:0", "s:1", "s:2"]


def test_a_rule_that_is_edited_and_edited_back_after_a_loss_gets_the_past_of_now(deployment: Deployment) -> None:
    deployment.edited("apple").rematch(deployment.write)
    assert deployment.edited("pear").rematch(deployment.write)
    deployment.lose_index()
    deployment.edited("pear").index_was_lost()
    assert not deployment.edited("plum").rematch(deployment.write)
    soon = post(4, "pear", after=timedelta(hours=1))
    deployment.fill([*POSTS, soon])
    assert deployment.edited("pear").rematch(deployment.write)
    assert deployment.hits("pear") == ["s:1", "s:4"]


def test_an_edit_that_is_taken_back_before_the_rule_had_its_past_gets_one_too(deployment: Deployment) -> None:
    """The former logic ran before, but not while the posts of meanwhile came."""
    deployment.edited("apple").rematch(deployment.write)
    deployment.lose_index()
    deployment.edited("pear").rematch(deployment.write)
    deployment.fill(POSTS)
    assert deployment.edited("apple").rematch(deployment.write)
    assert deployment.hits("apple") == ["s:0", "s:2"]
