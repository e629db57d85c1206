"""The features of a batch by its distinct words: what a word says by itself is hashed and looked up once.

n-grams of characters stay inside a word, and in 512 posts a word stands four times on average, so three quarters of the
work are spared. Nothing is remembered from one batch to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import chain, count
from typing import NamedTuple

import numpy as np

from classifiers.linear.features import I64, HashKey, Index, WordFeatures, first_words, paired, word_features

__all__ = ["Numbered", "Vocabulary", "number_words", "vocabulary"]


class Numbered(NamedTuple):
    """The distinct words of a batch, and which of them each of its words is; post p has those from `first_word[p]` to
    `first_word[p + 1]`."""

    words: Collection[str]
    numbers: Index
    first_word: Index


class Vocabulary(NamedTuple):
    """The same as `Features`, but what is known of words by themselves stands in `alone`, once for each distinct word;
    `numbers[w]` says which of them word w of the batch is."""

    alone: WordFeatures
    numbers: Index
    pairs: Index
    first_word: Index
    sizes: I64


def number_words(posts: Sequence[Sequence[str]]) -> Numbered:
    """The words of each post; a post may have none."""
    number_of: defaultdict[str, int] = defaultdict(count().__next__)
    first_word = first_words(posts)
    words = map(number_of.__getitem__, chain.from_iterable(posts))
    return Numbered(number_of.keys(), np.fromiter(words, dtype=np.intp, count=int(first_word[-1])), first_word)


def vocabulary(numbered: Numbered, key: HashKey) -> Vocabulary:
    """Buckets of the words of each post. Words hold no white space."""
    words, numbers, first_word = numbered
    alone = word_features(words, key)
    names = np.flatnonzero(np.isin(numbers, alone.names)) if len(alone.names) else alone.names
    pairs, sizes = paired(alone.hashes[numbers], alone.sizes[numbers], names, first_word, key)
    return Vocabulary(alone, numbers, pairs, first_word, sizes)
