"""The encoder beside which a language's columns are settled."""

from __future__ import annotations

from functools import cache

from classifiers.encoder.codes import CodeReader, load_code_readers
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from classifiers.training.seed_rows import seed_rows

__all__ = ["encoder_of"]


@cache
def _code_reader() -> CodeReader | None:
    return next(iter(load_code_readers(serving(shipped_models()).values())), None)


@cache
def encoder_of(language: str) -> CodeReader | None:
    """The shipped encoder that learnt codes from just these seeds of the language. None where there is none: beside
    other seeds nobody can tell which rows it has learnt, so columns are settled alone until it is trained again."""
    encoder = _code_reader()
    if encoder is None:
        return None
    wanted = seed_rows(language).dataset
    learnt = any((one.file, one.sha256) == (wanted.file, wanted.sha256) for one in encoder.manifest.data)
    return encoder if learnt else None
