"""What a linear head learns from: its corpus, our own posts and ordinary ones, each in several readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.gender import other_gender
from classifiers.linear.features import HASH_SEED, HashKey
from classifiers.linear.model import Weights
from classifiers.roster_names import said_in
from classifiers.training.corpora import Corpus
from classifiers.training.nb_logistic import Settings, fit, matrix
from classifiers.training.own_posts import OwnRows
from classifiers.training.recipes import Recipe
from classifiers.training.robustness import every_second, respelt

__all__ = ["FOLDS", "SECOND", "Lesson", "Rows", "tokens"]

FOLDS = 5
CARELESS = (("mistyped", "leet", "masked"), ("leet", "mistyped", "dotted"))
"""Spellings that no analyser can undo wholly, so that a head must have seen them: each row is learnt in one of the
first and in one of the second, by turns."""
CARELESS_OF = {"hi": (("masked", "spaced"), ("spaced", "dotted"))}
"""In place of those, where letters are syllables: no figure looks like one, a word has few, and those set apart are not
joined again."""
SECOND = Settings(penalty=4.0, smoothing=0.1)
"""Of what withholds flags from protected speech."""

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Lesson(NamedTuple):
    """All that is learnt from: rows of `nb_logistic.matrix`, and for each how likely it is what the head looks for (its
    label, or between labels where a teacher was asked), how much it counts, the fold in which it is held out together
    with whatever says the same, and whether it is none of the corpus."""

    rows: Any
    targets: F64
    weights: F64
    fold: I64
    foreign: NDArray[np.bool_]

    def fit(self, settings: Settings, *, without: int | None) -> Weights:
        """Train on all rows, or on those outside one fold."""
        kept = self.weights > 0
        if without is not None:
            kept &= self.fold != without
        found = fit(
            self.rows[kept],
            self.targets[kept],
            settings,
            row_weights=self.weights[kept],
            foreign=self.foreign[kept] if self.foreign.any() else None,
        )
        return Weights.quantised(found.weights, found.intercept)


class Rows:
    """What the two lessons of a head are made of."""

    def __init__(
        self,
        recipe: Recipe,
        corpus: Corpus,
        fold: NDArray[np.intp],
        own: OwnRows | None,
        ordinary: Sequence[str],
        seed: int,
    ) -> None:
        self._recipe = recipe
        self._corpus, self._ordinary = corpus.texts, list(ordinary)
        self._own = list(own.texts) if own is not None else []
        self._labels = np.array([*corpus.labels, *(own.labels if own is not None else ())], dtype=np.int64)
        self._own_weights = _even(own) if own is not None else np.zeros(0)
        self.own_fold = _folds_of(own, seed)
        self.ordinary_fold = np.random.default_rng(seed).integers(0, FOLDS, len(self._ordinary))
        self._fold = np.concatenate((fold, self.own_fold)).astype(np.int64)

    def _matrix(self, texts: Sequence[str], settings: Settings) -> Any:
        return matrix(tokens(texts), HashKey.from_seed(HASH_SEED), settings)

    def lesson(self, taught: F64 | None = None) -> Lesson:
        """The corpus, ordinary posts and our own posts, as they are written and in the spellings of `CARELESS`;
        `taught` is how likely a teacher takes each row of the corpus to be what its label says. What
        only sounds like abuse is left to the second lesson: learnt here, it takes weight from the very words that speak
        for abuse (recall at precision .90 on EDOS fell from .38 to .30). Threats are told by other words."""
        from scipy.sparse import vstack

        recipe, texts = self._recipe, [*self._corpus, *self._own, *self._ordinary]
        learnt = recipe.own_protected | (self._labels[len(self._corpus) :] == 1)
        ordinary = np.full(len(self._ordinary), recipe.ordinary_weight)
        each = recipe.own_rows / max(float(self._own_weights.sum()), 1.0)
        weights = np.concatenate((np.ones(len(self._corpus)), self._own_weights * learnt * each, ordinary))
        foreign = np.zeros(len(texts), dtype=np.bool_)
        foreign[len(self._corpus) : len(self._labels)] = not recipe.own_protected
        targets: F64 = np.append(self._labels.astype(np.float64), np.zeros(len(ordinary)))
        if taught is not None:
            size = len(taught)
            targets[:size] = (1.0 - recipe.taught) * targets[:size] + recipe.taught * taught
        fold = np.append(self._fold, self.ordinary_fold)
        others = [other_gender(text, recipe.speech) for text in texts] if recipe.either_gender else texts
        changed = np.array([one != other for one, other in zip(texts, others, strict=True)])
        weights[changed] /= 2
        readings = [(texts, weights)]
        if changed.any():
            readings.append((others, weights * changed))
        turns = CARELESS_OF.get(recipe.speech, CARELESS) if recipe.careless_weight else ()
        careless = weights * (1 + changed) * recipe.careless_weight / len(CARELESS)
        for turn, some in zip(turns, (texts, others), strict=False):
            readings.append((_carelessly(some, turn, recipe.speech), careless))
        return Lesson(
            vstack([self._matrix(some, recipe.settings) for some, _ in readings]).tocsr(),
            np.tile(targets, len(readings)),
            np.concatenate([weight for _, weight in readings]),
            np.tile(fold, len(readings)),
            np.tile(foreign, len(readings)),
        )

    def second_lesson(self) -> Lesson:
        """Our own posts in which nothing is to be found, against our own others and what the corpus calls positive."""
        size = len(self._corpus)
        kept = np.concatenate((self._labels[:size] == 1, np.ones(len(self._own), dtype=np.bool_)))
        texts = [text for text, is_kept in zip([*self._corpus, *self._own], kept, strict=True) if is_kept]
        count = int(kept[:size].sum())
        total = float(self._own_weights.sum()) / 2
        weights = np.concatenate((np.full(count, total / max(count, 1)), self._own_weights))
        nobody = np.zeros(len(texts), dtype=np.bool_)
        return Lesson(self._matrix(texts, SECOND), 1.0 - self._labels[kept], weights, self._fold[kept], nobody)


def _carelessly(texts: Sequence[str], turn: Sequence[str], language: str) -> list[str]:
    """Each text in one of these spellings, by turns."""
    size = len(turn)
    if language not in CARELESS_OF:
        return [respelt(text, turn[place % size]) for place, text in enumerate(texts)]
    return [
        respelt(text, turn[place % size], telling=every_second(text, odd=place // size % 2 == 0))
        for place, text in enumerate(texts)
    ]


def _even(own: OwnRows) -> F64:
    """The weights of our own posts; positives and negatives count alike, together as much as there are posts."""
    weights, labels = np.array(own.weights), np.array(own.labels)
    whole = weights.sum()
    for label in (0, 1):
        part = labels == label
        weights[part] *= whole / 2 / max(float(weights[part].sum()), 1.0)
    return weights


def _folds_of(own: OwnRows | None, seed: int) -> NDArray[np.intp]:
    """A fold for each of our own rows; the readings of one post stay together."""
    if own is None:
        return np.zeros(0, dtype=np.intp)
    families = np.array(own.families, dtype=np.intp)
    drawn: NDArray[np.intp] = np.random.default_rng(seed).integers(0, FOLDS, families.max(initial=0) + 1)
    return drawn[families]


def tokens(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """What is said in each: whom it answers tells nothing, and linear heads read it nowhere."""
    return [said_in(text) for text in texts]
