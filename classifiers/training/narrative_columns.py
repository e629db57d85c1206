"""Columns for all languages at once: what concepts mean is learnt from every language's seeds, stems from their own.

The protected codes and ordinary posts are columns too, so that a code of harm is given only where it beats them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.evidence import STEMS, evidence_of, first_stem
from classifiers.narratives.seeds import ORDINARY, PROTECTED, Example, load_seeds
from classifiers.training.duplicates import clusters, folds
from hustings.text import analyse_all

__all__ = ["FOLDS", "Corpus", "Learnt", "corpus", "learnt", "left_out"]

FOLDS = 4
PENALTY = 10.0
"""scikit-learn's C. Between 4 and 25 nothing changes by cross-validation, nor with other weights of rows below."""
WEIGHT_OF_ORDINARY = 6.0
WEIGHT_OF_PROTECTED = 1.5
"""What a row counts for against one of harm: a stream holds far more ordinary talk than the seeds do."""
FEWEST_ROWS = 2
"""Rows in which a feature must stand to get a weight."""
_STEPS = 60

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Corpus(NamedTuple):
    """All sentences of all languages, in that order; `matrix` has one row for each. In it every language's stems have
    columns of their own, behind those of concepts."""

    rows: tuple[Example, ...]
    languages: NDArray[np.str_]
    codes: NDArray[np.str_]
    tokens: tuple[tuple[str, ...], ...]
    fold: I64
    matrix: Any

    def of(self, language: str) -> I64:
        """Places of that language's rows."""
        return np.flatnonzero(self.languages == language)


class Learnt(NamedTuple):
    """`numbers` are the matrix columns that have weights; [codes, numbers] weights and [codes] intercepts."""

    codes: tuple[str, ...]
    numbers: I64
    weights: F64
    intercepts: F64

    def for_language(self, language: str) -> tuple[I64, F64]:
        """The features that posts of that language can have, with their numbers in `evidence_of`, and their weights."""
        stems = first_stem(len(load_concepts(language).names))
        block = stems + STEMS * concept_languages().index(language)
        shared = self.numbers < stems
        own = (self.numbers >= block) & (self.numbers < block + STEMS)
        numbers = np.where(own, self.numbers - block + stems, self.numbers)
        kept = shared | own
        return numbers[kept], self.weights[:, kept]


@lru_cache(maxsize=1)
def corpus(seed: int) -> Corpus:
    """The seeds of all languages that have words by concept. Near-copies stay in one fold."""
    from scipy.sparse import csr_matrix

    rows: list[Example] = []
    languages: list[str] = []
    fold: list[I64] = []
    tokens: list[tuple[str, ...]] = []
    indices: list[int] = []
    values: list[float] = []
    starts = [0]
    for nth, language in enumerate(concept_languages()):
        seeds = load_seeds(language)
        own = [*seeds.examples, *seeds.held_out, *(Example(ORDINARY, text) for text in seeds.ordinary)]
        harm = [int(is_harm(one.code)) for one in own]
        fold.append(folds(clusters([one.text for one in own]), harm, count=FOLDS, seed=seed))
        concepts = load_concepts(language)
        stems = first_stem(len(concepts.names))
        for analysis in analyse_all([one.text for one in own]):
            evidence = evidence_of(concepts, analysis.tokens, concepts.find(analysis.tokens))
            indices += [number + STEMS * nth if number >= stems else number for number in evidence.numbers]
            values += evidence.values
            starts.append(len(indices))
            tokens.append(tuple(analysis.tokens))
        rows += own
        languages += [language] * len(own)
    width = stems + STEMS * len(concept_languages())
    matrix = csr_matrix((values, indices, starts), shape=(len(rows), width))
    codes = np.array([one.code for one in rows])
    return Corpus(tuple(rows), np.array(languages), codes, tuple(tokens), np.concatenate(fold), matrix)


def is_harm(code: str) -> bool:
    return code != ORDINARY and not code.startswith(PROTECTED)


@lru_cache(maxsize=1)
def learnt(seed: int) -> Learnt:
    """Columns learnt from all rows."""
    return _fit(corpus(seed), np.arange(len(corpus(seed).rows)))


@lru_cache(maxsize=1)
def left_out(seed: int) -> tuple[Learnt, ...]:
    """For each fold columns learnt from the rows of the others."""
    own = corpus(seed)
    return tuple(_fit(own, np.flatnonzero(own.fold != number)) for number in range(FOLDS))


def _fit(own: Corpus, places: I64) -> Learnt:
    from warnings import catch_warnings, simplefilter

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    matrix = own.matrix[places]
    numbers = np.flatnonzero(np.bincount(matrix.indices, minlength=matrix.shape[1]) >= FEWEST_ROWS)
    codes = own.codes[places]
    counts = np.ones(len(codes))
    counts[codes == ORDINARY] = WEIGHT_OF_ORDINARY
    counts[np.char.startswith(codes, PROTECTED)] = WEIGHT_OF_PROTECTED
    model = LogisticRegression(C=PENALTY, max_iter=_STEPS, tol=1e-3)
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # so many steps are enough, and always the same
        model.fit(matrix[:, numbers].tocsr(), codes, sample_weight=counts)
    return Learnt(tuple(str(one) for one in model.classes_), numbers, model.coef_, model.intercept_)
