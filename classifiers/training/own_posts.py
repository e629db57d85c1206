"""Posts of our own that a head learns from beside its corpus: what the corpus lacks, in the corpus's own definition.

`classifiers/seeds/abuse/<language>.toml`. They are no second corpus: some hundreds beside many thousands of rows, so
that a slur that is quoted, denied or reclaimed is seen at all. Nothing is calibrated, thresholded or compared on them.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import msgspec
from msgspec import Struct

from classifiers.manifest import Dataset
from hustings.errors import ConfigError

__all__ = ["Group", "OwnFile", "OwnRows", "expanded", "own_languages", "own_rows", "read_own", "sides"]

_ALTERNATION = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posts of one kind. `says`: the codes whose heads should flag them; `is_not`: those that should not though the
    posts say something else. A group that says nothing should be flagged by none."""

    id: str
    posts: tuple[str, ...]
    says: tuple[str, ...] = ()
    is_not: tuple[str, ...] = ()

    def label(self, code: str) -> int | None:
        """1, 0, or None where the group does not tell a head with that code anything."""
        if code in self.says:
            return 1
        return 0 if code in self.is_not or not self.says else None


class OwnFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language. `chatter` is friendly talk to sink a post in, for measuring; nothing learns from it."""

    language: str
    names: tuple[str, ...]
    parties: tuple[str, ...]
    chatter: tuple[str, ...]
    group: tuple[Group, ...]


class OwnRows(NamedTuple):
    """Texts for one head. All readings of one post have the same `family`, and their weights sum to 1."""

    texts: list[str]
    labels: list[int]
    families: list[int]
    groups: list[str]
    weights: list[float]
    dataset: Dataset


def own_languages() -> list[str]:
    """Languages in which there are posts of our own."""
    names = (entry.name for entry in files("classifiers").joinpath("seeds", "abuse").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_own(language: str) -> OwnFile:
    """The file of a language. Raises `ConfigError`."""
    return _read(language)[0]


def own_rows(language: str, code: str) -> OwnRows:
    """What the file of a language tells a head with that code. Raises `ConfigError`."""
    own, digest = _read(language)
    texts: list[str] = []
    labels: list[int] = []
    families: list[int] = []
    groups: list[str] = []
    weights: list[float] = []
    family = 0
    for group in own.group:
        label = group.label(code)
        for post in group.posts:
            family += 1
            if label is None:
                continue
            readings = list(expanded(post, own, family))
            texts += readings
            labels += [label] * len(readings)
            families += [family] * len(readings)
            groups += [group.id] * len(readings)
            weights += [1 / len(readings)] * len(readings)
    dataset = Dataset(
        name="Hustings, own posts",
        file=f"classifiers/seeds/abuse/{language}.toml",
        sha256=digest,
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(set(families)),
        positives=len({family for family, label in zip(families, labels, strict=True) if label}),
        use="training",
    )
    return OwnRows(texts, labels, families, groups, weights, dataset)


def expanded(post: str, own: OwnFile, number: int) -> Iterator[str]:
    """Every reading of a post: either side of its alternations, with two of the names, or with every party. `number`
    turns the names, so that each stands in posts of every kind."""
    sides = [_ALTERNATION.sub(r"\1", post), _ALTERNATION.sub(r"\2", post)] if _ALTERNATION.search(post) else [post]
    for side in dict.fromkeys(sides):
        fills = len(own.parties) if "{party}" in side else 2 if "{name}" in side else 1
        for fill in range(fills):
            name = own.names[(number + fill * (len(own.names) // 2)) % len(own.names)]
            party = own.parties[(number + fill) % len(own.parties)]
            text = side.replace("{name}", name).replace("{party}", party)
            yield text[:1].upper() + text[1:] if side[:1] == "{" or post[:1] == "{" else text


def sides(post: str, own: OwnFile, number: int) -> list[str]:
    """One reading for each side of a post: two where it has alternations."""
    readings = list(expanded(post, own, number))
    return readings[:: len(readings) // 2] if _ALTERNATION.search(post) and len(readings) > 1 else readings[:1]


def _read(language: str) -> tuple[OwnFile, str]:
    path = files("classifiers").joinpath("seeds", "abuse", f"{language}.toml")
    try:
        raw = path.read_bytes()
        own = msgspec.convert(tomllib.loads(raw.decode()), OwnFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(
            f"own posts of {language!r}: {error}; there are files for {', '.join(own_languages())}"
        ) from error
    if own.language != language:
        raise ConfigError(f"{path}: language is {own.language!r}, but the file is named {language!r}")
    return own, hashlib.sha256(raw).hexdigest()
