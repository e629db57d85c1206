"""An encoder asked by itself: every text is read, as if its linear head had pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.heads import EncoderHead
from classifiers.encoder.model import load_encoder
from classifiers.encoder.place import place_to_read
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.linear.model import Head, load_head
from classifiers.linear.score import Scorer
from classifiers.manifest import MANIFEST
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["open_encoder_rater"]


def open_encoder_rater(
    folder: Path, *, signers: Signers | None = None
) -> Callable[[Sequence[str]], NDArray[np.float64]]:
    """The encoder in `folder`, ready to give each text its score for the encoder's first code. Raises `ModelError` when
    the linear head beside which it speaks lies neither beside its folder nor in that of the shipped models."""
    encoder = load_encoder(folder, signers=signers)
    head = encoder.heads[0]
    beside = _beside(folder, head, signers)
    scorer = Scorer([beside])

    def rate(texts: Sequence[str]) -> NDArray[np.float64]:
        words = [read_words(text) for text in texts]
        linear = scorer.scores([one.tokens for one in words])[0]
        logits = encoder.session.logits([one.text(*place_to_read(beside, one.tokens, MOST_WORDS)) for one in words])
        pairs = zip(logits[:, head.output].tolist(), linear.tolist(), strict=True)
        return np.array([head.score(logit, score) for logit, score in pairs])

    return rate


def _beside(folder: Path, head: EncoderHead, signers: Signers | None) -> Head:
    shipped = Path(__file__).parent.parent / "models"
    places = [
        folder.parent / head.beside,
        folder.parent / f"{head.beside}@{head.beside_version}",
        shipped / head.beside,
    ]
    for place in places:
        if (place / MANIFEST).is_file():
            found = load_head(place, signers=signers)
            if found.manifest.version == head.beside_version:
                return found
    raise ModelError(
        f"{folder}: speaks beside {head.beside}@{head.beside_version}, which is in none of "
        f"{', '.join(str(place) for place in places)}"
    )
