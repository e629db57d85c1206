"""Which words of a long post are read: those round the window in which the linear head sees most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from classifiers.linear.features import HashKey, features
from classifiers.linear.model import Head
from classifiers.linear.score import WINDOW_WORDS, feature_counts, segment_margins, segments, word_sums

__all__ = ["place_to_read"]


def place_to_read(head: Head, tokens: Sequence[str], most: int) -> tuple[int, int]:
    """The half-open range of at most `most` tokens, all of them in a post that is no longer; `most` is at least
    `WINDOW_WORDS`."""
    if len(tokens) <= most:
        return 0, len(tokens)
    found = features([tokens], HashKey.from_seed(head.manifest.seed))
    places = segments(found.first_word)
    roots = np.sqrt(feature_counts(found, places))
    margins = segment_margins(head.weights, word_sums(found, head.weights), places, roots)[places.posts :]
    begin = int(places.begins[places.posts + int(np.argmax(margins))]) - (most - WINDOW_WORDS) // 2
    begin = min(max(begin, 0), len(tokens) - most)
    return begin, begin + most
