"""How like is a post to the examples? Cosine over word stems and pairs of them, weighted by what they tell.

A stem weighs as much as it is rare among the examples, times how much it tells narratives from protected speech: "hoax"
and "commission" weigh more than "Sunday". Sums run over the features of one post in its own order, so batches change
nothing. Examples and posts are read as of men.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.gender import men_of
from classifiers.narratives.seeds import PROTECTED, Example, Seeds
from hustings.text import analyse

__all__ = ["FLOOR", "LONGEST_READ", "Likeness", "Verdict", "features_of", "stem_of", "stems_of"]

LONGEST_READ = 48
"""Words of a post that are compared, from the beginning: examples have 10 to 25."""
FLOOR = 0.1
"""Likeness below which a post is like nothing, whatever the margin."""
_STEM = 5

# Chosen among thirteen settings by recall and false flags on the synthetic election (`configs/demo`): the held-out
# sentences hardly told them apart (PR-AUC .99 for all). So the demo's score is no independent measure of narratives.
_RARITY_ALONE = 1.5  # what a feature's rarity counts for beside what it tells
_SMOOTHING = 1.5  # of the counts behind what a feature tells: one occurrence tells little
_PAIR = 0.6  # a pair's weight against a single stem's

_OTHER_MATTERS = "X-NOTELEX"
"""Sentences about other things protect from codes that need no word of the election, such as threats, only."""
_FEWEST_WORDS = 5
_NUMBER = "0"
_ARABIC_PREFIXES = ("وال", "بال", "فال", "كال", "لل", "ال", "و", "ف", "ب", "ل")
_SHORTEST_ARABIC_STEM = 3
_MOST_REMEMBERED = 1 << 16  # words whose stems are kept


class Verdict(NamedTuple):
    """Likeness (0 to 1) to the nearest narrative code and to the nearest protected one."""

    code: str
    likeness: float
    protected_code: str
    protected_likeness: float

    @property
    def margin(self) -> float:
        return self.likeness - self.protected_likeness


class Likeness:
    """The examples of one language, ready to be compared with."""

    def __init__(self, seeds: Seeds, *, without: Collection[int] = ()) -> None:
        """`without` leaves examples out, by their place, for judging them by the others."""
        kept = (example for place, example in enumerate(seeds.examples) if place not in without)
        self.examples = tuple(sorted(kept, key=lambda example: example.code))
        self._men = men_of(seeds.language)
        about = {code: map(self._men.word, words) for code, words in seeds.about.items()}
        self._about = {code: frozenset(map(stem_of, words)) for code, words in about.items()}
        self._of_any_matter = frozenset(chain.from_iterable(self._about.values()))
        found = [_features(self._stems(analyse(example.text).tokens)) for example in self.examples]
        weights = _weights(found, [example.is_protected for example in self.examples])
        self._known = {feature: (row, weight**2) for row, (feature, weight) in enumerate(sorted(weights.items()))}
        self._known_pairs = {tuple(name.split()): known for name, known in self._known.items() if " " in name}
        self._unknown = (0.5 * math.log(len(found) + 1)) ** 2  # between a common word and a telling one
        self._products = np.zeros((len(self._known), len(found) + 1))  # the last column pads codes of fewer examples
        for column, own in enumerate(found):
            norm = math.sqrt(math.fsum(self._known[feature][1] for feature in own))
            for feature in own:
                row, square = self._known[feature]
                self._products[row, column] = square / norm
        codes = [example.code for example in self.examples]
        self._codes = list(dict.fromkeys(codes))
        most = max(codes.count(code) for code in self._codes)
        self._columns = np.full((len(self._codes), most), len(found))
        for place, code in enumerate(self._codes):
            self._columns[place, : codes.count(code)] = np.arange(codes.count(code)) + codes.index(code)

    def compare(self, tokens: Sequence[str]) -> Verdict | None:
        """The nearest narrative and the nearest protected code of a post's tokens; None when it is too short, speaks of
        nothing that any narrative is about, or is like no example."""
        if len(tokens) < _FEWEST_WORDS:
            return None
        stems = self._stems(tokens)
        if self._of_any_matter.isdisjoint(stems):
            return None
        spoken_of = tuple(prefix for prefix, words in self._about.items() if not words.isdisjoint(stems))
        cosines = self._cosines(stems)
        if np.maximum.reduce(cosines) < FLOOR:
            return None
        # The mean of the nearest two of each code: one example alone may be like by chance.
        nearest_two = np.partition(cosines.take(self._columns), -2, axis=1)[:, -2:]
        likeness = dict(zip(self._codes, (nearest_two.sum(axis=1) / 2).tolist(), strict=True))
        code = max((code for code in self._codes if code.startswith(spoken_of)), key=likeness.__getitem__)
        rivals = (c for c in self._codes if c.startswith(PROTECTED) and not (c == _OTHER_MATTERS and code[0] == "N"))
        protected = max(rivals, key=likeness.__getitem__)
        return Verdict(code, likeness[code], protected, likeness[protected])

    def nearest(self, tokens: Sequence[str], code: str) -> Example:
        """The example of a code, one that `compare` gave, that these tokens are most like."""
        columns = self._columns[self._codes.index(code)]
        return self.examples[int(columns[int(np.argmax(self._cosines(self._stems(tokens))[columns]))])]

    def _stems(self, tokens: Sequence[str]) -> list[str]:
        return stems_of([word for word in self._men.words(tokens[:LONGEST_READ]) if word])

    def _cosines(self, stems: Sequence[str]) -> NDArray[np.float64]:
        """To every example, and 0 for the column behind the last one."""
        known = map(self._known.get, dict.fromkeys(stems))
        known_pairs = map(self._known_pairs.get, dict.fromkeys(pairwise(stems)))
        rows, squares = [], 0.0
        for one in chain(known, known_pairs):
            if one is None:
                squares += self._unknown
            else:
                rows.append(one[0])
                squares += one[1]
        return np.asarray(np.add.reduce(self._products.take(rows, axis=0), axis=0) / math.sqrt(squares))


def features_of(tokens: Sequence[str]) -> list[str]:
    """Stems and pairs of neighbouring stems of the first words, each once, in the post's order. All numbers are one
    stem."""
    return _features(stems_of(tokens))


def _features(stems: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((*stems, *(f"{one} {other}" for one, other in pairwise(stems)))))


def stems_of(tokens: Sequence[str]) -> list[str]:
    return [
        token[:_STEM] if "a" <= token < "\u0250" else stem_of(token)  # the common case, without a look-up
        for token in tokens[:LONGEST_READ]
    ]


@lru_cache(maxsize=_MOST_REMEMBERED)
def stem_of(token: str) -> str:
    """The beginning of a word, Arabic prefixes aside."""
    if token.isdigit():
        return _NUMBER
    if "\u0600" <= token < "\u0700":
        for prefix in _ARABIC_PREFIXES:
            if token.startswith(prefix) and len(token) - len(prefix) >= _SHORTEST_ARABIC_STEM:
                return token[len(prefix) : len(prefix) + _STEM - 1]
        return token[: _STEM - 1]
    return token[:_STEM]


def _weights(found: Sequence[Sequence[str]], protected: Sequence[bool]) -> dict[str, float]:
    narratives: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for own, is_protected in zip(found, protected, strict=True):
        (others if is_protected else narratives).update(own)
    examples = len(found)
    weights = {}
    for feature in narratives | others:
        yes, no = narratives[feature], others[feature]
        rarity = math.log((examples + 1) / (yes + no + 0.5))
        odds = (yes + _SMOOTHING) / (examples - sum(protected) + 1) / ((no + _SMOOTHING) / (sum(protected) + 1))
        telling = _RARITY_ALONE + abs(math.log(odds))
        weights[feature] = rarity * telling * (_PAIR if " " in feature else 1.0)
    return weights
