"""Candidates among many claims: BM25 over words, joined with rare character four-grams.

Words find what is said in the same words; four-grams find other forms of a word, split and misspelt ones, and languages
that inflect. Numbers on the staged retrieval set stand in docs/claims.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.text import analyse_all

__all__ = ["GRAM", "Candidates", "Document", "Grams", "Postings", "Retriever", "Shares", "documents", "grams_of"]

Ids = NDArray[np.int32]
Weights = NDArray[np.float32]

K1, B = 1.2, 0.75
"""Robertson's usual BM25 settings."""
GRAM = 4
_BUCKETS_BITS = 22
_BUCKETS = 1 << _BUCKETS_BITS
COMMON = 0.1
"""Words of more than this share of the claims (and of more than `_FEW`) find nothing and score nothing: they are most
of the work and say least."""
RARE = 0.01
"""Four-grams of more than this share of the claims (and of more than `_FEW`) find nothing: they only weigh."""
_FEW = 50


class Document(NamedTuple):
    """The words of one text: all in order, and the four-gram buckets, each once."""

    tokens: tuple[str, ...]
    grams: Ids


def documents(texts: Sequence[str]) -> list[Document]:
    """What the one analyser makes of texts: disguises are undone, so they match."""
    return [Document(found.tokens, grams_of(found.tokens)) for found in analyse_all(texts)]


