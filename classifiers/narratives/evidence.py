"""What is read of a post as numbered features: its concepts, pairs of them near each other, and its words.

Features of concepts have the same numbers in every language; those of words are of one language: stems and pairs of
neighbouring stems, whole words, their beginnings and ends.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.narratives.lexicon import NO_PAIR, WORDS, Terms

__all__ = ["Evidence", "evidence_of", "features_in", "first_word", "places_of"]

_NEAR = 12
"""Words between two concepts that still make a pair."""
_NEXT = 3
"""Words between two concepts of which one follows the other."""

# Weights of the kinds of features against a concept's 1, before a post's features are scaled to length 1. Settled by
# cross-validation on the seeds, between half and twice of these nothing changes much.
_PAIRS = 0.7
_ORDER = 0.5
_STEM = 0.6
_FURTHER = 0.35
"""Length of all pairs of stems together, of all words, and of all their ends, beside 1 of everything before."""

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


class Evidence(NamedTuple):
    """Feature numbers and their values: concepts and stems are scaled to length 1. Two features of words that happen to
    share a bucket are two entries, which add up."""

    numbers: I64
    values: F32


def first_word(concepts: int) -> int:
    """The number of the first feature of words: behind concepts, pairs and ordered pairs."""
    return concepts + 2 * concepts * concepts


def features_in(concepts: int) -> int:
    """How many numbers there are."""
    return first_word(concepts) + WORDS


def evidence_of(many: int, terms: Terms) -> Evidence:
    """`many` is how many concepts there are."""
    single = dict.fromkeys(terms.concepts)
    pairs, ordered = _pairs(many, terms.places, terms.concepts)
    forms = [form for form in terms.forms if form is not None]
    _, stems_said, words_said, ends_said = zip(*forms, strict=True) if forms else ((), (), (), ())
    stems, words = dict.fromkeys(stems_said), dict.fromkeys(words_said)
    ends = dict.fromkeys(chain.from_iterable(ends_said))
    followed = dict.fromkeys(terms.pairs)
    followed.pop(NO_PAIR, None)
    weight = _PAIRS * math.sqrt(len(single) / len(pairs)) if len(pairs) > len(single) else _PAIRS
    squares = len(single) + len(pairs) * weight**2 + len(ordered) * _ORDER**2 + len(stems) * _STEM**2
    length = math.sqrt(squares) or 1.0
    kinds = (single, pairs, ordered, stems, words, ends, followed)
    counts = [*map(len, kinds)]
    numbers = np.fromiter(chain.from_iterable(kinds), dtype=np.int64, count=sum(counts))
    numbers[sum(counts[:3]) :] += first_word(many)
    alone = (1.0 / length, weight / length, _ORDER / length, _STEM / length)
    together = (_FURTHER / math.sqrt(count + 1) for count in counts[4:])
    return Evidence(numbers, np.array((*alone, *together), dtype=np.float32).repeat(counts))


def _pairs(many: int, places: Sequence[int], concepts: Sequence[int]) -> tuple[dict[int, None], dict[int, None]]:
    """The features of pairs of concepts near each other, and of those of which one follows the other, in the order in
    which they are found."""
    first_pair, first_ordered = many, many + many * many
    pairs: dict[int, None] = {}
    ordered: dict[int, None] = {}
    before: list[int] = []  # the concepts at the place before this one, where that is near
    here: list[int] = []
    here_at = -_NEXT - 1
    nearest = 0
    for nth, (place, concept) in enumerate(zip(places, concepts, strict=True)):
        if place != here_at:
            before, here, here_at = here if place - here_at <= _NEXT else [], [], place
        here.append(concept)
        for other in before:
            ordered[first_ordered + other * many + concept] = None
        while place - places[nearest] > _NEAR:
            nearest += 1
        with_lower, with_higher = first_pair + concept, first_pair + concept * many
        for other in reversed(concepts[nearest:nth]):
            if other < concept:
                pairs[with_lower + other * many] = None
            elif other > concept:
                pairs[with_higher + other] = None
    return pairs, ordered


def places_of(many: int, terms: Terms) -> dict[int, list[int]]:
    """Where each feature of a post stands: the places of the tokens that it came from."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    all_found = list(zip(terms.places, terms.concepts, strict=True))
    first_pair, first_ordered = many, many + many * many
    for nth, (place, concept) in enumerate(all_found):
        found[concept].append(place)
        for further, other in all_found[nth + 1 :]:
            low, high = (concept, other) if concept <= other else (other, concept)
            found[first_pair + low * many + high] += place, further
            found[first_ordered + concept * many + other] += place, further
    first = first_word(many)
    for place, form in enumerate(terms.forms):
        if form is not None:
            for number in (form.hashed, form.word, *form.ends):
                found[first + number].append(place)
    for place, number in enumerate(terms.pairs):
        if number != NO_PAIR:
            found[first + number] += place, place + 1
    return found
