"""How alike a text and known claims are in meaning, for one language: cosines of an encoder's vectors.

Words find a claim that is told in its own words; an encoder finds it told in others. On the staged retrieval set both
together put a right claim among the first five for .96 of the posts, words alone for .86 (docs/claims.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.claim import Claim
from classifiers.encoder.embed import Embedder
from classifiers.language import UNDETERMINED, Answer, identify

__all__ = ["WEIGHT", "Meaning", "is_in", "text_of"]

WEIGHT = 0.75
"""What a cosine of meaning counts beside the sum of BM25 and the cosine of four-grams. Chosen on the training part of
the staged retrieval set, where anything from .5 to 1.5 is as good within .005 of MAP@5."""
_CHUNK = 64
"""Claims that one reader takes at once."""

_FEW_WORDS = 5
"""So many say too little of their language."""


class Meaning:
    """Vectors of claims; those in other languages than the embedder's are like nothing."""

    def __init__(self, embedder: Embedder, vectors: NDArray[np.float32]) -> None:
        self._embedder = embedder
        self.vectors = vectors
        self.encoder = embedder.manifest.tag

    @classmethod
    def of(cls, claims: Sequence[Claim], embedder: Embedder, *, readers: int = 1) -> Meaning:
        """Reads every claim once, at about 3 ms of one core each; `readers` share them, which changes no vector."""
        language = embedder.manifest.language
        texts = [text_of(claim) for claim in claims]
        read = [text if is_in(text, language) else "" for text in texts]
        chunks = [read[start : start + _CHUNK] for start in range(0, len(read), _CHUNK)]
        with ThreadPoolExecutor(readers) as pool:
            return cls(embedder, np.concatenate(list(pool.map(embedder.vectors, chunks)) or [embedder.vectors([])]))

    def cosines(self, text: str) -> NDArray[np.float32] | None:
        """Of each claim with the text; None for a text in another language."""
        if not is_in(text, self._embedder.manifest.language):
            return None
        found: NDArray[np.float32] = self.vectors @ self._embedder.vectors([text])[0]
        return found


def text_of(claim: Claim) -> str:
    """What is read of a claim."""
    return f"{claim.text} {claim.title}"


def is_in(text: str, language: str) -> bool:
    """A text of a few words, too short to tell, counts when it is written in plain letters. A longer one does not:
    Hindi is written in plain letters too."""
    found = identify(text, "", frozenset({language}), lambda _: Answer(UNDETERMINED, 0.0)).language
    return found == language or (found == UNDETERMINED and text.isascii() and len(text.split()) <= _FEW_WORDS)
