"""Which of some sentences does a post read most like? For people who look at a flag; no score asks for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sentences"]

_PAIR = 0.6  # a pair's weight against a single stem's


class Sentences:
    """Sentences and the features of each, every one once; a pair of words is a feature with a blank in it. A feature
    weighs as much as it is rare among them."""

    def __init__(self, texts: Sequence[str], features: Sequence[Sequence[str]]) -> None:
        self._texts = tuple(texts)
        having: dict[str, list[int]] = {}
        for place, own in enumerate(features):
            for feature in own:
                having.setdefault(feature, []).append(place)
        squares = {feature: _square(feature, len(texts), len(places)) for feature, places in having.items()}
        self._having: dict[str, tuple[float, NDArray[np.intp]]] = {
            feature: (squares[feature], np.array(places, dtype=np.intp)) for feature, places in having.items()
        }
        # A sentence without any feature is like nothing: its norm must only not be 0.
        self._norms = np.array([math.sqrt(math.fsum(squares[feature] for feature in own)) or 1.0 for own in features])

    def closest(self, features: Iterable[str]) -> str:
        """The sentence with the largest cosine to these features, each given once; of several the first. How near it is
        tells nothing (ordinary talk is as near), so there is always one, but where no sentence has any of them."""
        known = [self._having[feature] for feature in features if feature in self._having]
        if not known:
            return ""
        places = np.concatenate([having for _, having in known])
        squares = np.repeat([square for square, _ in known], [len(having) for _, having in known])
        shared = np.bincount(places, squares, minlength=len(self._texts))
        return self._texts[int(np.argmax(shared / self._norms))]


def _square(feature: str, sentences: int, having: int) -> float:
    return float((math.log((sentences + 1) / (having + 0.5)) * (_PAIR if " " in feature else 1.0)) ** 2)
