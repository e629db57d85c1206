"""Which flagged posts perhaps tell what a post tells, in other words.

A story (`classifiers.stories`) is one wording and its near-copies, because rules about copies must be able to trust it.
Who reviews a post wants more: what else says the same. Asked about one post at a time, an encoder finds it where words
do not. Of the 993 English tweets of CheckThat! 2020 task 2 (development data), 313 pairs are about one fact-check:

| ranked by | mean average precision | pairs found at precision .95 | .90 | .80 |
|---|---|---|---|---|
| Jaccard of word pairs, as stories | .597 | .003 | .003 | .048 |
| Jaccard of words | .712 | .070 | .115 | .179 |
| cosine of TF-IDF, words | .815 | .022 | .022 | .150 |
| cosine of meaning | .880 | .259 | .319 | .450 |

Where posts are written to look like one story and are none (`claims/pairs`) fewer than half of what is found is right.
So it is a suggestion to people; no rule and no flag depends on it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from math import log
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.embed import Embedder, spoken
from hustings.types import Assessment

__all__ = ["ALIKE", "MOST_READ", "Retold"]

ALIKE = 0.61
"""Cosine from which on two posts may tell one story: there four pairs in five did, in the table above."""
MOST_READ = 40
"""Posts that are read for one question, those with the most rare words in common: at about 3 ms each, people wait."""
_MOST_KEPT = 20_000  # vectors, of 1.5 kB each

F32 = NDArray[np.float32]


class Retold:
    """Answers with what the embedder of a post's language finds; a language without one has no answers. The embedder is
    opened with the first question. Safe from many threads."""

    def __init__(self, open_embedder: Callable[[str], Embedder | None]) -> None:
        self._open = open_embedder
        self._embedders: dict[str, Embedder | None] = {}
        self._vectors: OrderedDict[tuple[str, str, int], F32] = OrderedDict()
        self._lock = Lock()

    def speaks(self, language: str) -> bool:
        """Whether there is anything to ask about posts of this language."""
        return self._embedder(language) is not None

    def of(self, asked: Assessment, others: Sequence[Assessment]) -> list[Assessment]:
        """Those of `others` in the language of the post that asks, of other stories, that perhaps say the same: the
        most alike first, one a story."""
        embedder = self._embedder(asked.lang)
        rivals = [one for one in others if one.lang == asked.lang and one.story != asked.story and one.key != asked.key]
        if embedder is None or not rivals:
            return []
        nearest = _most_in_common(asked, rivals)
        own, *found = self._vectors_of([asked, *nearest], embedder)
        cosines = [float(own @ vector) for vector in found]
        best: dict[str, Assessment] = {}
        for place in sorted(range(len(nearest)), key=lambda place: (-cosines[place], nearest[place].key)):
            if cosines[place] >= ALIKE:
                best.setdefault(nearest[place].story or nearest[place].key, nearest[place])
        return list(best.values())

    def _embedder(self, language: str) -> Embedder | None:
        with self._lock:
            if language not in self._embedders:
                self._embedders[language] = self._open(language)
            return self._embedders[language]

    def _vectors_of(self, assessments: Sequence[Assessment], embedder: Embedder) -> list[F32]:
        """Read are only posts that were not read before, at this revision."""
        keys = [(one.lang, one.key, one.post.revision) for one in assessments]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
        fresh = {key: one for key, one in zip(keys, assessments, strict=True) if key not in known}
        texts = [f"{one.post.title} {one.post.text}".strip() for one in fresh.values()]
        known |= dict(zip(fresh, embedder.vectors(texts), strict=True))
        with self._lock:
            for key in keys:
                self._vectors[key] = known[key]
                self._vectors.move_to_end(key)
            while len(self._vectors) > _MOST_KEPT:
                self._vectors.popitem(last=False)
        return [known[key] for key in keys]


def _most_in_common(asked: Assessment, others: Sequence[Assessment]) -> list[Assessment]:
    """The posts that share the most words with the one that asks, the rarer words weighing more."""
    words = [_words(one) for one in others]
    frequent = Counter(word for of_one in words for word in of_one)
    own = _words(asked)
    shared = [sum(log(1 + len(others) / frequent[word]) for word in of_one & own) for of_one in words]
    order = sorted(range(len(others)), key=lambda place: (-shared[place], others[place].key))
    return [others[place] for place in order[:MOST_READ] if shared[place] > 0]


def _words(assessment: Assessment) -> frozenset[str]:
    return frozenset(spoken((*assessment.title_tokens, *assessment.tokens)))
