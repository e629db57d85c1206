"""Soft targets: how likely an encoder that serves takes a row to be what its label says (G. Hinton et al., "Distilling
the Knowledge in a Neural Network", 2015).

A linear head that learns half of that beside the label takes less notice of rows that were labelled by mistake, and
points its encoder at fewer posts for nothing. The encoder has learnt these rows; but half of what it learnt was what
other networks said, that had not (`classifiers.training.encoder.teachers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.model import load_encoder
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.manifest import MANIFEST
from classifiers.pipeline import shipped_models
from classifiers.signing import ANYBODY
from classifiers.training.stages import Tell
from hustings.errors import ConfigError

__all__ = ["Taught", "ask_encoder"]

F64 = NDArray[np.float64]

_AT_ONCE = 500


class Taught(NamedTuple):
    """`by` is `name@version` of the encoder, `likely` what it says of each row."""

    by: str
    likely: F64


def ask_encoder(name: str, code: str, texts: Sequence[str], *, models: Path, tell: Tell) -> Taught:
    """What the encoder `name` in `models`, or else the shipped one, says of `code` in these texts; 6 ms each. Of a long
    one the likeliest stretch counts. Raises `ConfigError` where there is none, or it has no such output."""
    folder = next((at / name for at in (models, shipped_models()) if (at / name / MANIFEST).is_file()), None)
    if folder is None:
        raise ConfigError(f"no encoder {name!r} to learn from, neither in {models} nor among the shipped models")
    encoder = load_encoder(folder, signers=ANYBODY)
    output = next((head.output for head in encoder.heads if head.code == code), None)
    if output is None:
        raise ConfigError(f"{encoder.label} has no output for {code}")
    found: list[float] = []
    for start in range(0, len(texts), _AT_ONCE):
        tell(f"{encoder.label} reads row {start:,} of {len(texts):,}")
        for stretches in map(_stretches, texts[start : start + _AT_ONCE]):
            found.append(float(encoder.session.logits(stretches)[:, output].max()))
    return Taught(encoder.label, 1.0 / (1.0 + np.exp(-np.array(found))))


def _stretches(text: str) -> list[str]:
    words = read_words(text)
    return [words.text(begin, begin + MOST_WORDS) for begin in range(0, max(len(words.tokens), 1), MOST_WORDS)]
