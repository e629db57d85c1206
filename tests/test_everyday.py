"""Everyday posts that are learnt as ordinary talk."""

from __future__ import annotations

import pytest

from classifiers.checks.expand import load_suite
from classifiers.checks.free import TITLES, load_free_suite
from classifiers.checks.suite import SUITES
from classifiers.own_posts import own_languages
from classifiers.training.ordinary import everyday_posts
from tests.near_copies import near_copies, near_pairs

FEWEST = 200


@pytest.mark.parametrize("language", own_languages())
def test_there_are_enough_none_twice_and_none_is_near_one_that_measures(language: str) -> None:
    posts, dataset = everyday_posts(language)
    assert len(posts) >= FEWEST
    assert (dataset.rows, dataset.licence, dataset.positives) == (len(posts), "CC0-1.0", 0)
    assert near_pairs(posts) == []
    for suite in (*map(load_suite, SUITES), *map(load_free_suite, TITLES)):
        assert near_copies(posts, [case.text for case in suite.cases if case.language == language]) == []


def test_a_language_without_has_none() -> None:
    assert everyday_posts("ta") is None
