"""Margins and probabilities of many posts under several heads, exactly the same for every way of batching.

A post is scored whole and in windows of 24 words, and its margin is the largest: twenty friendly words round an insult
cost a whole-post score nearly half of its recall (on EDOS .340 is left, .568 with windows, .605 without padding). A
window is one of many tries, so it must lead by `WINDOW_HANDICAP`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import Features, HashKey, WordFeatures
from classifiers.linear.model import Head, Weights, Withholding
from classifiers.linear.vocabulary import Vocabulary, number_words, vocabulary
from classifiers.manifest import Calibration
from hustings.errors import ModelError

__all__ = [
    "DECIMALS",
    "WINDOW_HANDICAP",
    "WINDOW_STEP",
    "WINDOW_WORDS",
    "Scorer",
    "Segments",
    "calibrated",
    "feature_counts",
    "largest_margins",
    "scored_segments",
    "segment_margins",
    "segments",
    "vocabularies",
    "word_sums",
]

WINDOW_WORDS = 24
WINDOW_STEP = 6
WINDOW_HANDICAP = 0.25
"""Chosen on cross-validated PR-AUC of all shipped heads: 0 costs up to .007 (Hindi), 1 gives up most of the windows."""
DECIMALS = 4
"""Scores are rounded so: what is stored is the same text on every machine."""
_MOST_WORDS = 1 << 16  # of one pass, at about 100 bytes a word …
_MOST_CHARACTERS = 400_000  # … and as many a character of distinct words: a batch of endless new words is halved

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Segments(NamedTuple):
    """Ranges of words to score: each post whole, then the windows of those longer than one window."""

    posts: int
    begins: NDArray[np.intp]
    ends: NDArray[np.intp]
    windowed: NDArray[np.intp]
    """The posts that have windows …"""
    first_window: NDArray[np.intp]
    """… and where each one's windows begin among all windows."""

    @property
    def windows(self) -> int:
        """How many of the segments, the last ones, are windows."""
        return len(self.begins) - self.posts


class Scorer:
    """Several heads that share one hash key, usually those of one language."""

    def __init__(self, heads: Sequence[Head]) -> None:
        seeds = {head.manifest.seed for head in heads}
        if len(seeds) != 1:
            raise ModelError(f"heads scored together need one hash seed; found {sorted(seeds)}")
        self.heads = tuple(heads)
        self._key = HashKey.from_seed(seeds.pop())

    def margins(self, posts: Sequence[Sequence[str]]) -> F64:
        """[heads, posts]: the largest margin of each post's tokens under each head."""
        withholding = [head.withholding for head in self.heads]
        return largest_margins([head.weights for head in self.heads], self._key, posts, withholding)

    def scores(self, posts: Sequence[Sequence[str]]) -> F64:
        """[heads, posts]: calibrated probabilities, rounded to `DECIMALS`."""
        margins = self.margins(posts)
        calibrations = [head.manifest.calibration for head in self.heads]
        rows = [calibrated(row, calibration) for row, calibration in zip(margins, calibrations, strict=True)]
        scores: F64 = np.stack(rows)
        return scores.round(DECIMALS)


def calibrated(margins: F64, calibration: Calibration) -> F64:
    """The probability of each margin; `Calibration.probability` says the same of one."""
    log_odds = calibration.slope * margins + calibration.intercept
    if calibration.knots:
        at, right = np.array(calibration.knots).T
        beyond = log_odds - np.clip(log_odds, at[0], at[-1])
        log_odds = np.interp(log_odds, at, right) + beyond
    with np.errstate(over="ignore"):
        scores: F64 = 1.0 / (1.0 + np.exp(-log_odds))
    return scores


def largest_margins(
    heads: Sequence[Weights],
    key: HashKey,
    posts: Sequence[Sequence[str]],
    withholding: Sequence[Withholding | None] = (),
) -> F64:
    """[heads, posts]: the largest margin over the whole post and its windows; `withholding` is that of each head."""
    second = withholding or [None] * len(heads)
    passes = [_largest_margins(heads, second, found) for found in vocabularies(posts, key)]
    return np.concatenate(passes, axis=1) if passes else np.zeros((len(heads), 0))


