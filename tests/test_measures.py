"""What is measured, and how sure it is: intervals hold their value, and what is settled keeps what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Metric
from classifiers.narratives.seeds import ORDINARY, PROTECTED, load_examples
from classifiers.narratives.sense import Sense, SenseSettings
from classifiers.spelling import Spelling
from classifiers.training.measures import measure, wilson
from classifiers.training.narrative_asking import Asks, asking
from classifiers.training.protected_rows import lowest_score, wrongly_flagged
from classifiers.training.train_likeness import settle_likeness

SLOPE = Calibration(slope=1.0, intercept=0.0)


def by_name(metrics: list[Metric]) -> dict[str, Metric]:
    return {one.name: one for one in metrics}


@pytest.mark.parametrize("seed", range(12))
def test_a_calibration_error_lies_within_its_interval(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scores = draw.random(600)
    labels = (draw.random(600) < scores).astype(np.int64)
    (ece,) = measure(labels, scores, 0.5, on="here", seed=1, names=("ece",))
    assert ece.low <= ece.value <= ece.high
    assert ece.low < ece.high


def test_of_a_few_rows_none_of_which_is_flagged_more_might_be() -> None:
    codes = np.array([PROTECTED + "SATIRE"] * 28 + [ORDINARY] * 40)
    found = by_name(wrongly_flagged("en", codes, np.zeros(68), 0.5, seed=1))
    rate = found["false_positive_rate"]  # of the ordinary ones, which come last
    assert (rate.value, rate.low, rate.n) == (0.0, 0.0, 40)
    assert rate.high == pytest.approx(0.0876, abs=1e-3)


def test_of_a_few_rows_all_of_which_are_right_some_might_not_be() -> None:
    labels, scores = np.array([1] * 9 + [0] * 30), np.array([0.9] * 9 + [0.1] * 30)
    found = by_name(measure(labels, scores, 0.5, on="here", seed=1, names=("precision", "recall")))
    assert all((one.value, one.high) == (1.0, 1.0) for one in found.values())
    assert all(one.low == pytest.approx(wilson(9, 9)[0], abs=1e-4) for one in found.values())


@given(st.integers(1, 400), st.data())
def test_a_share_lies_within_its_interval(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    low, high = wilson(right, n)
    assert 0 <= low <= right / n + 1e-12
    assert right / n - 1e-12 <= high <= 1
    assert low < high


@given(
    st.lists(st.integers(0, 10**DECIMALS), min_size=1, max_size=120),
    st.lists(st.integers(0, 10**DECIMALS), min_size=1, max_size=120),
    st.floats(0, 0.3),
)
def test_no_more_than_the_share_that_may_be_is_flagged(protected: list[int], ordinary: list[int], most: float) -> None:
    codes = np.array([PROTECTED + "SATIRE"] * len(protected) + [ORDINARY] * len(ordinary))
    scores = np.array([*protected, *ordinary]) / 10**DECIMALS
    flagged = scores >= lowest_score(codes, scores, most, most)
    assert flagged[: len(protected)].sum() <= math.floor(most * len(protected))
    assert flagged[len(protected) :].sum() <= math.floor(most * len(ordinary))


def test_what_is_kept_is_told_of_the_rows_that_the_encoder_is_asked_about() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    flagged = np.array([True, True, True, False, True, False, False, False])
    asked = np.array([True, True, False, True, True, False, False, False])
    found = by_name(asking(labels, flagged, asked, on="here"))
    assert (found["recall_kept"].value, found["recall_kept"].n) == (0.6667, 3)
    assert (found["share_read"].value, found["share_read"].n) == (0.5, 8)


@given(st.none() | st.floats(-20, 20), st.floats(-20, 20))
def test_what_is_measured_is_asked_about_as_posts_are(margin: float | None, worth: float) -> None:
    asks = Asks(weight=0.5, least=-1.25, least_else=2.0)
    measured = asks.about(np.array([np.nan if margin is None else margin]), np.array([worth]))
    settings = SenseSettings("encoder-mul", "5" * 64, 0.5, -1.25, 2.0, 0.8, SLOPE, SLOPE, 0.8)
    sense = Sense(settings, (), lambda network: None, language="en", spelling=Spelling(()))
    assert measured.tolist() == [sense.asks(margin, worth)]


def test_no_near_copy_of_an_example_measures_likeness_and_what_was_calibrated_on_is_called_so() -> None:
    examples = load_examples("en")
    settled = settle_likeness(examples, seed=1)
    (held_out,) = (one for one in settled.metrics if "held-out" in one.on and one.name == "precision")
    assert 0 < held_out.n < len(examples.held_out)
    assert settled.rows == len(examples.examples) + held_out.n
    assert held_out.on == "en: likeness, held-out sentences, calibrated on too"
