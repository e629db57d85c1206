"""Where likeness to plain examples becomes a flag: nothing is learnt but two numbers and two thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Calibration, Curves, Metric
from classifiers.narratives.likeness import FLOOR, Likeness, Verdict
from classifiers.narratives.seeds import Example, Seeds
from classifiers.training.calibration import platt, probabilities
from classifiers.training.duplicates import clusters
from classifiers.training.measures import curves, ece_by_chance, measure
from hustings.text import analyse

__all__ = ["MOST_WRONG", "Settled", "settle_likeness"]

MOST_WRONG = 0.05
"""Share of protected sentences (debunks, notices, satire, opinion, other matters) that may be flagged as narratives,
and of narratives that may be taken for an answer to one. It was .03 at first, and raised after seeing how much of the
synthetic election was missed."""
FOLDS = 20
"""Examples are judged by nineteen twentieths of the others."""
_NOTHING_ALIKE = -1.0  # the margin of a sentence that is compared with nothing
_MEASURES = ("precision", "recall", "false_positive_rate", "pr_auc", "recall_at_precision_90", "ece", "brier")


class Settled(NamedTuple):
    """What was settled for a language's examples, and how good it is on them."""

    calibration: Calibration
    threshold: float
    protected_threshold: float
    rows: int
    positives: int
    metrics: tuple[Metric, ...]
    curves: tuple[Curves, ...]

    @property
    def settings(self) -> dict[str, int | float | str]:
        """As a manifest holds them."""
        return {
            "likeness_slope": self.calibration.slope,
            "likeness_intercept": self.calibration.intercept,
            "likeness_threshold": self.threshold,
            "likeness_protected_threshold": self.protected_threshold,
        }


def settle_likeness(seeds: Seeds, *, seed: int) -> Settled:
    """Judge every example by the other folds, and set the thresholds on them, so that at most `MOST_WRONG` of the
    protected ones are flagged; and the held-out sentences, but for near-copies of examples, by all examples. How sure a
    flag is follows from both: examples stand in minimal pairs, so that one that is left out has its twin against it (in
    English their calibration alone is flat, and every flag would be .62 sure)."""
    likeness = Likeness(seeds)
    unlike = _unlike(seeds)
    left_out, held_out = _left_out(seeds, seed), [_verdict(likeness, one) for one in unlike]
    parts = {"likeness, examples left out": seeds.examples, "likeness, held-out sentences, calibrated on too": unlike}
    margins = {on: _margins(verdicts) for on, verdicts in zip(parts, (left_out, held_out), strict=True)}
    labels = {on: _labels(examples) for on, examples in parts.items()}
    all_margins, all_labels = np.concatenate(list(margins.values())), np.concatenate(list(labels.values()))
    compared = all_margins > _NOTHING_ALIKE
    calibration = platt(all_margins[compared], all_labels[compared])
    scores = {on: np.round(probabilities(part, calibration), DECIMALS) for on, part in margins.items()}
    own_labels, own_scores = next(iter(labels.values())), next(iter(scores.values()))
    own_compared = next(iter(margins.values())) > _NOTHING_ALIKE
    value = _threshold(own_labels, own_scores)
    named = {on: f"{seeds.language}: {on}" for on in parts}
    metrics = [
        metric
        for on, name in named.items()
        for metric in (
            *measure(labels[on], scores[on], value, on=name, seed=seed, names=_MEASURES),
            ece_by_chance(scores[on], on=name, seed=seed),
        )
    ]
    return Settled(
        calibration=calibration,
        threshold=value,
        protected_threshold=_threshold(1 - own_labels[own_compared], 1 - own_scores[own_compared]),
        rows=len(all_labels),
        positives=int(all_labels.sum()),
        metrics=tuple(metrics),
        curves=tuple(curves(labels[on], scores[on], on=name) for on, name in named.items()),
    )


def _unlike(seeds: Seeds) -> list[Example]:
    """The held-out sentences that are no near-copy of an example."""
    alike = clusters([one.text for one in (*seeds.examples, *seeds.held_out)]).tolist()
    known = set(alike[: len(seeds.examples)])
    return [one for one, own in zip(seeds.held_out, alike[len(seeds.examples) :], strict=True) if own not in known]


def _left_out(seeds: Seeds, seed: int) -> list[Verdict | None]:
    """Every example's verdict by examples of the other folds. One at a time would compare a little better with how
    posts are told, but takes a fit for each of a thousand examples."""
    fold = np.random.default_rng(seed).permutation(len(seeds.examples)) % FOLDS
    verdicts: list[Verdict | None] = [None] * len(seeds.examples)
    for number in range(FOLDS):
        held_out = np.flatnonzero(fold == number).tolist()
        likeness = Likeness(seeds, without=frozenset(held_out))
        for place in held_out:
            verdicts[place] = _verdict(likeness, seeds.examples[place])
    return verdicts


def _verdict(likeness: Likeness, example: Example) -> Verdict | None:
    return likeness.compare(analyse(example.text).tokens)


def _margins(verdicts: Sequence[Verdict | None]) -> NDArray[np.float64]:
    alike = (one is not None and one.likeness >= FLOOR for one in verdicts)
    pairs = zip(verdicts, alike, strict=True)
    return np.array([one.margin if one is not None and enough else _NOTHING_ALIKE for one, enough in pairs])


def _labels(examples: Sequence[Example]) -> NDArray[np.int64]:
    return np.array([int(not example.is_protected) for example in examples], dtype=np.int64)


def _threshold(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """The lowest score that a sentence of label 1 has and that at most `MOST_WRONG` of those of label 0 reach."""
    others = np.sort(scores[labels == 0])[::-1]
    allowed = int(MOST_WRONG * len(others))
    good = scores[(labels == 1) & (scores > others[allowed])]
    return round(float(good.min(initial=1.0)), DECIMALS)