def grams_of(tokens: Iterable[str]) -> Ids:
    """The buckets of all runs of four characters in the words, blanks at their ends included; sorted, each once."""
    line = f" {' '.join(tokens)} "
    points = np.frombuffer(line.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if points.size < GRAM:
        return np.empty(0, dtype=np.int32)
    mixed = np.zeros(points.size - GRAM + 1, dtype=np.uint64)
    for place in range(GRAM):
        mixed = (mixed ^ points[place : place + mixed.size]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique((mixed >> np.uint64(64 - _BUCKETS_BITS)).astype(np.int32))


class Postings(NamedTuple):
    """Rows of ragged lists: those of row r are `members[starts[r] : starts[r + 1]]`."""

    starts: NDArray[np.int64]
    members: Ids

    def of(self, row: int) -> Ids:
        """The list of one row."""
        return self.members[self.starts[row] : self.starts[row + 1]]

    @classmethod
    def inverted(cls, rows: Sequence[Ids], width: int) -> Postings:
        """For each of `width` values, the rows that hold it, in order."""
        values = np.concatenate(rows) if rows else np.empty(0, dtype=np.int32)
        owners = np.repeat(np.arange(len(rows), dtype=np.int32), [row.size for row in rows])
        order = np.argsort(values, kind="stable")
        starts = np.zeros(width + 1, dtype=np.int64)
        np.cumsum(np.bincount(values, minlength=width), out=starts[1:])
        return cls(starts, owners[order])


class Grams:
    """The four-grams of every claim, and what each is worth."""

    def __init__(self, rows: Sequence[Ids]) -> None:
        self._size = max(1, len(rows))
        self._inverted = Postings.inverted(rows, _BUCKETS)
        frequency = np.diff(self._inverted.starts)
        self.idf: Weights = np.log1p(self._size / (1.0 + frequency)).astype(np.float32)
        self._rare = frequency <= max(_FEW, RARE * self._size)
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([row.size for row in rows], out=starts[1:])
        self._rows = Postings(starts, np.concatenate(rows) if rows else np.empty(0, dtype=np.int32))
        self.mass: Weights = np.array([float((self.idf[row] ** 2).sum()) for row in rows], dtype=np.float32)
        self._marks = np.zeros(_BUCKETS, dtype=np.float32)

    def rare_overlap(self, grams: Ids) -> Weights:
        """For each claim, the squared worth of the rare four-grams that it shares with these."""
        scores = np.zeros(self._size, dtype=np.float32)
        for gram in grams[self._rare[grams]].tolist():
            scores[self._inverted.of(gram)] += self.idf[gram] ** 2
        scores[: self.mass.size] /= np.sqrt(np.maximum(self.mass, 1e-6))
        return scores

    def overlap(self, grams: Ids, claims: Ids) -> Weights:
        """The squared worth of all four-grams that each of these claims shares with `grams`."""
        if not claims.size:
            return np.empty(0, dtype=np.float32)
        self._marks[grams] = self.idf[grams] ** 2
        rows = [self._rows.of(claim) for claim in claims.tolist()]
        sums = np.add.reduceat(
            np.append(self._marks[np.concatenate(rows)], np.float32(0)),
            np.concatenate(([0], np.cumsum([row.size for row in rows])[:-1])),
        )
        self._marks[grams] = 0
        return np.where([row.size > 0 for row in rows], sums, 0).astype(np.float32)

    def worth(self, grams: Ids) -> float:
        """The squared worth of these four-grams."""
        return float((self.idf[grams] ** 2).sum())


class Words:
    """BM25 over the words of every claim."""

    def __init__(self, rows: Sequence[tuple[str, ...]]) -> None:
        self.vocabulary: dict[str, int] = {}
        ids: list[Ids] = []
        counts: list[Weights] = []
        for row in rows:
            found: dict[int, int] = {}
            for token in row:
                number = self.vocabulary.setdefault(token, len(self.vocabulary))
                found[number] = found.get(number, 0) + 1
            ids.append(np.fromiter(found.keys(), dtype=np.int32, count=len(found)))
            counts.append(np.fromiter(found.values(), dtype=np.float32, count=len(found)))
        size = max(1, len(rows))
        width = len(self.vocabulary)
        self._inverted = Postings.inverted(ids, width)
        frequency = np.diff(self._inverted.starts)
        self.idf: Weights = np.log1p((size - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        lengths = np.array([len(row) for row in rows], dtype=np.float32)
        mean = float(lengths.mean()) if rows else 1.0
        values = np.concatenate(ids) if ids else np.empty(0, dtype=np.int32)
        order = np.argsort(values, kind="stable")
        times = np.concatenate(counts)[order] if counts else np.empty(0, dtype=np.float32)
        norm = K1 * (1 - B + B * lengths[self._inverted.members] / max(mean, 1e-6))
        self._impact: Weights = (self.idf[values[order]] * times * (K1 + 1) / (times + norm)).astype(np.float32)
        self._size = size
        self._is_common = frequency > max(_FEW, COMMON * size)

    def scores(self, tokens: Iterable[str]) -> Weights:
        """BM25 of every claim for these words, each counted once."""
        scores = np.zeros(self._size, dtype=np.float32)
        for token in dict.fromkeys(tokens):
            number = self.vocabulary.get(token)
            if number is not None and not self._is_common[number]:
                part = slice(self._inverted.starts[number], self._inverted.starts[number + 1])
                scores[self._inverted.members[part]] += self._impact[part]
        return scores

    def worth(self, token: str) -> float:
        """A word's idf; that of a word seen once when it is in no claim."""
        number = self.vocabulary.get(token)
        return float(self.idf[number]) if number is not None else math.log1p((self._size - 0.5) / 1.5)


class Candidates(NamedTuple):
    """Places of claims in the collection, best first by neither; `words` and `grams` are the two scores of each."""

    places: Ids
    words: Weights
    grams: Weights


class Shares(NamedTuple):
    """How alike a text and each candidate are, by words (BM25 as a share of the most that the text could get) and by
    four-grams (cosine); `whole` is what the text's words are worth, `query_mass` what its four-grams are."""

    bm25: Weights
    cosine: Weights
    whole: float
    query_mass: float

    @property
    def both(self) -> Weights:
        """What candidates are ordered by."""
        return self.bm25 + self.cosine


class Retriever:
    """Finds among claims, given as documents, those that a text may be about."""

    def __init__(self, found: Sequence[Document]) -> None:
        self.documents = list(found)
        self.words = Words([document.tokens for document in found])
        self.grams = Grams([document.grams for document in found])

    def candidates(self, query: Document, *, most: int) -> Candidates:
        """The union of the best `most` by either score. A claim that shares nothing is none."""
        words = self.words.scores(query.tokens)
        rare = self.grams.rare_overlap(query.grams)
        places = np.union1d(_best(words, most), _best(rare, most)).astype(np.int32)
        return Candidates(places, words[places], self.grams.overlap(query.grams, places))

    def scored(self, query: Document, places: Ids) -> Candidates:
        """These claims as candidates, whatever found them."""
        return Candidates(places, self.words.scores(query.tokens)[places], self.grams.overlap(query.grams, places))

    def shares(self, query: Document, found: Candidates) -> Shares:
        """How alike the text and each of its candidates are."""
        whole = max(sum(self.words.worth(token) for token in dict.fromkeys(query.tokens)), 1e-6)
        query_mass = max(self.grams.worth(query.grams), 1e-6)
        mass = self.grams.mass[found.places]
        bm25 = found.words / (whole * (K1 + 1))
        cosine = found.grams / np.sqrt(np.maximum(mass * query_mass, 1e-6))
        return Shares(bm25, cosine, whole, query_mass)


def _best(scores: Weights, most: int) -> NDArray[Any]:
    """Places of the best scores above nothing; equal ones by place, so that order is the same on every machine."""
    places = np.flatnonzero(scores)
    found = scores[places]
    if places.size > most:
        kept = found >= np.partition(found, places.size - most)[places.size - most]
        places, found = places[kept], found[kept]
    return places[np.lexsort((places, -found))][:most]
