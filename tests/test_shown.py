"""Which posts of an alert stand in its messages: `evidence.samples` and `evidence.pick` of the rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from alerts.messages import MOST_EVIDENCE, Decision
from alerts.partners import ChannelEntry, Partner
from alerts.redaction import Redactor
from alerts.rule import Evidence, Pick, Rule
from alerts.secrets import Secret
from alerts.shown import scored, shown
from desk.dispatch import Dispatcher
from hustings.query.parser import parse
from hustings.roster import Roster
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Alert, Assessment, Flag, Notice, Post

START = datetime(2027, 3, 10, 12, tzinfo=UTC)


def rule(pick: Pick, samples: int = 3, where: str = "score.G:>=0.5") -> Rule:
    return Rule(
        id="r1",
        name="r1",
        kind="count",
        query=parse(where, vocabulary=query_vocabulary()),
        logic="L",
        evidence=Evidence(samples=samples, pick=pick),
    )


def seen(name: str, score: float, author: str = "", **scores: float) -> Assessment:
    post = Post(source="s", native_id=name, text="", published_at=START, collected_at=START, author=author)
    return Assessment(post=post, scores={"G": score, **{code.replace("_", "-"): n for code, n in scores.items()}})


POSTS = [seen("1", 0.6, "ana"), seen("2", 0.9, "ben"), seen("3", 0.8, "ben"), seen("4", 0.7), seen("5", 0.7, "ana")]
KEYS = tuple(post.key for post in POSTS)


def names(keys: Sequence[str]) -> str:
    return "".join(key.removeprefix("s:") for key in keys)


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        ("oldest", "123"),
        ("newest", "543"),
        ("highest_score", "234"),
        ("highest_score_per_author", "245"),
    ],
)
def test_each_pick_shows_its_posts(pick: Pick, expected: str) -> None:
    assert names(shown(rule(pick), KEYS, POSTS)) == expected


def test_nobody_is_shown_twice_before_everybody_was_shown_once() -> None:
    assert names(shown(rule("highest_score_per_author", samples=4), KEYS, POSTS)) == "2453"


def test_posts_that_are_not_known_any_more_come_last() -> None:
    assert names(shown(rule("highest_score", samples=5), KEYS, POSTS[3:])) == "45123"


def test_what_counts_is_the_score_that_the_rule_asks_for_not_the_highest_of_all() -> None:
    posts = [seen("1", 0.6, N_PROC=0.99), seen("2", 0.7, N_PROC=0.1)]
    keys = [post.key for post in posts]
    assert names(shown(rule("highest_score", samples=1), keys, posts)) == "2"
    assert names(shown(rule("highest_score", samples=1, where="score.N-PROC:>=0.1"), keys, posts)) == "1"


def test_where_the_rule_asks_for_no_score_that_of_the_flags_counts() -> None:
    flagged = replace(seen("2", 0.1), flags=(Flag(code="G", score=0.95),))
    posts = [seen("1", 0.6), flagged]
    assert names(shown(rule("highest_score", samples=1, where="sunday"), [p.key for p in posts], posts)) == "2"


def test_a_rule_that_is_gone_shows_five_posts() -> None:
    posts = [seen(str(n), 0.5, f"author {n}") for n in range(9)]
    assert names(shown(None, [post.key for post in posts], posts)) == "01234"


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ("score.G:>=0.8 aimed_at:*", ("score.G",)),
        ("score.G:>=0.8 OR score.G:<0.1", ("score.G",)),
        ("sunday -score.G:>=0.8", ()),
    ],
)
def test_a_query_asks_for_the_scores_that_it_does_not_exclude(where: str, fields: tuple[str, ...]) -> None:
    assert scored(parse(where, vocabulary=query_vocabulary()).node) == fields


# ── in messages ──────────────────────────────────────────────────────────────────────────────────────────────────


REDACTOR = Redactor(key="key", roster=Roster(), mask_slurs=True)


class Known:
    """`desk.posts.Posts` that knows every post; the later, the higher its score."""

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        return {key: seen(key.removeprefix("s:"), int(key.removeprefix("s:")) / 1000) for key in keys}


@pytest.mark.parametrize(
    ("pick", "samples", "posts", "expected"),
    [
        ("highest_score", 2, 9, ["s:8", "s:7"]),
        ("oldest", 2, 9, ["s:0", "s:1"]),
        ("newest", 2, 900, ["s:899", "s:898"]),
        ("highest_score", 2, 900, ["s:899", "s:898"]),
        ("oldest", 50, 900, [f"s:{n}" for n in range(MOST_EVIDENCE)]),
    ],
)
def test_messages_show_what_the_rule_says_and_count_what_they_leave_out(
    pick: Pick, samples: int, posts: int, expected: list[str]
) -> None:
    partner = Partner(
        id="north",
        name="North",
        tlp="RED",
        channels=(ChannelEntry(name="hook", kind="webhook"),),
        pseudonym_key=Secret(value="key"),
    )
    alert = Alert(
        id="a",
        rule="r1",
        rule_name="r1",
        rule_version=1,
        logic="L",
        group=(),
        opening_anchor=START,
        opened_at=START,
        last_crossing_at=START + timedelta(minutes=1),
        detected_at=START,
        value=1.0,
        evidence=tuple(f"s:{n}" for n in range(posts)),
    )
    known = Dispatcher([partner], index=Known(), roster=Roster(), rules=[rule(pick, samples)])
    notice = Notice(alert="a", kind="open", key="open", at=START, revision=1)
    decision = Decision(roles=("lead",), codes=(), at=START)
    (message,) = known.messages(alert, notice, known.evidence(alert), decision=decision, now=START)
    body = json.loads(message.body)
    assert [post["key"] for post in body["evidence"]] == [REDACTOR.key(key) for key in expected]
    assert (body["evidence_count"], body["evidence_left_out"]) == (posts, posts - len(expected))
