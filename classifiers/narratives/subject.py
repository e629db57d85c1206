"""What a post must speak of before it can get a code (`about.toml`)."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Set
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from classifiers.narratives.concepts import Concepts
from hustings.errors import ModelError

__all__ = ["Subjects", "load_subjects"]


class Subjects(NamedTuple):
    """A post must hold one of the `core` concepts to be read at all, and for some codes one of each of their groups."""

    core: frozenset[int]
    groups: dict[str, tuple[frozenset[int], ...]]
    sha256: str

    def possible(self, code: str, concepts: Set[int]) -> bool:
        """Whether a post with these concepts speaks of what the code is about."""
        return all(not group.isdisjoint(concepts) for group in (self.core, *self.groups.get(code, ())))


@cache
def _table() -> tuple[dict[str, Any], str]:
    raw = files("classifiers").joinpath("narratives", "about.toml").read_bytes()
    return tomllib.loads(raw.decode()), hashlib.sha256(raw).hexdigest()


def load_subjects(concepts: Concepts) -> Subjects:
    """Raises `ModelError` for a concept that the words do not have."""
    table, digest = _table()
    numbers = {name: number for number, name in enumerate(concepts.names)}

    def group(names: str) -> frozenset[int]:
        return frozenset(numbers[name] for name in names.split())

    try:
        groups = {code: tuple(map(group, own)) for code, own in table.items() if code != "core"}
        return Subjects(group(table["core"]), groups, digest)
    except KeyError as error:
        raise ModelError(f"narratives/about.toml: no concept {error}; known are {', '.join(numbers)}") from error
