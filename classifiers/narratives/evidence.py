"""What is read of a post as numbered features: its concepts, pairs of them near each other, and its words.

Features of concepts have the same numbers in every language; those of words are of one language: stems and pairs of
neighbouring stems, whole words, their beginnings and ends.
"""

from __future__ import annotations

import math
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
    first_ordered = many + many * many
    concepts, places = terms.concepts, terms.places
    before: list[int] = []  # the concepts at the place before this one, where that is near
    here: list[int] = []
    here_at = -_NEXT - 1
    ordered: dict[int, None] = {}
    pairs: dict[int, None] = {}
    for nth, (place, concept) in enumerate(zip(places, concepts, strict=True)):
        if place != here_at:
            before, here, here_at = here if place - here_at <= _NEXT else [], [], place
        here.append(concept)
        for other in before:
            ordered[first_ordered + other * many + concept] = None
        for earlier in range(nth - 1, -1, -1):
            if place - places[earlier] > _NEAR:
                break
            other = concepts[earlier]
            if other != concept:
                pairs[many + other * many + concept if other < concept else many + concept * many + other] = None
    single = dict.fromkeys(concepts)
    forms = [form for form in terms.forms if form is not None]
    stems = dict.fromkeys([form.hashed for form in forms])
    words = dict.fromkeys([form.word for form in forms])
    ends = dict.fromkeys([end for form in forms for end in form.ends])
    followed = dict.fromkeys(terms.pairs)
    followed.pop(NO_PAIR, None)
    weight = _PAIRS * math.sqrt(len(single) / len(pairs)) if len(pairs) > len(single) else _PAIRS
    squares = len(single) + len(pairs) * weight**2 + len(ordered) * _ORDER**2 + len(stems) * _STEM**2
    length = math.sqrt(squares) or 1.0
    said = len(single) + len(pairs) + len(ordered)
    numbers = np.array([*single, *pairs, *ordered, *stems, *words, *ends, *followed], dtype=np.int64)
    numbers[said:] += first_word(many)
    kinds = (
        (len(single), 1.0 / length),
        (len(pairs), weight / length),
        (len(ordered), _ORDER / length),
        (len(stems), _STEM / length),
        *((count, _FURTHER / math.sqrt(count + 1)) for count in map(len, (words, ends, followed))),
    )
    values = np.empty(len(numbers), dtype=np.float32)
    end = 0
    for count, value in kinds:
        values[end : end + count] = value
        end += count
    return Evidence(numbers, values)


def places_of(many: int, terms: Terms) -> dict[int, tuple[int, ...]]:
    """Where each feature of a post stands: the places of the tokens that it came from."""
    found: dict[int, tuple[int, ...]] = {}

    def stands(number: int, *at: int) -> None:
        found[number] = (*found.get(number, ()), *at)

    all_found = list(zip(terms.places, terms.concepts, strict=True))
    for nth, (place, concept) in enumerate(all_found):
        stands(concept, place)
        for further, other in all_found[nth + 1 :]:
            low, high = sorted((concept, other))
            stands(many + low * many + high, place, further)
            stands(many + many * many + concept * many + other, place, further)
    first = first_word(many)
    for place, form in enumerate(terms.forms):
        if form is not None:
            for number in (form.hashed, form.word, *form.ends):
                stands(first + number, place)
    for place, number in enumerate(terms.pairs):
        if number != NO_PAIR:
            stands(first + number, place, place + 1)
    return found
