"""The example sentences of every language: enough of each code, and none said twice.

That no sentence of the checks is near a seed is tested in `test_checks.py`, that the codebook knows their codes in
`test_narratives.py`.
"""

from collections import Counter
from functools import cache

import pytest

from classifiers.narratives.seeds import Example, load_seeds, seed_languages
from hustings.errors import ModelError
from hustings.text import analyse
from tests.near_copies import near_pairs

FEWEST_EXAMPLES = 12
FEWEST_HELD_OUT = 4
ONLY_WIDE = {"X-RECLAIM"}
"""Codes that stand in `seeds/wide/` alone, which holds no sentences out: rows are left out by folds."""
SHORTEST = 2
"""Words of a short sentence: fewer tell nothing apart …"""
MOST_SHORT = 4
"""… so that only so many of a language's thousands are: what a hurried hand types in one word."""
MOST_NEAR = 12
"""Pairs of near-copies that a language may have; `narrative_columns` keeps them in one fold, so nothing is measured on
a copy of what was learnt."""

seeds_of = cache(load_seeds)


def all_of(language: str) -> list[Example]:
    seeds = seeds_of(language)
    return [*seeds.examples, *seeds.held_out]


FEWEST_ORDINARY = 200


def test_near_pairs_are_found_when_there_are_any() -> None:
    one, other = "Voting was moved to Monday, tell all your neighbours.", "The bakery closes at noon on Sundays."
    assert near_pairs([one, other]) == []
    assert near_pairs([one, other, one]) == [(one, one)]
    assert near_pairs([one, other, one.replace("Monday", "monday!")]) != []


@pytest.mark.parametrize("language", seed_languages())
def test_each_code_has_enough_examples_and_enough_held_out(language: str) -> None:
    seeds = seeds_of(language)
    examples = Counter(example.code for example in seeds.examples)
    held_out = Counter(example.code for example in seeds.held_out)
    assert {code: count for code, count in examples.items() if count < FEWEST_EXAMPLES} == {}
    asked = examples.keys() - ONLY_WIDE
    assert {code: held_out[code] for code in asked if held_out[code] < FEWEST_HELD_OUT} == {}


@pytest.mark.parametrize("language", seed_languages())
def test_examples_and_held_out_share_no_sentence(language: str) -> None:
    seeds = seeds_of(language)
    assert {one.text for one in seeds.examples}.isdisjoint(one.text for one in seeds.held_out)


@pytest.mark.parametrize("language", seed_languages())
def test_hardly_any_sentence_is_a_near_copy_of_another_whatever_their_codes(language: str) -> None:
    found = near_pairs([*(example.text for example in all_of(language)), *seeds_of(language).ordinary])
    assert len(found) <= MOST_NEAR, found
    assert not [one for one, other in found if one == other]


@pytest.mark.parametrize("language", seed_languages())
def test_each_language_has_ordinary_posts_about_the_election_and_about_other_things(language: str) -> None:
    seeds = seeds_of(language)
    assert len(seeds.ordinary) >= FEWEST_ORDINARY
    about = frozenset().union(*seeds.about.values())
    spoken_of = sum(not about.isdisjoint(analyse(post).tokens) for post in seeds.ordinary)
    assert spoken_of >= 50
    assert spoken_of <= len(seeds.ordinary) - 50


@pytest.mark.parametrize("language", seed_languages())
def test_hardly_any_sentence_is_too_short_to_tell_anything(language: str) -> None:
    short = [one.text for one in all_of(language) if len(analyse(one.text).tokens) < SHORTEST]
    assert len(short) <= MOST_SHORT, short


@pytest.mark.parametrize("language", seed_languages())
def test_the_words_that_a_post_must_hold_are_those_of_codes_that_the_file_has(language: str) -> None:
    codes = {example.code for example in all_of(language)}
    about = seeds_of(language).about
    assert [prefix for prefix in about if not any(code.startswith(prefix) for code in codes)] == []
    assert [prefix for prefix, words in about.items() if not words] == []


def test_a_language_without_seeds_is_named() -> None:
    with pytest.raises(ModelError, match="'xx'"):
        load_seeds("xx")
