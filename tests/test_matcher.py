"""From assessments to hits: groups, what a hit carries, revisions, and that the word index loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.matcher import Matcher, event_time, partition_key, withdrawals
from alerts.rule import RuleSet
from alerts.rules import load_rules
from hustings.query.predicate import predicate
from hustings.query.vocabulary import Vocabulary
from hustings.roster import Person, Phase, Roster
from hustings.types import Assessment, Flag, Hit, Post, Target
from runtime.build import vocabulary

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
WORDS = Vocabulary(
    codebook=vocabulary(None).codebook,
    roster=Roster(people=(Person(id="c1", name="A", attributes={"party": "x"}), Person(id="c2", name="B"))),
    phases=(Phase(code="P-CAMP", start=NOON, end=NOON + timedelta(days=1)),),
)


def rules(*wheres: str, more: str = "") -> RuleSet:
    texts = [
        f"[[rule]]\nid = 'r{number}'\nname = 'r{number}'\nkind = 'match'\nwhere = '{where}'\n{more}"
        for number, where in enumerate(wheres)
    ]
    return load_rules({"r": "\n".join(texts)}, vocabulary=WORDS, now=NOON, required=False)


def post(
    *targets: str, tokens: str = "", flags: tuple[str, ...] = ("G",), story: str = "", **changes: object
) -> Assessment:
    values: dict[str, object] = {
        "source": "s",
        "native_id": "1",
        "text": "",
        "published_at": NOON,
        "collected_at": NOON,
    }
    return Assessment(
        post=Post(**(values | changes)),  # type: ignore[arg-type]
        targets=tuple(Target(id=name, role="aimed_at") for name in targets),
        flags=tuple(Flag(code=code, score=0.5) for code in flags),
        tokens=tuple(tokens.split()),
        story=story,
    )


def groups(ruleset: RuleSet, assessment: Assessment) -> list[dict[str, str]]:
    return [dict(hit.group) for hit in Matcher(ruleset).match([assessment])]


def test_groups_are_the_product_of_the_distinct_values() -> None:
    ruleset = rules("*", more="group_by = ['aimed_at', 'flag']")
    found = groups(ruleset, post("c1", "c2", "c1", flags=("G", "A-INSULT"), story="s7"))
    assert [(g["aimed_at"], g["flag"], g["story"]) for g in found] == [
        ("c1", "G", "s7"),
        ("c1", "A-INSULT", "s7"),
        ("c2", "G", "s7"),
        ("c2", "A-INSULT", "s7"),
    ]


def test_roster_attributes_and_the_phase_make_groups_too() -> None:
    ruleset = rules("*", more="group_by = ['aimed_at.party', 'phase']")
    assert groups(ruleset, post("c1", "c2")) == [{"aimed_at.party": "x", "phase": "P-CAMP", "key": "s:1"}]
    assert groups(ruleset, post("c2")) == []


def test_a_rule_that_groups_by_story_has_no_further_member() -> None:
    assert groups(rules("*", more="group_by = ['story']"), post(story="s7")) == [{"story": "s7"}]


def test_a_hit_carries_what_windows_and_evidence_need() -> None:
    ruleset = rules("score.G:>=0.1 flag:A-INSULT -score.A:>=0.99")
    assessment = replace(
        post("c1", flags=("A-INSULT",), author="a9", revision=3, collected_at=NOON + timedelta(minutes=5)),
        scores={"G": 0.3, "G-THR": 0.8},
        first_collected_at=NOON + timedelta(minutes=1),
    )
    (hit,) = Matcher(ruleset).match([assessment])
    assert (hit.t, hit.g, hit.revised_at) == tuple(NOON + timedelta(minutes=m) for m in (0, 1, 5))
    assert (hit.revision, hit.author, hit.score, hit.logic) == (3, "a9", 0.8, ruleset.rules[0].logic)


def test_a_deleted_post_meets_no_rule_whatever_its_flags() -> None:
    assert Matcher(rules("*", "flag:G")).match([post(deleted=True)]) == []


def test_draft_and_retired_rules_match_nothing() -> None:
    (rule,) = rules("*").rules
    for state, hits in (("draft", 0), ("shadow", 1), ("active", 1), ("retired", 0)):
        ruleset = RuleSet(rules=(replace(rule, state=state),))
        assert len(Matcher(ruleset).match([post()])) == hits


def test_posts_before_active_from_do_not_count() -> None:
    ruleset = rules("*", more="active_from = 2026-10-01T12:00:00Z")
    assert len(Matcher(ruleset).match([post()])) == 1
    assert Matcher(ruleset).match([post(published_at=NOON - timedelta(seconds=1))]) == []


def test_a_published_time_ahead_of_the_collection_is_believed_up_to_two_minutes() -> None:
    limit = timedelta(minutes=2)
    assert event_time(post(published_at=NOON + limit)) == NOON + limit
    assert event_time(post(published_at=NOON + limit + timedelta(microseconds=1))) == NOON


def test_alert_and_hit_of_one_group_go_to_one_partition() -> None:
    (hit,) = Matcher(rules("*", more="group_by = ['aimed_at']")).match([post("c1")])
    assert partition_key(hit) == "r0|aimed_at=c1|key=s:1"


# ── revisions ────────────────────────────────────────────────────────────────────────────────────────────────────

LATER = NOON + timedelta(hours=1)


def distinct_hashtags() -> Matcher:
    text = (
        "[[rule]]\nid='r'\nname='r'\nkind='distinct'\nof='hashtag'\nwhere='flag:G'\nwindow='1h'\n"
        "lateness='10m'\nwhen={gte=2}\n"
    )
    return Matcher(load_rules({"r": text}, vocabulary=WORDS, now=NOON, required=False))


def test_a_revision_that_no_longer_meets_the_rule_withdraws_the_hit() -> None:
    matcher = distinct_hashtags()
    former = matcher.match([post(hashtags=("a",))])
    edited = post(flags=(), revision=7, collected_at=LATER)
    (gone,) = matcher.revise(edited, former)
    assert (gone.id, gone.withdrawn, gone.revision, gone.revised_at) == (former[0].id, True, 7, LATER)
    assert (gone.t, gone.g) == (former[0].t, former[0].g)
    assert [gone] == withdrawals(former, [], edited)
    assert matcher.revise(post(flags=(), revision=8, collected_at=LATER), [gone]) == []


def revised(former_tags: tuple[str, ...], tags: tuple[str, ...], *, late: bool) -> Hit:
    matcher = distinct_hashtags()
    former = matcher.match([post(hashtags=former_tags)])
    collected_at = LATER if late else NOON + timedelta(minutes=10)
    edited = replace(post(hashtags=tags, revision=1, collected_at=collected_at), first_collected_at=NOON)
    (hit,) = matcher.revise(edited, former)
    assert (hit.revision, hit.withdrawn, hit.g) == (1, False, NOON)
    return hit


def test_an_edit_on_time_counts_as_it_reads_now() -> None:
    hit = revised(("a", "b"), ("b", "c"), late=False)
    assert (hit.of, hit.revised_at) == (("b", "c"), NOON + timedelta(minutes=10))


def test_a_late_edit_keeps_only_what_was_there_before() -> None:
    hit = revised(("a", "b"), ("b", "c"), late=True)
    assert (hit.of, hit.revised_at) == (("b",), NOON)


def test_a_late_edit_that_keeps_nothing_is_late() -> None:
    hit = revised(("a",), ("c",), late=True)
    assert (hit.of, hit.revised_at) == (("c",), LATER)


# ── the word index ───────────────────────────────────────────────────────────────────────────────────────────────

VOCABULARY = ["vote", "ballot", "station", "liar", "crook"]
TERMS = st.sampled_from([*VOCABULARY, '"vote ballot"', "vot*", "-liar", "flag:G", "*"])
WHERES = st.lists(TERMS, min_size=1, max_size=3).flatmap(
    lambda terms: st.sampled_from([" ".join(terms), " OR ".join(terms), f"({' OR '.join(terms)}) vote"])
)


@given(
    st.lists(WHERES, min_size=1, max_size=5),
    st.lists(st.lists(st.sampled_from(VOCABULARY), max_size=5).map(" ".join), min_size=1, max_size=5),
)
@settings(max_examples=150)
def test_candidates_by_word_lose_no_hit(wheres: list[str], texts: list[str]) -> None:
    ruleset = rules(*wheres)
    assessments = [post(native_id=str(number), tokens=text) for number, text in enumerate(texts)]
    expected = {
        (rule.id, assessment.key)
        for rule in ruleset.rules
        for assessment in assessments
        if predicate(rule.query)(assessment)
    }
    assert {(hit.rule, hit.key) for hit in Matcher(ruleset).match(assessments)} == expected
