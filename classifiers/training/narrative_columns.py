"""Columns for all languages at once: what concepts mean is learnt from every language's seeds, words from their own.

The protected codes and ordinary posts are columns too, so that a code of harm is given only where it beats them.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.narratives.columns import Network
from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.evidence import evidence_of, first_word
from classifiers.narratives.lexicon import WORDS, Lexicon
from classifiers.narratives.seeds import ORDINARY, Example
from classifiers.narratives.subject import load_subjects
from classifiers.roster_names import NAME, said_in
from classifiers.spelling import Spelling
from classifiers.training.common_words import common_words
from classifiers.training.duplicates import clusters, folds
from classifiers.training.narrative_network import fit_network
from classifiers.training.often_said import often_said
from classifiers.training.seed_rows import is_harm, seed_rows

__all__ = ["FOLDS", "Corpus", "corpus", "for_language", "learnt", "left_out", "lexicon_of", "vocabulary"]

FOLDS = 4
WEIGHT_OF_ORDINARY = 3.0
"""What such a row counts for against others: a stream holds far more ordinary talk than the seeds do. By
cross-validation 6, or more for protected speech, finds less of the harm at the same share of either."""

I64 = NDArray[np.int64]


class Corpus(NamedTuple):
    """All sentences of all languages, in that order; `matrix` has one row for each. In it every language's words have
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


class _Read(NamedTuple):
    """`names` are words that only name somebody or something, and mean nothing for an election."""

    rows: tuple[Example, ...]
    tokens: tuple[tuple[str, ...], ...]
    names: frozenset[str]


@cache
def _read(language: str) -> _Read:
    seeds = seed_rows(language)
    return _Read(seeds.rows, tuple(said_in(one.text) for one in seeds.rows), seeds.names)


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """The words of the language that its seeds write often enough, and those that stand for concepts, in order."""
    read = _read(language)
    said = often_said(read.tokens, language, read.names, common_words())
    return tuple(sorted({*said, *load_concepts(language).whole_words}))


@cache
def lexicon_of(language: str) -> Lexicon:
    concepts = load_concepts(language)
    return Lexicon(concepts, Spelling(vocabulary(language)), load_subjects(concepts).core)


@lru_cache(maxsize=1)
def corpus(seed: int) -> Corpus:
    """The seeds of all languages that have words by concept. Near-copies stay in one fold."""
    from scipy.sparse import csr_matrix

    rows: list[Example] = []
    languages: list[str] = []
    fold: list[I64] = []
    tokens: list[tuple[str, ...]] = []
    indices: list[I64] = []
    values: list[NDArray[np.float32]] = []
    for nth, language in enumerate(concept_languages()):
        own = _read(language)
        harm = [int(is_harm(one.code)) for one in own.rows]
        fold.append(folds(clusters([one.text for one in own.rows]), harm, count=FOLDS, seed=seed))
        lexicon = lexicon_of(language)
        many = len(lexicon.concepts.names)
        for said in own.tokens:
            evidence = evidence_of(many, lexicon.terms([NAME if token in own.names else token for token in said]))
            indices.append(
                np.where(evidence.numbers >= first_word(many), evidence.numbers + nth * WORDS, evidence.numbers)
            )
            values.append(evidence.values)
        rows += own.rows
        tokens += own.tokens
        languages += [language] * len(own.rows)
    starts = np.cumsum([0, *map(len, indices)])
    width = first_word(many) + WORDS * len(concept_languages())
    matrix = csr_matrix((np.concatenate(values), np.concatenate(indices), starts), shape=(len(rows), width))
    codes = np.array([one.code for one in rows])
    return Corpus(tuple(rows), np.array(languages), codes, tuple(tokens), np.concatenate(fold), matrix)


def counts_of(codes: NDArray[np.str_]) -> NDArray[np.float64]:
    """What each row counts for."""
    counts = np.ones(len(codes))
    counts[codes == ORDINARY] = WEIGHT_OF_ORDINARY
    return counts


@lru_cache(maxsize=1)
def learnt(seed: int) -> Network:
    """Columns learnt from all rows."""
    return _fit(corpus(seed), np.arange(len(corpus(seed).rows)), seed)


@lru_cache(maxsize=1)
def left_out(seed: int) -> tuple[Network, ...]:
    """For each fold columns learnt from the rows of the others."""
    own = corpus(seed)
    return tuple(_fit(own, np.flatnonzero(own.fold != number), seed) for number in range(FOLDS))


def for_language(network: Network, language: str) -> Network:
    """The features that posts of that language can have, with their numbers in `evidence_of`."""
    first = first_word(len(load_concepts(language).names))
    block = first + WORDS * concept_languages().index(language)
    shared = network.numbers < first
    own = (network.numbers >= block) & (network.numbers < block + WORDS)
    numbers = np.where(own, network.numbers - block + first, network.numbers)
    kept = shared | own
    return network._replace(numbers=numbers[kept], inner=network.inner[kept])


def _fit(own: Corpus, places: I64, seed: int) -> Network:
    codes = own.codes[places]
    return fit_network(own.matrix[places], codes, counts_of(codes), seed=seed)
