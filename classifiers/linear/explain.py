"""Why a head flagged a post: the words that carried the score, as spans of the original text.

A contribution is a word's share of the margin: every n-gram counts for the word where it begins, a pair of words half
for each. The contributions of the segment that was scored sum to its margin less the intercept (and plus the handicap,
where it is a window), exactly, unless a second opinion withheld the flag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import HashKey
from classifiers.linear.model import Head, Weights, Withholding
from classifiers.linear.repeats import few_repeats
from classifiers.linear.score import (
    WINDOW_WORDS,
    Segments,
    feature_counts,
    scored_segments,
    segments,
    vocabularies,
    word_sums,
)
from classifiers.linear.vocabulary import Vocabulary
from classifiers.roster_names import NOBODY, Read, RosterNames
from hustings.text import locate
from hustings.types import Assessment, Span

__all__ = ["Grounds", "Reason", "all_grounds", "grounds", "reasons", "spans_of", "spans_of_all", "weighed"]

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


def reasons(head: Head, posts: Sequence[Sequence[str]]) -> list[Reason]:
    """Where and why `head` gives the tokens of each post their margin."""
    return weighed(head.weights, posts, HashKey.from_seed(head.manifest.seed), head.withholding)


def weighed(
    weights: Weights, posts: Sequence[Sequence[str]], key: HashKey, withholding: Withholding | None = None
) -> list[Reason]:
    """The same of weights that stand alone, or beside those of a second opinion."""
    return [why for found in vocabularies(posts, key) for why in _reasons(weights, withholding, found)]


def _reasons(weights: Weights, withholding: Withholding | None, found: Vocabulary) -> Iterator[Reason]:
    places = segments(found.first_word)
    roots = np.sqrt(feature_counts(found, places))
    margins = scored_segments(weights, withholding, found, places, roots)
    half_pairs = weights.by_bucket[found.pairs] / 2.0
    shares = word_sums(found, weights) - half_pairs
    shares[1:] += half_pairs[:-1]
    for post, best in enumerate(_best_segments(places, margins)):
        begin, end = int(places.begins[best]), int(places.ends[best])
        inside = shares[begin:end].copy()
        if begin < end:  # the halves that reach out of the segment belong to the word within it
            inside[0] -= half_pairs[begin - 1] if begin else 0.0
            inside[-1] += half_pairs[end - 1]
        first = int(found.first_word[post])
        yield Reason(float(margins[best]), begin - first, end - first, weights.scale * inside / roots[best])


def _best_segments(places: Segments, margins: NDArray[np.float64]) -> list[int]:
    """For each post the segment with the largest margin, of several the first."""
    best = list(range(places.posts))
    begins = (places.posts + places.first_window).tolist()
    for post, begin, end in zip(places.windowed.tolist(), begins, [*begins[1:], len(margins)], strict=False):
        window = begin + int(np.argmax(margins[begin:end]))
        if margins[window] > margins[post]:
            best[post] = window
    return best


def grounds(head: Head, assessment: Assessment, names: RosterNames = NOBODY) -> Grounds:
    """Why a post was flagged. None of the `names` is among the words: they count for nothing."""
    read = few_repeats(names.said(assessment.title_tokens, assessment.tokens))
    return all_grounds(head, [assessment], [read])[0]


def all_grounds(head: Head, flagged: Sequence[Assessment], read: Sequence[Read]) -> list[Grounds]:
    """Why each of these posts was flagged, of which the head read that."""
    whys = reasons(head, [one.tokens for one in read])
    found = []
    for assessment, (tokens, origins), why in zip(flagged, read, whys, strict=True):
        strongest = _strongest(why.contributions)
        begin = why.begin + max(0, min(strongest, default=0) - WINDOW_WORDS // 2)
        spans = _spans(origins, [why.begin + place for place in strongest], assessment)
        found.append(Grounds(spans, tokens[begin : why.end]))
    return found


def spans_of(
    origins: Sequence[int], begin: int, contributions: NDArray[np.float64], assessment: Assessment
) -> tuple[Span, ...]:
    """The strongest words of those that begin at the token `begin` of what was read, neighbours joined, in reading
    order; `origins` says which token of the post each stands for."""
    return _spans(origins, [begin + place for place in _strongest(contributions)], assessment)


def spans_of_all(origins: Sequence[int], begin: int, end: int, assessment: Assessment) -> tuple[Span, ...]:
    """Of the title and the text each all that lies between the first and the last of the tokens [begin, end) of what
    was read, marks and blanks too."""
    return tuple(
        Span(start=inside[0].start, end=inside[-1].end, part=inside[0].part)
        for _, group in groupby(_spans(origins, range(begin, end), assessment), attrgetter("part"))
        if (inside := list(group))
    )


def _spans(origins: Sequence[int], read: Sequence[int], assessment: Assessment) -> tuple[Span, ...]:
    titled = len(assessment.title_tokens)
    chosen = [origins[place] for place in read]
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
