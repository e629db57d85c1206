"""A logic edit rebuilds from the index: the windows of the new logic know the posts of before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.rule import RuleSet
from alerts.rules import load_rules
from hustings.testing.memory import DictMemory
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Assessment, Post
from index.sqlite import SqliteIndex
from runtime.rule_changes import rematch_changed

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


def filled(folder: Path) -> SqliteIndex:
    index = SqliteIndex(folder / "index").open()
    posts = [
        Post(source="s", native_id=str(n), text=word, published_at=at, collected_at=at)
        for n, word in enumerate(["apple", "pear", "apple", "plum"])
        for at in [START + timedelta(minutes=n)]
    ]
    index.write([Assessment(post=post, tokens=(post.text,)) for post in posts], log_id="log")
    return index


def test_an_edited_rule_gets_the_hits_of_posts_that_came_before(tmp_path: Path) -> None:
    index, memory = filled(tmp_path), DictMemory()
    assert rematch_changed(rules("apple"), index=index, log_id="log", memory=memory) == 0
    edited = rules("apple OR pear")
    assert rematch_changed(edited, index=index, log_id="log", memory=memory) == 3
    rule = edited.rules[0]
    assert [hit.key for hit in index.hits(rule.id, rule.logic)] == ["s:0", "s:1", "s:2"]
    index.close()


def test_a_rule_that_was_not_edited_and_a_rule_that_is_new_have_no_past(tmp_path: Path) -> None:
    index, memory = filled(tmp_path), DictMemory()
    assert rematch_changed(rules("plum"), index=index, log_id="log", memory=memory) == 0
    assert rematch_changed(rules("plum"), index=index, log_id="log", memory=memory) == 0
    index.close()
