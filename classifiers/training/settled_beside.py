"""The encoder beside which models are settled that ask what posts mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from classifiers.encoder.codes import CodeReader, load_code_readers
from classifiers.manifest import Dataset
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from classifiers.training.learnt_seeds import check_record
from classifiers.training.seed_rows import seed_rows

__all__ = ["code_reader", "encoder_of", "encoder_that_learnt"]


@cache
def code_reader() -> CodeReader | None:
    """The shipped encoder that reads codes; None where there is none."""
    return next(iter(load_code_readers(serving(shipped_models()).values())), None)


@cache
def encoder_of(language: str) -> CodeReader | None:
    """The shipped encoder that learnt codes from just these seeds of the language. None where there is none: beside
    other seeds nobody can tell which rows it has learnt, so columns are settled alone until it is trained again."""
    return encoder_that_learnt([seed_rows(language).dataset])


def encoder_that_learnt(wanted: Iterable[Dataset]) -> CodeReader | None:
    """The shipped encoder that learnt codes from just these data; None where there is none. Raises `ConfigError` where
    nobody can tell which of their rows it has learnt, since the record of that is another network's."""
    encoder = code_reader()
    if encoder is None:
        return None
    check_record(encoder.network, encoder.manifest.name)
    known = {(one.file, one.sha256) for one in encoder.manifest.data}
    return encoder if known.issuperset((one.file, one.sha256) for one in wanted) else None
