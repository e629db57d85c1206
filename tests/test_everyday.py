"""Everyday posts that heads for worth learn from."""

from __future__ import annotations

import pytest

from classifiers.checks.expand import load_suite
from classifiers.checks.free import TITLES, load_free_suite
from classifiers.checks.suite import SUITES
from classifiers.own_posts import own_languages
from classifiers.training.everyday import everyday_languages, everyday_posts
from hustings.errors import ConfigError
from tests.near_copies import near_copies, near_pairs

FEWEST = 200


def test_there_are_some_in_every_language_with_posts_about_abuse() -> None:
    assert everyday_languages() == own_languages()


@pytest.mark.parametrize("language", everyday_languages())
def test_there_are_enough_none_twice_and_none_is_near_one_that_measures(language: str) -> None:
    posts, dataset = everyday_posts(language)
    assert len(posts) >= FEWEST
    assert (dataset.rows, dataset.licence, dataset.positives) == (len(posts), "CC0-1.0", 0)
    assert near_pairs(posts) == []
    for suite in (*map(load_suite, SUITES), *map(load_free_suite, TITLES)):
        assert near_copies(posts, [case.text for case in suite.cases if case.language == language]) == []


def test_a_language_without_is_an_error() -> None:
    with pytest.raises(ConfigError, match="everyday posts of 'ta'"):
        everyday_posts("ta")
