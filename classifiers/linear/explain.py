"""Why a head flagged a post: the words that carried the score, as spans of the original text.

A contribution is a word's share of the margin: every n-gram counts for the word where it begins, a pair of words half
for each. The contributions of the segment that was scored sum to its margin less the intercept (and plus the handicap,
where it is a window), exactly, unless a second opinion withheld the flag.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import HashKey, features
from classifiers.linear.model import Head
from classifiers.linear.score import WINDOW_WORDS, feature_counts, scored_segments, segments, word_sums
from classifiers.roster_names import NOBODY, RosterNames
from hustings.text import locate
from hustings.types import Assessment, Span

__all__ = ["Grounds", "Reason", "grounds", "reason", "spans_of"]

_SHARE = 0.6
"""Words are shown, strongest first, until they hold this share of what spoke for the flag …"""
_MOST_WORDS = 6
"""… and never more than these."""


class Reason(NamedTuple):
    """The segment [begin, end) of tokens with the largest margin, and each of its tokens' contribution."""

    margin: float
    begin: int
    end: int
    contributions: NDArray[np.float64]


class Grounds(NamedTuple):
    """What people are shown of a reason: the strongest words, neighbours joined, in reading order, and the `tokens`
    that say what was flagged: those of the segment, from shortly before the first of these words on."""

    spans: tuple[Span, ...]
    tokens: tuple[str, ...]


def reason(head: Head, tokens: Sequence[str]) -> Reason:
    """Where and why `head` gives these tokens their margin."""
    weights = head.weights
    found = features([tokens], HashKey.from_seed(head.manifest.seed))
    places = segments(found.first_word)
    roots = np.sqrt(feature_counts(found, places))
    margins = scored_segments(weights, head.withholding, found, places, roots)
    best = int(np.argmax(margins))
    begin, end = int(places.begins[best]), int(places.ends[best])
    half_pairs = weights.by_bucket[found.pairs] / 2.0
    shares = word_sums(found, weights) - half_pairs
    shares[1:] += half_pairs[:-1]
    inside = shares[begin:end].copy()
    if begin < end:  # the halves that reach out of the segment belong to the word within it
        inside[0] -= half_pairs[begin - 1] if begin else 0.0
        inside[-1] += half_pairs[end - 1]
    return Reason(float(margins[best]), begin, end, weights.scale * inside / roots[best])


def grounds(head: Head, assessment: Assessment, names: RosterNames = NOBODY) -> Grounds:
    """Why a post was flagged. None of the `names` is among the words: they count for nothing."""
    read = names.without(assessment.title_tokens, assessment.tokens)
    why = reason(head, read.tokens)
    first = min(_strongest(why.contributions), default=0)
    begin = why.begin + max(0, first - WINDOW_WORDS // 2)
    return Grounds(spans_of(read.origins, why.begin, why.contributions, assessment), read.tokens[begin : why.end])


def spans_of(
    origins: Sequence[int], begin: int, contributions: NDArray[np.float64], assessment: Assessment
) -> tuple[Span, ...]:
    """The strongest words of those that begin at the token `begin` of what was read, neighbours joined, in reading
    order; `origins` says which token of the post each stands for."""
    titled = len(assessment.title_tokens)
    chosen = [origins[begin + place] for place in _strongest(contributions)]
    parts: tuple[tuple[Literal["title", "text"], str, list[int]], ...] = (
        ("title", assessment.post.title, [place for place in chosen if place < titled]),
        ("text", assessment.post.text, [place - titled for place in chosen if place >= titled]),
    )
    found = []
    for part, text, words in parts:
        if words:
            located = locate(text).spans
            found += [Span(start=start, end=end, part=part) for start, end in _joined([located[w] for w in words])]
    return tuple(found)


def _strongest(contributions: NDArray[np.float64]) -> list[int]:
    speaking = float(contributions[contributions > 0].sum())
    chosen: list[int] = []
    held = 0.0
    for place in np.argsort(-contributions, kind="stable").tolist():
        if len(chosen) == _MOST_WORDS or held >= _SHARE * speaking or contributions[place] <= 0:
            break
        chosen.append(place)
        held += float(contributions[place])
    return sorted(chosen)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges that overlap (a hashtag and its parts) or are neighbours become one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
