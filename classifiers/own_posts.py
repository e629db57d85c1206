"""Posts of our own, `classifiers/seeds/abuse/<language>.toml`: abuse, and protected speech that sounds like it, written
for heads to learn from (`classifiers.training.own_posts`) and to show people what a flag means
(`classifiers.own_examples`)."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct

from hustings.errors import ConfigError

__all__ = ["Group", "OwnFile", "either_side", "own_languages", "read_own", "read_own_with_hash"]

_OF_GROUNDS, _OF_NO_MINORITY = "ground-", ("ground-others-", "ground-things-", "ground-swearing-")
"""How the ids of groups about hate of minorities begin, and of those among them whose posts name none."""
_ALTERNATION = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")


OwnCode = Literal[
    "A-THREAT",
    "G-THR",
    "G",
    "A-INSULT",
    "A-OTHERGROUND",
    "X-COUNTER",
    "X-REPORT",
    "X-RECLAIM",
    "X-OPINION",
    "X-NOTELEX",
]
"""Codes of abuse, and those of protected speech that sounds like it."""


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Posts of one kind. `code`: the one code that says most of what they mean, which a reader of codes learns. `says`:
    the codes whose heads should flag them; `is_not`: those that should not though the posts say something else. A group
    that says nothing should be flagged by none."""

    id: str
    code: OwnCode
    posts: tuple[str, ...]
    says: tuple[str, ...] = ()
    is_not: tuple[str, ...] = ()

    @property
    def names_minority(self) -> bool:
        """Whether its posts name a minority, hateful or not: so little tells hate from kindness but what is meant that
        such posts are worth reading whatever they say."""
        return self.id.startswith(_OF_GROUNDS) and not self.id.startswith(_OF_NO_MINORITY)

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


def own_languages() -> list[str]:
    """Languages in which there are posts of our own."""
    names = (entry.name for entry in files("classifiers").joinpath("seeds", "abuse").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_own(language: str) -> OwnFile:
    """The file of a language. Raises `ConfigError`."""
    return read_own_with_hash(language)[0]


def read_own_with_hash(language: str) -> tuple[OwnFile, str]:
    """The file of a language and its SHA-256. Raises `ConfigError`."""
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


def either_side(post: str) -> tuple[str, ...]:
    """A post with its alternations, such as {she|he}, read for the one side and for the other; a post without any as it
    stands. Two sides may read alike."""
    if not _ALTERNATION.search(post):
        return (post,)
    return _ALTERNATION.sub(r"\1", post), _ALTERNATION.sub(r"\2", post)
