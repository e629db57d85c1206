"""How a gate's comparison becomes a check: what passes, and what is written down."""

from __future__ import annotations

import pytest

from classifiers.gates.comparing import at_least, at_most, yes_or_no


@pytest.mark.parametrize(("value", "passed"), [(0.79, False), (0.8, True), (0.81, True)])
def test_a_value_at_its_lower_limit_passes(value: float, passed: bool) -> None:
    check = at_least("quality", "pr_auc on rows", "en", value=value, limit=0.8)
    assert (check.passed, check.at_least, check.value, check.applies) == (passed, True, value, True)


@pytest.mark.parametrize(("value", "passed"), [(0.02, True), (0.03, True), (0.031, False)])
def test_a_value_at_its_upper_limit_passes(value: float, passed: bool) -> None:
    check = at_most("calibration", "ece on rows", "en", value=value, limit=0.03)
    assert (check.passed, check.at_least, check.value, check.applies) == (passed, False, value, True)


def test_a_value_is_judged_before_it_is_rounded() -> None:
    check = at_most("groups", "gender", "en", value=0.050_004, limit=0.05, digits=4)
    assert (check.value, check.passed) == (0.05, False)


def test_where_there_is_nothing_to_compare_the_check_passes() -> None:
    assert at_least("quality", "pr_auc on rows", "en", value=0.0, limit=0.8, applies=False).passed
    assert at_most("robustness", "disguises", "en", value=1.0, limit=0.1, applies=False).passed


@pytest.mark.parametrize(("claim", "value"), [(True, 1.0), (False, 0.0)])
def test_a_claim_counts_one_of_one_or_nothing(claim: bool, value: float) -> None:
    check = yes_or_no("signature", "manifest signed", "en", claim)
    assert (check.value, check.limit, check.passed) == (value, 1.0, claim)
