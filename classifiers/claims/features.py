"""What a re-ranker looks at: how a text and a candidate claim overlap. But for `rarest_shared` each feature is free of
the collection's size."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.retrieve import Candidates, Document, Retriever

__all__ = ["FEATURES", "ORDER", "features"]

FEATURES = (
    "bm25",
    "bm25_best",
    "bm25_gap",
    "gram_cosine",
    "gram_cosine_gap",
    "gram_of_claim",
    "gram_of_text",
    "words_of_claim",
    "words_of_text",
    "rarest_shared",
    "numbers_of_claim",
    "pairs_of_claim",
    "longest_run",
    "rank_words",
    "rank_grams",
    "both",
    "both_gap",
    "rank_both",
    "claim_length",
    "text_length",
)
"""In the order of the columns. `…_of_claim` is the share of the claim that the text has, weighed by rarity; `…_gap` the
distance to the best other candidate; `rank_…` one over the place; `both` the sum of BM25 and cosine."""
ORDER = FEATURES.index("both")
"""What candidates are ordered by: on the staged retrieval set the plain sum beats the order of trees that learnt from
data which may be shipped (docs/claims.md). The trees say how sure the order is."""

_FEWEST = 30
"""Claims of the smallest collection that the trees learnt from."""


def features(retriever: Retriever, query: Document, found: Candidates) -> NDArray[np.float32]:
    """A row for each candidate."""
    rows = np.zeros((found.places.size, len(FEATURES)), dtype=np.float32)
    if not found.places.size:
        return rows
    words = retriever.words
    worth = {token: words.worth(token) for token in dict.fromkeys(query.tokens)}
    scale = _rarest_scale(len(retriever.documents))
    pairs = set(pairwise(query.tokens))
    shares = retriever.shares(query, found)
    bm25, cosine, both = shares.bm25, shares.cosine, shares.both
    rows[:, 0] = bm25
    rows[:, 1] = found.words / max(float(found.words.max()), 1e-6)
    rows[:, 2] = bm25 - _best_other(bm25)
    rows[:, 3] = cosine
    rows[:, 4] = cosine - _best_other(cosine)
    rows[:, 5] = found.grams / np.maximum(retriever.grams.mass[found.places], 1e-6)
    rows[:, 6] = found.grams / shares.query_mass
    rows[:, 13] = _one_over_rank(found.words)
    rows[:, 14] = _one_over_rank(cosine)
    rows[:, 15] = both
    rows[:, 16] = both - _best_other(both)
    rows[:, 17] = _one_over_rank(both)
    rows[:, 19] = np.log1p(len(query.tokens))
    for row, place in zip(rows, found.places.tolist(), strict=True):
        tokens = retriever.documents[place].tokens
        own = dict.fromkeys(tokens)
        shared = [token for token in own if token in worth]
        of_shared = sum(worth[token] for token in shared)
        row[7] = of_shared / max(sum(worth.get(token) or words.worth(token) for token in own), 1e-6)
        row[8] = of_shared / shares.whole
        row[9] = max((worth[token] for token in shared), default=0.0) * scale
        numbers = [token for token in own if any(map(str.isdigit, token))]
        row[10] = sum(token in worth for token in numbers) / len(numbers) if numbers else 0.5
        row[11], row[12] = _runs(tokens, pairs)
        row[18] = np.log1p(len(tokens))
    return rows


def _rarest_scale(claims: int) -> float:
    """What the worth of the rarest shared word is multiplied by. That grows with the collection, and the trees learnt
    from none of fewer than `_FEWEST`: no word of a smaller one would be rare enough for them to show a copy."""
    if claims >= _FEWEST:
        return 1.0 / 12.0
    return math.log1p((_FEWEST - 0.5) / 1.5) / math.log1p((max(claims, 1) - 0.5) / 1.5) / 12.0


def _best_other(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each, the best score of the others; 0 without others."""
    if scores.size < 2:
        return np.zeros_like(scores)
    second, first = np.partition(scores, scores.size - 2)[-2:]
    best = np.full_like(scores, first)
    best[int(np.argmax(scores))] = second
    return best


def _one_over_rank(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 for the best, 1/2 for the next; equal scores share the better place."""
    ordered = np.sort(scores)[::-1]
    return (1.0 / (1.0 + np.searchsorted(-ordered, -scores, side="left"))).astype(np.float32)


def _runs(tokens: tuple[str, ...], pairs: set[tuple[str, str]]) -> tuple[float, float]:
    """The share of neighbouring words of the claim that the text has too, and the longest run of them."""
    shared = longest = run = 0
    for pair in pairwise(tokens):
        run = run + 1 if pair in pairs else 0
        shared += run > 0
        longest = max(longest, run)
    return shared / max(len(tokens) - 1, 1), min(longest, 10) / 10
