"""Posts of our own with nothing to find, which heads and what reads codes learn as ordinary talk: around an election
(`classifiers/seeds/ordinary/<language>.toml`), and everyday ones in whose words abuse is often dressed: kitchens,
children, clothes (`classifiers/seeds/everyday/`)."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct

from classifiers.manifest import Dataset
from classifiers.training.seed_rows import seed_rows
from hustings.errors import ConfigError

__all__ = ["OrdinaryPosts", "election_talk", "everyday_posts", "ordinary_posts"]

_OF_ABUSE = ("A-", "X-COUNTER", "X-RECLAIM")

OrdinaryPosts = tuple[tuple[str, ...], Dataset]
"""Texts, and what a manifest says of them."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    language: str
    posts: tuple[str, ...]


def ordinary_posts(language: str) -> OrdinaryPosts | None:
    """Talk around an election; None in a language without. Raises `ConfigError` for a file that cannot be read."""
    return _posts("ordinary", language)


def everyday_posts(language: str) -> OrdinaryPosts | None:
    """Everyday posts; None in a language without. Raises `ConfigError` for a file that cannot be read."""
    return _posts("everyday", language)


def election_talk(language: str) -> OrdinaryPosts:
    """The seeds of a language in which nobody is abused and no abuse is quoted, those of ordinary talk among them: what
    a stream around an election is full of, be it true or not. Raises `ConfigError`."""
    seeds = seed_rows(language)
    texts = tuple(row.text for row in seeds.rows if not row.code.startswith(_OF_ABUSE))
    return texts, msgspec.structs.replace(seeds.dataset, rows=len(texts), positives=0)


def _posts(kind: Literal["ordinary", "everyday"], language: str) -> OrdinaryPosts | None:
    path = files("classifiers").joinpath("seeds", kind, f"{language}.toml")
    if not path.is_file():
        return None
    try:
        raw = path.read_bytes()
        found = msgspec.convert(tomllib.loads(raw.decode()), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if found.language != language:
        raise ConfigError(f"{path}: language is {found.language!r}, but the file is named {language!r}")
    dataset = Dataset(
        name=f"Hustings, {kind} posts",
        file=f"classifiers/seeds/{kind}/{language}.toml",
        sha256=hashlib.sha256(raw).hexdigest(),
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(found.posts),
        positives=0,
        use="training",
    )
    return found.posts, dataset
