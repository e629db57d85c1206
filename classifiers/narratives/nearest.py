"""Which of our own sentences does a flagged post read most like?

For the people who look at a flag. No score asks for it, and a post without a flag costs nothing: the sentences of a
code are read when its first post is flagged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from classifiers.narratives.concepts import Concepts
from classifiers.narratives.likeness import LONGEST_READ, features_of
from classifiers.narratives.seeds import Example, load_seeds
from hustings.text import analyse

__all__ = ["Nearest"]

_PAIR = 0.6  # a pair's weight against a single stem's


class _Sentences(NamedTuple):
    """Those of one code. `features` gives each feature its weight and the places of the sentences that have it."""

    texts: tuple[str, ...]
    norms: tuple[float, ...]
    features: dict[str, tuple[float, tuple[int, ...]]]


class Nearest:
    """The seed sentences of one language, each under its code.

    They are those that the model learnt from, which `sha256` tells; beside other seeds than its own a model still
    flags as it did, and nothing is said to be like a post.
    """

    def __init__(self, concepts: Concepts, sha256: str) -> None:
        self._concepts = concepts
        self._sha256 = sha256
        self._seeds: tuple[Example, ...] | None = None
        self._by_code: dict[str, _Sentences] = {}

    @property
    def codes_read(self) -> tuple[str, ...]:
        """Codes whose sentences were read by now."""
        return tuple(self._by_code)

    def sentence(self, tokens: Sequence[str], code: str) -> str:
        """The sentence of this code, or of one below it, that reads most like the first words of a post, by the cosine
        of their features. How near it is tells nothing (ordinary talk of the election is as near), so there is always
        one, but where no sentence has a feature of the post."""
        sentences = self._by_code.get(code)
        if sentences is None:
            sentences = self._by_code[code] = self._of(code)
        shared = [0.0] * len(sentences.texts)
        for feature in self._features(tokens):
            square, places = sentences.features.get(feature, (0.0, ()))
            for place in places:
                shared[place] += square
        alike = [both / norm for both, norm in zip(shared, sentences.norms, strict=True)]
        best = max(range(len(alike)), key=alike.__getitem__, default=None)
        return sentences.texts[best] if best is not None and alike[best] > 0 else ""

    def _of(self, code: str) -> _Sentences:
        texts = tuple(one.text for one in self._learnt_from() if one.code == code or one.code.startswith(f"{code}-"))
        found = [self._features(analyse(text).tokens) for text in texts]
        places: dict[str, list[int]] = {}
        for place, features in enumerate(found):
            for feature in features:
                places.setdefault(feature, []).append(place)
        weighed = {feature: (_square(feature, len(texts), len(at)), tuple(at)) for feature, at in places.items()}
        norms = tuple(math.sqrt(math.fsum(weighed[feature][0] for feature in features)) for features in found)
        return _Sentences(texts, norms, weighed)

    def _learnt_from(self) -> tuple[Example, ...]:
        if self._seeds is None:
            seeds = load_seeds(self._concepts.language)
            self._seeds = (*seeds.examples, *seeds.held_out) if seeds.sha256 == self._sha256 else ()
        return self._seeds

    def _features(self, tokens: Sequence[str]) -> list[str]:
        """Words and what they mean for an election, each once: two sentences may say the same in other words."""
        read = tokens[:LONGEST_READ]
        meant = (f"#{one.concept}" for one in self._concepts.find(read))
        return [*features_of(read), *dict.fromkeys(meant)]


def _square(feature: str, sentences: int, having: int) -> float:
    """A feature weighs as much as it is rare among the sentences of the code."""
    return float((math.log((sentences + 1) / (having + 0.5)) * (_PAIR if " " in feature else 1.0)) ** 2)
