"""Which posts an encoder is worth asking about, told by their words alone.

A reading takes milliseconds, words take microseconds: so a linear head, like those that flag, learnt from the same
sentences as the encoder, says of every post how much it is like those in which something is found. There is one for
narratives and one for abuse: most talk about elections is worth no question about abuse. Who asks the encoder settles
from which margin on it does. Whoever is spoken of is read as a man here too: nobody is asked about for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from classifiers.gender import GENDERED, men_of
from classifiers.linear.explain import weighed
from classifiers.linear.features import HASH_SEED, HashKey
from classifiers.linear.model import Weights
from classifiers.linear.score import largest_margins

__all__ = ["TOPICS", "Topic", "Worth", "read_for_worth", "worth_file"]

Topic = Literal["elections", "abuse"]
"""What an encoder is asked about."""
TOPICS: tuple[Topic, ...] = get_args(Topic)

F64 = NDArray[np.float64]


def worth_file(topic: Topic) -> str:
    """The name of the file with the head's weights."""
    return f"worth-{topic}.i16.zlib"


class Worth(NamedTuple):
    """The head for one topic. Its scale and intercept stand in the manifest's settings, and how much it says `beside`
    the first layers of the encoder of how likely the whole of it will find something."""

    weights: Weights
    beside: float = 0.0

    def settings(self, topic: Topic) -> dict[str, float]:
        """What a manifest says of these weights."""
        return {
            f"worth_{topic}_scale": self.weights.scale,
            f"worth_{topic}_intercept": self.weights.intercept,
            f"worth_{topic}_beside": self.beside,
        }

    def margins(self, posts: Sequence[Sequence[str]], language: str) -> F64:
        """[posts]: by their tokens, whole or by the window of 24 words that says most."""
        read = [read_for_worth(tokens, language) for tokens in posts]
        found: F64 = largest_margins([self.weights], HashKey.from_seed(HASH_SEED), read)[0]
        return found

    def words(self, tokens: Sequence[str], language: str) -> F64:
        """[tokens]: how much each of them adds to the margin, 0 outside of the window that says most."""
        read = men_of(language).words(tokens)
        kept = np.array([place for place, word in enumerate(read) if word], dtype=np.int64)
        (why,) = weighed(self.weights, [[word for word in read if word]], HashKey.from_seed(HASH_SEED))
        found = np.zeros(len(tokens))
        found[kept[why.begin : why.end]] = why.contributions
        return found


def read_for_worth(tokens: Sequence[str], language: str) -> Sequence[str]:
    """The tokens as of men, in a language in which that can be told, without the empty ones."""
    return [word for word in (men_of(language).words(tokens) if language in GENDERED else tokens) if word]
