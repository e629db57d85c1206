"""Posts of our own that heads learn from: how they are read, and that nothing that measures is near them."""

from collections import Counter
from pathlib import Path

import pytest

from classifiers.checks.expand import load_suite
from classifiers.checks.free import TITLES, load_free_suite
from classifiers.checks.suite import SUITES
from classifiers.meaning.model import THREATS
from classifiers.narratives.seeds import load_seeds, seed_languages
from classifiers.own_posts import Group, OwnFile, own_languages, read_own
from classifiers.training.own_posts import expanded, own_rows
from classifiers.training.recipes import RECIPES
from hustings.errors import ConfigError
from tests.near_copies import near_copies, near_pairs

OWN = OwnFile(
    language="en",
    names=("Marlow", "Haddad", "Tessel", "Yilmaz"),
    parties=("the Meadow Party", "the River Alliance"),
    chatter=(),
    group=(),
)
FEWEST_POSTS = 150
FEWEST_OF_A_GROUP = 5
PROTECTED_CODES = ("X-COUNTER", "X-REPORT", "X-RECLAIM", "X-OPINION", "X-NOTELEX")
MEN = "slur-man"
"""Where a language has another word for a man, a post may stand twice: for a woman, and in this group for a man."""


def test_a_post_is_read_for_either_side_with_two_names_or_every_party() -> None:
    assert list(expanded("{name} kept {her|his} word", OWN, 1)) == [
        "Haddad kept her word",
        "Yilmaz kept her word",
        "Haddad kept his word",
        "Yilmaz kept his word",
    ]
    assert list(expanded("{she|he} left {party}", OWN, 0)) == [
        "She left the Meadow Party",
        "She left the River Alliance",
        "He left the Meadow Party",
        "He left the River Alliance",
    ]
    assert list(expanded("Nobody came", OWN, 5)) == ["Nobody came"]


@pytest.mark.parametrize(
    ("says", "is_not", "code", "label"),
    [
        (("G",), (), "G", 1),
        (("G",), ("G-THR",), "G-THR", 0),
        (("G",), (), "A-INSULT", None),  # whether it is an insult too, nobody said
        ((), (), "A-INSULT", 0),
    ],
)
def test_what_a_group_tells_a_head(
    says: tuple[str, ...], is_not: tuple[str, ...], code: str, label: int | None
) -> None:
    assert Group(id="x", code="G", posts=(), says=says, is_not=is_not).label(code) == label


def test_the_readings_of_a_post_count_as_one_post() -> None:
    rows = own_rows("en", "G-THR")
    counts: dict[int, float] = {}
    for family, weight in zip(rows.families, rows.weights, strict=True):
        counts[family] = counts.get(family, 0.0) + weight
    assert {round(count, 9) for count in counts.values()} == {1.0}
    assert (rows.dataset.rows, rows.dataset.licence) == (len(counts), "CC0-1.0")


def test_either_side_of_a_swap_gets_the_same_label() -> None:
    labels: dict[int, set[int]] = {}
    rows = own_rows("de", "A-INSULT")
    for family, label in zip(rows.families, rows.labels, strict=True):
        labels.setdefault(family, set()).add(label)
    assert all(len(found) == 1 for found in labels.values())


@pytest.mark.parametrize("language", own_languages())
def test_the_code_of_a_group_is_of_what_it_says_and_protected_where_it_says_nothing(language: str) -> None:
    for group in read_own(language).group:
        if group.code in THREATS:
            assert not {"A-THREAT", "G-THR", "A-DOX"}.isdisjoint(group.says), group.id
            assert group.code == "A-THREAT" or {"G", "G-THR"} <= set(group.says), group.id
        elif group.says:
            assert group.code in group.says, group.id
        else:
            assert group.code in PROTECTED_CODES, group.id


@pytest.mark.parametrize("language", own_languages())
def test_hate_of_minorities_stands_in_groups_that_name_one_and_so_does_what_looks_like_it(language: str) -> None:
    groups = read_own(language).group
    assert all(group.names_minority for group in groups if "A-OTHERGROUND" in group.says)
    protected = {group.code for group in groups if group.names_minority and not group.says}
    assert protected == {"X-NOTELEX", "X-COUNTER", "X-REPORT", "X-RECLAIM", "X-OPINION"}
    hateful = sum(len(group.posts) for group in groups if group.names_minority and group.says)
    assert sum(len(group.posts) for group in groups if group.names_minority) > 1.6 * hateful


def test_a_language_without_own_posts_is_named_with_those_that_have_some() -> None:
    with pytest.raises(ConfigError, match=r"'ta'.*ar, de, en"):
        read_own("ta")


@pytest.mark.parametrize("language", own_languages())
def test_there_are_enough_posts_of_each_kind_and_none_is_there_twice(language: str) -> None:
    own = read_own(language)
    assert sum(len(group.posts) for group in own.group) >= FEWEST_POSTS
    assert [group.id for group in own.group if len(group.posts) < FEWEST_OF_A_GROUP] == []
    assert max(Counter(group.id for group in own.group).values()) == 1
    kinds = {post: group.id for group in own.group for post in group.posts}
    pairs = near_pairs(list(kinds))
    assert [pair for pair in pairs if MEN not in (kinds[pair[0]], kinds[pair[1]])] == []


@pytest.mark.parametrize("language", own_languages())
def test_no_post_of_ours_is_near_one_that_measures(language: str) -> None:
    own = read_own(language)
    texts = [text for group in own.group for n, post in enumerate(group.posts) for text in expanded(post, own, n)]
    texts = list(dict.fromkeys(texts))
    suites = (*map(load_suite, SUITES), *map(load_free_suite, TITLES))
    cases = [case.text for suite in suites for case in suite.cases if case.language == language]
    assert near_copies(texts, list(dict.fromkeys(cases))) == []


@pytest.mark.parametrize("language", sorted(set(own_languages()) & set(seed_languages())))
def test_no_post_of_ours_is_near_a_seed(language: str) -> None:
    own, seeds = read_own(language), load_seeds(language)
    posts = [post for group in own.group for post in group.posts]
    examples = [example.text for example in (*seeds.examples, *seeds.held_out)]
    assert near_copies(posts, [*examples, *seeds.ordinary]) == []


@pytest.mark.shared
def test_no_post_of_ours_is_near_hatecheck(shared_data: Path) -> None:
    import csv

    tables = {"ar": "arabic", "de": "german", "fr": "french"}
    for language, name in (
        ("en", "hatecheck/public.csv"),
        *((language, f"multilingual_hatecheck/{table}.csv") for language, table in tables.items()),
    ):
        own = read_own(language)
        with (shared_data / name).open(encoding="utf-8", newline="") as lines:
            cases = list(dict.fromkeys(row["test_case"] for row in csv.DictReader(lines)))
        assert near_copies([post for group in own.group for post in group.posts], cases) == []


def test_heads_that_learn_from_own_posts_speak_a_language_that_has_some() -> None:
    assert {recipe.speech for recipe in RECIPES.values() if recipe.own_rows} <= set(own_languages())
