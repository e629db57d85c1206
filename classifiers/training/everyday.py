"""Everyday posts in whose words abuse is often dressed, `classifiers/seeds/everyday/<language>.toml`: heads for worth
learn from them that kitchens, children and clothes alone are worth no question. No encoder learns them."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files

import msgspec
from msgspec import Struct

from classifiers.manifest import Dataset
from hustings.errors import ConfigError

__all__ = ["everyday_languages", "everyday_posts"]

_FOLDER = ("seeds", "everyday")


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    language: str
    posts: tuple[str, ...]


def everyday_languages() -> list[str]:
    """Languages in which there are such posts."""
    names = (entry.name for entry in files("classifiers").joinpath(*_FOLDER).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def everyday_posts(language: str) -> tuple[tuple[str, ...], Dataset]:
    """The posts of a language, and what a manifest says of them. Raises `ConfigError`."""
    path = files("classifiers").joinpath(*_FOLDER, f"{language}.toml")
    try:
        raw = path.read_bytes()
        found = msgspec.convert(tomllib.loads(raw.decode()), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"everyday posts of {language!r}: {error}") from error
    if found.language != language:
        raise ConfigError(f"{path}: language is {found.language!r}, but the file is named {language!r}")
    dataset = Dataset(
        name=f"Hustings, everyday posts ({language})",
        file=f"classifiers/seeds/everyday/{language}.toml",
        sha256=hashlib.sha256(raw).hexdigest(),
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(found.posts),
        positives=0,
        use="training",
    )
    return found.posts, dataset