def _largest_margins(heads: Sequence[Weights], withholding: Sequence[Withholding | None], found: Vocabulary) -> F64:
    places = segments(found.first_word)
    roots = np.sqrt(feature_counts(found, places))
    whole = places.posts
    margins = np.empty((len(heads), whole))
    for row, (weights, second) in enumerate(zip(heads, withholding, strict=True)):
        scored = scored_segments(weights, second, found, places, roots)
        margins[row] = scored[:whole]
        if len(places.windowed):
            best = np.maximum.reduceat(scored[whole:], places.first_window)
            margins[row, places.windowed] = np.maximum(margins[row, places.windowed], best)
    return margins


def scored_segments(
    weights: Weights, withholding: Withholding | None, found: Features | Vocabulary, places: Segments, roots: F64
) -> F64:
    """The margin of every segment that counts. Each is judged by itself: counter-speech in one window withholds nothing
    from another."""
    margins = segment_margins(weights, word_sums(found, weights), places, roots)
    if withholding is None:
        return margins
    doubtful = margins > withholding.to  # elsewhere nothing can be withheld
    if doubtful.any():
        second = segment_margins(withholding.weights, word_sums(found, withholding.weights), places, roots)
        margins[doubtful & (second >= withholding.at)] = withholding.to
    return margins


def segment_margins(weights: Weights, by_word: I64, places: Segments, roots: F64) -> F64:
    """The margin of every segment, from the sums of its words."""
    until = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(by_word)))
    margins: F64 = weights.intercept + weights.scale * (until[places.ends] - until[places.begins]) / roots
    margins[len(margins) - places.windows :] -= WINDOW_HANDICAP
    return margins


def word_sums(found: Features | Vocabulary, weights: Weights) -> I64:
    """Per word, the sum of the weights of all features that begin in it: whole numbers, so exact in any order."""
    by_bucket = weights.by_bucket
    if isinstance(found, Vocabulary):
        sums = _sums_alone(found.alone, by_bucket).take(found.numbers)
    else:
        sums = _sums_alone(found, by_bucket)
    sums += by_bucket.take(found.pairs)
    return sums


def _sums_alone(words: Features | WordFeatures, by_bucket: NDArray[np.int16]) -> I64:
    if not len(words.words):
        return np.zeros(0, dtype=np.int64)
    by_position = by_bucket.take(words.characters[0]).astype(np.int32)
    for buckets in words.characters[1:]:
        by_position += by_bucket.take(buckets)
    sums: I64 = np.add.reduceat(by_position, words.starts, dtype=np.int64)
    sums += by_bucket.take(words.words)
    return sums


def segments(first_word: NDArray[np.intp]) -> Segments:
    """Where to score. The last window of a post ends with the post."""
    begins, ends = first_word[:-1], first_word[1:]
    words = ends - begins
    windowed = np.flatnonzero(words > WINDOW_WORDS)
    counts = (words[windowed] - WINDOW_WORDS + WINDOW_STEP - 1) // WINDOW_STEP + 1
    first_window = np.concatenate((np.zeros(1, dtype=np.intp), np.cumsum(counts)))
    steps = np.arange(first_window[-1]) - np.repeat(first_window[:-1], counts)
    latest = np.repeat(ends[windowed] - WINDOW_WORDS, counts)
    starts = np.minimum(np.repeat(begins[windowed], counts) + steps * WINDOW_STEP, latest)
    return Segments(
        len(begins),
        np.concatenate((begins, starts)),
        np.concatenate((ends, starts + WINDOW_WORDS)),
        windowed,
        first_window[:-1],
    )


def feature_counts(found: Features | Vocabulary, places: Segments) -> I64:
    """How many features each segment has, at least 1: the square root of it is what a sum is divided by."""
    until = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(found.sizes)))
    counts: I64 = np.maximum(until[places.ends] - until[places.begins], 1)
    return counts


def vocabularies(posts: Sequence[Sequence[str]], key: HashKey) -> Iterator[Vocabulary]:
    """Those of as many posts at a time as bounds the memory of one pass."""
    start = words = 0
    for place, tokens in enumerate(posts):
        if words and words + len(tokens) > _MOST_WORDS:
            yield from _bounded(posts[start:place], key)
            start, words = place, 0
        words += len(tokens)
    if start < len(posts):
        yield from _bounded(posts[start:], key)


def _bounded(posts: Sequence[Sequence[str]], key: HashKey) -> Iterator[Vocabulary]:
    numbered = number_words(posts)
    half = len(posts) // 2
    if half and sum(map(len, numbered.words)) > _MOST_CHARACTERS:
        yield from _bounded(posts[:half], key)
        yield from _bounded(posts[half:], key)
    else:
        yield vocabulary(numbered, key)
