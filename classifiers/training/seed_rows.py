"""The seed sentences of a language as rows, in one order, and which of them the encoder that reads narratives may not
learn from: on those it is told how much to trust it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Dataset
from classifiers.narratives.concepts import load_concepts
from classifiers.narratives.seeds import ORDINARY, PROTECTED, Example, load_seeds
from classifiers.training.given_names import given_names
from classifiers.training.learnt_seeds import divide, recorded

__all__ = ["SeedRows", "held_out", "is_harm", "seed_rows"]


class SeedRows(NamedTuple):
    """`names` are words that only name somebody or something, and mean nothing for an election."""

    rows: tuple[Example, ...]
    names: frozenset[str]
    dataset: Dataset


def is_harm(code: str) -> bool:
    """Whether the code is neither protected speech nor ordinary talk."""
    return code != ORDINARY and not code.startswith(PROTECTED)


@cache
def seed_rows(language: str) -> SeedRows:
    """Every seed of the language, ordinary posts last. Raises `ConfigError`."""
    seeds = load_seeds(language)
    rows = (*seeds.examples, *seeds.held_out, *(Example(ORDINARY, text) for text in seeds.ordinary))
    concepts = load_concepts(language)
    names = frozenset(name for name in given_names([one.text for one in rows]) if not concepts.entries(name))
    dataset = Dataset(
        name=f"Hustings seed sentences ({language})",
        file=f"classifiers/seeds/{language}.toml",
        sha256=seeds.sha256,
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(rows),
        positives=sum(is_harm(one.code) for one in rows),
        use="training",
    )
    return SeedRows(rows, names, dataset)


@cache
def held_out(language: str) -> NDArray[np.bool_]:
    """Which of the rows: a fifth, and none that the shipped encoder has learnt (`learnt_seeds`)."""
    return divide([one.text for one in seed_rows(language).rows], recorded().of(language))
