"""Columns over what sentences mean, in the languages whose sentences a shipped encoder reads."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.embed import Embedder, load_embedder
from classifiers.narratives.sense import SenseWeights, text_of
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from classifiers.training.narrative_columns import FOLDS, Corpus, corpus, counts_of

__all__ = ["LearntSense", "embedder_of", "learnt_sense"]

PENALTY = 3.0
"""scikit-learn's C; by cross-validation on the seeds 3 and 10 are as good, 30 is worse."""
_STEPS = 200

F32 = NDArray[np.float32]


class LearntSense(NamedTuple):
    """Columns learnt from all rows of the language, and for each fold from the rows of the others; `vectors` are
    those of the rows, whole."""

    whole: SenseWeights
    left_out: tuple[SenseWeights, ...]
    vectors: F32


@cache
def embedder_of(language: str) -> Embedder | None:
    """The shipped encoder that reads the language."""
    return load_embedder(serving(shipped_models()).values(), language)


@lru_cache(maxsize=2)
def learnt_sense(language: str, codes: tuple[str, ...], seed: int) -> LearntSense | None:
    """None in a language that no encoder reads."""
    embedder = embedder_of(language)
    if embedder is None:
        return None
    own = corpus(seed)
    places = own.of(language)
    vectors = embedder.vectors([text_of(own.tokens[place]) for place in places.tolist()])
    fits = [_fit(own, places, own.fold[places] != number, vectors, codes) for number in range(FOLDS)]
    return LearntSense(_fit(own, places, np.ones(len(places), bool), vectors, codes), tuple(fits), vectors)


def _fit(
    own: Corpus, places: NDArray[np.int64], kept: NDArray[np.bool_], vectors: F32, codes: tuple[str, ...]
) -> SenseWeights:
    from sklearn.linear_model import LogisticRegression

    labels = own.codes[places][kept]
    model = LogisticRegression(C=PENALTY, max_iter=_STEPS)
    model.fit(vectors[kept].astype(np.float64), labels, sample_weight=counts_of(labels))
    weights = np.zeros((vectors.shape[1], len(codes)), dtype=np.float32)
    biases = np.full(len(codes), -30.0, dtype=np.float32)  # codes that this language has no sentences of
    columns = [codes.index(str(code)) for code in model.classes_]
    weights[:, columns], biases[columns] = model.coef_.T, model.intercept_
    return SenseWeights(weights, biases)
