"""What a suite is: functions, the cases that test them, and the files that both are read from.

`<suite>/functions.toml` says what is tested and what must be flagged; `<suite>/<language>.toml` holds the sentences.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from hustings.errors import ConfigError

__all__ = [
    "FUNCTIONS",
    "SUITES",
    "Case",
    "Function",
    "Functions",
    "Phrasing",
    "Suite",
    "Swap",
    "read_functions",
    "read_phrasing",
]

SUITES = ("election", "abuse")
FUNCTIONS = "functions"


class Function(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to tell. Its posts must get one of the codes `expected`, or, when that is empty, no code of harm.

    A written function has templates of its own. One with `disguise` takes posts of the functions `of`, disguised, and
    expects what they expect. One with `swap` makes each post twice, for both sides of that axis. `pair` names the
    function from which this one differs in the one thing that matters; both fill their templates with the same words.
    `languages` empty means all.
    """

    id: str
    tests: str
    expected: tuple[str, ...] = ()
    pair: str = ""
    disguise: str = ""
    of: tuple[str, ...] = ()
    swap: str = ""
    languages: tuple[str, ...] = ()

    def speaks(self, language: str) -> bool:
        """Whether the function exists in this language."""
        return not self.languages or language in self.languages


class Functions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A suite's `functions.toml`. A flag whose code is one of `harm`, or refines one, is an error on a post of which
    nothing is expected."""

    title: str
    harm: tuple[str, ...]
    function: tuple[Function, ...]


class Swap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One axis of counterfactuals: the names of its two sides, and for each slot what stands on either side. The n-th
    words of both sides replace each other."""

    sides: tuple[str, str]
    words: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}


class Phrasing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A suite in one language. `words` fill the slots. `telling` holds beginnings of the words that people hide from
    machines, in small letters; `texted` spellings that they use on telephones; `padding` friendly sentences in which a
    claim can be sunk."""

    language: str
    words: dict[str, tuple[str, ...]]
    templates: dict[str, tuple[str, ...]]
    swap: dict[str, Swap] = {}
    telling: tuple[str, ...] = ()
    texted: dict[str, str] = {}
    padding: tuple[str, ...] = ()


class Case(Struct, frozen=True, kw_only=True):
    """One post and what must be flagged in it. `side` is empty unless its function swaps sides; cases of one `id` but
    for the side are a pair. `template` counts from 0 within the function."""

    id: str
    function: str
    language: str
    text: str
    expected: tuple[str, ...]
    template: int
    side: str = ""


class Suite(Struct, frozen=True, kw_only=True):
    """A suite ready to be run."""

    name: str
    title: str
    harm: tuple[str, ...]
    functions: tuple[Function, ...]
    languages: tuple[str, ...]
    cases: tuple[Case, ...]

    @property
    def digest(self) -> str:
        """Names these cases: the first 12 hexadecimal digits of a SHA-256 over ids, texts and what is expected."""
        return hashlib.sha256(msgspec.json.encode(self.cases)).hexdigest()[:12]

    def only(self, languages: Collection[str]) -> Suite:
        """The suite in some of its languages."""
        return structs.replace(
            self,
            languages=tuple(language for language in self.languages if language in languages),
            cases=tuple(case for case in self.cases if case.language in languages),
        )


_T = TypeVar("_T", Functions, Phrasing)


def read_functions(suite: str) -> Functions:
    """The functions of a suite. Raises `ConfigError`."""
    if suite not in SUITES:
        raise ConfigError(f"suite {suite!r} does not exist; known are {', '.join(SUITES)}")
    return _read(_folder(suite).joinpath(f"{FUNCTIONS}.toml"), Functions)


@cache
def read_phrasing(suite: str) -> Mapping[str, Phrasing]:
    """The sentences of a suite by language, in the order of their codes; read once. Raises `ConfigError`."""
    names = sorted(entry.name.removesuffix(".toml") for entry in _folder(suite).iterdir())
    found = {}
    for name in names:
        if name != FUNCTIONS:
            path = _folder(suite).joinpath(f"{name}.toml")
            phrasing = _read(path, Phrasing)
            if phrasing.language != name:
                raise ConfigError(f"{path}: language is {phrasing.language!r}, but the file is named {name!r}")
            found[name] = phrasing
    return MappingProxyType(found)


def _folder(suite: str) -> Traversable:
    return files("classifiers").joinpath("checks", suite)


def _read(path: Traversable, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), kind)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error
