"""Intervals where several rows tell one story."""

from __future__ import annotations

import numpy as np

from classifiers.training.measures import measure
from classifiers.training.resampling import RESAMPLES, resamples


def test_rows_of_one_story_are_drawn_together() -> None:
    stories = np.array([7, 1, 7, 1, 1, 9], dtype=np.intp)
    for rows in resamples(6, seed=1, clusters=stories)[:50]:
        counts = np.bincount(rows, minlength=6)
        assert counts[0] == counts[2]
        assert counts[1] == counts[3] == counts[4]
        assert counts[0] + counts[1] + counts[5] == 3  # as many stories as there are


def test_rows_of_which_each_is_a_story_are_drawn_as_without_stories() -> None:
    alone, told = resamples(40, seed=5), resamples(40, seed=5, clusters=np.arange(40, dtype=np.intp))
    assert [rows.tolist() for rows in alone] == [rows.tolist() for rows in told]
    assert len(alone) == RESAMPLES
    assert resamples(0, seed=5, clusters=np.zeros(0, dtype=np.intp)) == []


def test_an_interval_holds_what_is_true_however_often_each_story_was_passed_on() -> None:
    """Sixty stories of some seven posts each, of which a head finds seven in ten."""
    draw, held = np.random.default_rng(1), {"rows": 0, "stories": 0}
    for seed in range(20):
        stories = np.repeat(np.arange(60, dtype=np.intp), draw.geometric(0.15, 60))
        scores = (draw.random(60) < 0.7)[stories].astype(float)
        labels = np.ones(len(stories), dtype=np.int64)
        for drawn, clusters in (("rows", None), ("stories", stories)):
            (recall,) = measure(labels, scores, 0.5, on="x", seed=seed, names=("recall",), clusters=clusters)
            held[drawn] += recall.low <= 0.7 <= recall.high
    assert held["rows"] <= 12
    assert held["stories"] >= 16
