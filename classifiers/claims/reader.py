"""What a post means beside the few claims whose words are nearest to its own: for posts that words leave undecided.

A claim is read when it is first among the nearest, and kept: posts of an election are about the same few claims again
and again. So a collection of any size costs nothing to begin with, and a post no more than `most_read` readings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.claim import Claim
from classifiers.claims.meaning import is_in, text_of
from classifiers.encoder.embed import Embedder

__all__ = ["ENCODER", "LANGUAGE", "SURE", "ClaimReader", "Compared", "told"]

F32 = NDArray[np.float32]

LANGUAGE = "en"
ENCODER = "embed-en@1"
"""What the settings below were chosen with; beside another encoder the reader is silent."""
LIKE = 0.65
"""Cosine that a post and its claim must have."""
AHEAD = 0.92
"""What the order of a claim and its lead over the next one must be together. Both were chosen on the training part of
the staged retrieval set, for a precision of .97 there: what words leave undecided is harder than what they decide."""
SAME = 0.8
"""Claims whose cosine is as high are one claim, checked twice: neither has a lead over the other."""
SURE = 0.95
"""What a match by meaning counts as a probability: what is promised of all that is shown."""
_KEPT = 20_000
"""Claims whose vectors are kept, 1.5 kB each; then the one that was read first makes room."""
_READ = 2_000
"""Characters of a post that are looked at; the network reads 96 pieces of words."""


def told(order: F32, alike: F32, vectors: F32) -> int | None:
    """Which of some candidates a text is about by what it means; None when that is not sure. `order` is what they are
    ranked by, `alike` the cosine of each with the text, `vectors` are their own."""
    if not order.size:
        return None
    first = int(np.argmax(order))
    others = order[vectors @ vectors[first] < SAME]
    lead = float(order[first] - others.max(initial=0.0))
    return first if alike[first] >= LIKE and order[first] + lead >= AHEAD else None


class Compared(NamedTuple):
    """Some claims beside a text: the cosine of each with it, and their vectors, zeros for one in another language."""

    alike: F32
    vectors: F32


class ClaimReader:
    """Reads posts and claims with the encoder that `open_embedder` opens at the first question."""

    def __init__(
        self,
        claims: Sequence[Claim],
        open_embedder: Callable[[str], Embedder | None],
        *,
        former: ClaimReader | None = None,
    ) -> None:
        """`former` lends what it has read of claims in the same words."""
        self._claims = claims
        self._open = open_embedder
        self._kept: dict[str, F32] = former._kept if former is not None else {}
        self._lock: Lock = former._lock if former is not None else Lock()

    def compare(self, text: str, places: Sequence[int]) -> Compared | None:
        """These claims beside a text; None for a text in another language, and where no encoder can read it."""
        read = text[:_READ]
        embedder = self._open(LANGUAGE)
        if embedder is None or embedder.manifest.tag != ENCODER or not is_in(read, LANGUAGE):
            return None
        with self._lock:
            vectors = np.stack([self._vector(embedder, text_of(self._claims[place])) for place in places])
        return Compared(vectors @ embedder.vectors([read])[0], vectors)

    def _vector(self, embedder: Embedder, text: str) -> F32:
        found = self._kept.get(text)
        if found is None:
            found = embedder.vectors([text if is_in(text, LANGUAGE) else ""])[0]
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[text] = found
        return found
