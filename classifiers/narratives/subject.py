"""What a post must speak of before it can get a code (`about.toml`)."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Set
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.narratives.concepts import Concepts
from hustings.errors import ModelError

__all__ = ["Subjects", "load_subjects"]


class Subjects(NamedTuple):
    """For each code groups of concepts; a post must hold one of every group."""

    groups: dict[str, tuple[frozenset[int], ...]]
    sha256: str

    def possible(self, code: str, concepts: Set[int]) -> bool:
        """Whether a post with these concepts speaks of what the code is about."""
        return all(not group.isdisjoint(concepts) for group in self.groups[code])


@cache
def _table() -> tuple[dict[str, list[str]], str]:
    raw = files("classifiers").joinpath("narratives", "about.toml").read_bytes()
    return tomllib.loads(raw.decode()), hashlib.sha256(raw).hexdigest()


def load_subjects(concepts: Concepts) -> Subjects:
    """Raises `ModelError` for a concept that the words do not have."""
    table, digest = _table()
    numbers = {name: number for number, name in enumerate(concepts.names)}
    try:
        groups = {
            code: tuple(frozenset(numbers[name] for name in one.split()) for one in own) for code, own in table.items()
        }
    except KeyError as error:
        raise ModelError(f"narratives/about.toml: no concept {error}; known are {', '.join(numbers)}") from error
    return Subjects(groups, digest)
