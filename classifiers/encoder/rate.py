"""Scores of an encoder and the linear heads beside which it speaks, outside the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.heads import EncoderHead
from classifiers.encoder.model import Encoder, load_encoder
from classifiers.encoder.place import place_to_read
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.linear.model import Head, load_head
from classifiers.linear.repeats import as_scored
from classifiers.linear.score import Scorer
from classifiers.manifest import MANIFEST
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["Rater", "cascade_rater", "open_encoder_rater"]

Rater = Callable[[Sequence[str]], NDArray[np.float64]]
"""Scores of texts, each its own whatever stands beside it: many may be asked in parts."""


def open_encoder_rater(folder: Path, *, signers: Signers | None = None) -> Rater:
    """The encoder in `folder`, asked by itself about its first code: every text is read, as if its linear head had
    pointed at it. Raises `ModelError` when that head lies neither beside the folder nor among the shipped models."""
    encoder = load_encoder(folder, signers=signers)
    head = encoder.heads[0]
    return cascade_rater(encoder, [_beside(folder, head, signers)], head.code, keep=1.0)


def cascade_rater(encoder: Encoder, heads: Sequence[Head], code: str, *, keep: float) -> Rater:
    """What the pipeline says of `code`: the score of its linear head, and where one of these `heads`, which the encoder
    speaks beside, is not sure of a text, that of the encoder. `keep` is that of `EncoderSettings`."""
    by_name = {head.name: place for place, head in enumerate(heads)}
    voices = [(voice, by_name[voice.beside]) for voice in encoder.heads if voice.beside in by_name]
    speaks, row = next((voice, place) for voice, place in voices if voice.code == code)
    scorer = Scorer(heads)

    def rate(texts: Sequence[str]) -> NDArray[np.float64]:
        words = [read_words(text) for text in texts]
        linear = scorer.scores([as_scored(one.tokens) for one in words])
        scores: NDArray[np.float64] = linear[row].copy()
        for place, one in enumerate(words):
            asks = next((at for voice, at in voices if voice.asks(linear[at, place], keep)), None)
            if asks is not None:
                read = one.text(*place_to_read(heads[asks], one.tokens, MOST_WORDS))
                scores[place] = speaks.score(encoder.session.logits([read])[0, speaks.output], scores[place])
        return scores

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
