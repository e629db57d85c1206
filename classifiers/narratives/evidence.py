"""What columns read of a post: its concepts, pairs of them near each other, and its word stems, as numbered features.

Features of concepts have the same numbers in every language; those of stems are of one language.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from classifiers.narratives.concepts import Concepts, Found
from classifiers.narratives.likeness import stems_of

__all__ = ["STEMS", "Evidence", "evidence_of", "first_stem"]

STEMS = 1 << 14
"""Buckets that stems are hashed to."""
_NEAR = 12
"""Words between two concepts that still make a pair."""
_NEXT = 3
"""Words between two concepts of which one follows the other."""

# Weights of the kinds of features against a concept's 1, before a post's features are scaled to length 1. Settled by
# cross-validation on the seeds, between half and twice of these nothing changes much.
_PAIRS = 0.7
_ORDER = 0.5
_STEM = 0.6


class Evidence(NamedTuple):
    """Feature numbers, their values scaled to length 1, and for each the places of the tokens that it came from."""

    numbers: list[int]
    values: list[float]
    places: list[tuple[int, ...]]


def first_stem(concepts: int) -> int:
    """The number of the first stem feature: behind concepts, pairs and ordered pairs."""
    return concepts + 2 * concepts * concepts


def evidence_of(concepts: Concepts, tokens: Sequence[str], found: Sequence[Found]) -> Evidence:
    """`found` are the concepts of these tokens."""
    many = len(concepts.names)
    where: dict[int, list[int]] = {}
    for place, concept in found:
        where.setdefault(concept, []).append(place)
    features: dict[int, tuple[float, tuple[int, ...]]] = {
        concept: (1.0, tuple(places)) for concept, places in where.items()
    }
    pairs: dict[int, tuple[int, ...]] = {}
    for nth, (place, concept) in enumerate(found):
        for further, other in found[nth + 1 :]:
            if further - place > _NEAR:
                break
            if concept != other:
                low, high = (concept, other) if concept < other else (other, concept)
                pairs.setdefault(many + low * many + high, (place, further))
    weight = _PAIRS * math.sqrt(len(where) / len(pairs)) if len(pairs) > len(where) else _PAIRS
    features.update((number, (weight, places)) for number, places in pairs.items())
    by_place: dict[int, list[int]] = {}
    for place, concept in found:
        by_place.setdefault(place, []).append(concept)
    ordered = many + many * many
    for place, further in pairwise(by_place):
        if further - place <= _NEXT:
            for concept in by_place[place]:
                for other in by_place[further]:
                    features.setdefault(ordered + concept * many + other, (_ORDER, (place, further)))
    stem_from = ordered + many * many
    for place, stem in enumerate(stems_of(tokens)):
        features.setdefault(stem_from + zlib.crc32(stem.encode()) % STEMS, (_STEM, (place,)))
    length = math.sqrt(math.fsum(value * value for value, _ in features.values())) or 1.0
    return Evidence(
        list(features),
        [value / length for value, _ in features.values()],
        [places for _, places in features.values()],
    )
