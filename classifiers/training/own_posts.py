"""Posts of our own that a head learns from beside its corpus: what the corpus lacks, in the corpus's own definition.

`classifiers/seeds/abuse/<language>.toml`. They are no second corpus: some hundreds beside many thousands of rows, so
that a slur that is quoted, denied or reclaimed is seen at all. Nothing is calibrated, thresholded or compared on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from classifiers.manifest import Dataset
from classifiers.own_posts import OwnFile, either_side, read_own_with_hash

__all__ = ["ORDINARY", "OwnRows", "expanded", "own_rows", "sides"]

ORDINARY = "ordinary"
"""The kind of the posts of `ordinary_posts`."""


class OwnRows(NamedTuple):
    """Texts for one head. All readings of one post have the same `family`, and their weights sum to 1."""

    texts: list[str]
    labels: list[int]
    families: list[int]
    groups: list[str]
    weights: list[float]
    dataset: Dataset


def own_rows(language: str, code: str) -> OwnRows:
    """What the file of a language tells a head with that code. Raises `ConfigError`."""
    own, digest = read_own_with_hash(language)
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
    for side in dict.fromkeys(either_side(post)):
        fills = len(own.parties) if "{party}" in side else 2 if "{name}" in side else 1
        for fill in range(fills):
            name = own.names[(number + fill * (len(own.names) // 2)) % len(own.names)]
            party = own.parties[(number + fill) % len(own.parties)]
            text = side.replace("{name}", name).replace("{party}", party)
            yield text[:1].upper() + text[1:] if side[:1] == "{" or post[:1] == "{" else text


def sides(post: str, own: OwnFile, number: int) -> list[str]:
    """One reading for each side of a post: two where it has alternations."""
    readings = list(expanded(post, own, number))
    return readings[:: len(readings) // 2] if len(either_side(post)) > 1 and len(readings) > 1 else readings[:1]
