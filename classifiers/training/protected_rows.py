"""What must not be flagged, protected speech and ordinary talk: thresholds are settled on it, and how much of it is
flagged all the same is measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Metric
from classifiers.narratives.seeds import ORDINARY, PROTECTED
from classifiers.training.measures import measure
from hustings.errors import ConfigError

__all__ = ["lowest_score", "wrongly_flagged"]

F64 = NDArray[np.float64]


def lowest_score(codes: NDArray[np.str_], scores: F64, most_protected: float, most_ordinary: float) -> float:
    """The lowest score from which on at most these shares of either kind of rows are flagged; scores have `DECIMALS`.
    Raises `ConfigError` where there are no rows of a kind."""
    bounds = []
    for (kind, chosen), most in zip(_kinds(codes), (most_protected, most_ordinary), strict=True):
        if not chosen.any():
            raise ConfigError(f"no {kind} rows are held out: nothing to settle a threshold on")
        wrong = np.sort(scores[chosen])[::-1]
        bounds.append(float(wrong[int(most * len(wrong))]))
    return round(max(bounds) + 10.0**-DECIMALS, DECIMALS)


def wrongly_flagged(language: str, codes: NDArray[np.str_], scores: F64, value: float, *, seed: int) -> list[Metric]:
    """The shares of either kind of rows that are flagged from the score `value` on."""
    found: list[Metric] = []
    for kind, chosen in _kinds(codes):
        zeros = np.zeros(int(chosen.sum()), dtype=np.int64)
        on = f"{language}: {kind} rows"
        found += measure(zeros, scores[chosen], value, on=on, seed=seed, names=("false_positive_rate",))
    return found


def _kinds(codes: NDArray[np.str_]) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    return ("protected", np.char.startswith(codes, PROTECTED)), ("ordinary", codes == ORDINARY)
