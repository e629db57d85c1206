"""The encoder beside which a language's columns are settled."""

from __future__ import annotations

from functools import cache

from classifiers.encoder.model import Encoder, load_encoder
from classifiers.manifest import read_manifest
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from classifiers.training.seed_rows import seed_rows

__all__ = ["encoder_of"]


@cache
def _reading_encoder() -> Encoder | None:
    for folder in serving(shipped_models()).values():
        if read_manifest(folder).kind == "encoder" and (encoder := load_encoder(folder)).codes:
            return encoder
    return None


@cache
def encoder_of(language: str) -> Encoder | None:
    """The shipped encoder that learnt codes from just these seeds of the language. None where there is none: beside
    other seeds nobody can tell which rows it has learnt, so columns are settled alone until it is trained again."""
    encoder = _reading_encoder()
    if encoder is None:
        return None
    wanted = seed_rows(language).dataset
    learnt = any((one.file, one.sha256) == (wanted.file, wanted.sha256) for one in encoder.manifest.data)
    return encoder if learnt else None
