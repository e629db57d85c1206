"""The example sentences of one language: those that posts are compared with, and the larger seed corpus."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import NamedTuple

from hustings.errors import ModelError
from hustings.text import analyse

__all__ = ["PROTECTED", "Example", "Seeds", "example_languages", "load_examples", "load_seeds", "seed_languages"]

PROTECTED = "X-"
"""Codes that begin so are what a narrative must not be taken for: debunks, notices, satire, opinion, other matters."""


class Example(NamedTuple):
    """A sentence and the code that it stands for."""

    code: str
    text: str

    @property
    def is_protected(self) -> bool:
        return self.code.startswith(PROTECTED)


class Seeds(NamedTuple):
    """`examples` are what posts are compared with, `held_out` what thresholds are chosen on. `about` names, for codes
    that begin so, the tokens of which a post must hold one before it is compared at all."""

    language: str
    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    about: dict[str, frozenset[str]]
    sha256: str


def seed_languages() -> list[str]:
    """Languages of the seed corpus, `classifiers/seeds/`."""
    return _languages("seeds")


def load_seeds(language: str) -> Seeds:
    """The seed corpus of a language: what heads are to learn from. Raises `ModelError` when the file is not usable."""
    return _load(language, "seeds")


def example_languages() -> list[str]:
    """Languages in which posts are compared with examples, `classifiers/narratives/examples/`."""
    return _languages("narratives", "examples")


def load_examples(language: str) -> Seeds:
    """The examples that posts of a language are compared with: fewer and plainer than the seed corpus, whose variety
    made likeness blunt. Raises `ModelError` when the file is not usable."""
    return _load(language, "narratives", "examples")


def _languages(*folder: str) -> list[str]:
    names = (entry.name for entry in files("classifiers").joinpath(*folder).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _load(language: str, *folder: str) -> Seeds:
    path = files("classifiers").joinpath(*folder, f"{language}.toml")
    try:
        raw = path.read_bytes()
        tree = tomllib.loads(raw.decode())
        tree.pop("language")
        about = {code: frozenset(analyse(" ".join(words)).tokens) for code, words in tree.pop("about").items()}
        parts = [
            tuple(Example(code, text) for code, lists in tree.items() for text in lists[part])
            for part in ("examples", "held_out")
        ]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"seeds of {language!r}: {error!r}; each code needs `examples` and `held_out`") from error
    return Seeds(language, parts[0], parts[1], about, hashlib.sha256(raw).hexdigest())
