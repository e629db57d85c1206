"""What a post means, as a sentence: columns over the vector that the shipped encoder gives it.

Concepts know the words of a list; an encoder was taught by many texts what else says the same. It takes a few
milliseconds, so only posts are read that the columns of concepts leave near a flag. Beside another encoder than the one
it was trained with, beside none, or where encoders are switched off, those columns decide alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Calibration
from classifiers.narratives.columns import softmax
from classifiers.roster_names import NAME
from hustings.errors import ModelError

if TYPE_CHECKING:
    from classifiers.encoder.embed import Embedder

__all__ = ["SENSE", "Sense", "SenseWeights", "pack_sense", "softmax_of", "text_of", "unpack_sense"]

SENSE = "sense.bin"

_SPOKEN_OF = {
    **dict.fromkeys(("she", "he"), "they"),
    **dict.fromkeys(("her", "his"), "their"),
    **dict.fromkeys(("him", "herself", "himself"), "them"),
    **dict.fromkeys(("mrs", "ms", "mr"), ""),
    **dict.fromkeys(("woman", "man", "lady", "gentleman"), "person"),
}
"""Whether a woman or a man is spoken of tells nothing."""

F32 = NDArray[np.float32]


class SenseWeights(NamedTuple):
    """[dimensions, codes] weights and [codes] biases, in the order of the columns of concepts."""

    weights: F32
    biases: F32


class Sense:
    """Asks the encoder `tag` (`open_embedder` opens it at the first question) about posts whose probability by the
    columns of concepts is at least `least`. Then `calibration` and `threshold` take the place of the model's own."""

    def __init__(
        self,
        learnt: SenseWeights,
        *,
        tag: str,
        least: float,
        calibration: Calibration,
        threshold: float,
        open_embedder: Callable[[], Embedder | None],
    ) -> None:
        self._learnt = learnt
        self._tag = tag
        self.least = least
        self.calibration = calibration
        self.threshold = threshold
        self._open = open_embedder
        self._opened = False
        self._embedder: Embedder | None = None
        self._lock = Lock()

    def shares(self, tokens: Sequence[str]) -> F32 | None:
        """How likely each column is by the meaning of these tokens; None where nobody can tell."""
        embedder = self._opened_embedder()
        if embedder is None:
            return None
        vector = embedder.vectors([text_of(tokens)])[0]
        return softmax_of(self._learnt, vector)

    def _opened_embedder(self) -> Embedder | None:
        with self._lock:
            if not self._opened:
                embedder = self._open()
                self._embedder = embedder if embedder is not None and embedder.manifest.tag == self._tag else None
                self._opened = True
            return self._embedder


def softmax_of(learnt: SenseWeights, vector: F32) -> F32:
    """How likely each column is for a sentence of this vector."""
    return softmax(vector @ learnt.weights + learnt.biases)


def text_of(tokens: Sequence[str]) -> str:
    """What the encoder reads: names of the roster are left out here too, and the gender of people."""
    said = (_SPOKEN_OF.get(token, token) for token in tokens if token != NAME)
    return " ".join(word for word in said if word)


def pack_sense(learnt: SenseWeights) -> bytes:
    """Little-endian float32: the weights, row by row, then the biases."""
    return np.concatenate((learnt.weights.ravel(), learnt.biases)).astype("<f4").tobytes()


def unpack_sense(raw: bytes, codes: int, where: str) -> SenseWeights:
    """Raises `ModelError` unless the bytes are a weight a dimension and code, and a bias a code, all finite."""
    if len(raw) % (4 * codes) or len(raw) < 8 * codes:
        raise ModelError(f"{where}: {SENSE}: {len(raw)} bytes are no rows of {codes} numbers")
    rows = np.frombuffer(raw, dtype="<f4").astype(np.float32).reshape(-1, codes)
    if not np.isfinite(rows).all():
        raise ModelError(f"{where}: {SENSE} holds a number that is not finite")
    return SenseWeights(rows[:-1], rows[-1])
