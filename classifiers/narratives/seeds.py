"""The example sentences of one language: those that posts are compared with, and the seed corpus that columns learn
from."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple

from hustings.errors import ModelError
from hustings.text import analyse

__all__ = [
    "ORDINARY",
    "PROTECTED",
    "Example",
    "Seeds",
    "example_languages",
    "load_examples",
    "load_seeds",
    "seed_languages",
]

PROTECTED = "X-"
"""Codes that begin so are what a narrative must not be taken for: debunks, notices, satire, opinion, other matters."""
ORDINARY = "ordinary"
"""What stands in place of a code for posts of every day, which are neither harm nor anything that looks like it."""


class Example(NamedTuple):
    """A sentence and the code that it stands for."""

    code: str
    text: str

    @property
    def is_protected(self) -> bool:
        return self.code.startswith(PROTECTED)


class Seeds(NamedTuple):
    """`examples` are what posts are compared with or columns learn from, `held_out` what likeness was settled on.
    `about` names, for codes that begin so, the tokens of which a post must hold one before it is compared at all.
    `ordinary` are posts with nothing to find. `sha256` is that of all files together."""

    language: str
    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    about: dict[str, frozenset[str]]
    ordinary: tuple[str, ...]
    sha256: str


_PARTS = ("more", "wide", "plain", "ordinary")
"""The folders beside the first seeds."""


def seed_languages() -> list[str]:
    """Languages of the seed corpus, `classifiers/seeds/`."""
    return _languages("seeds")


def load_seeds(language: str) -> Seeds:
    """The seed corpus of a language: the sentences of `seeds/<language>.toml`, more of the codes of harm from
    `seeds/more/`, the same matters told in many ways from `seeds/wide/` and in few words from `seeds/plain/`, and the
    posts of `seeds/ordinary/`. Raises `ModelError` when a file is not usable."""
    seeds = _load(language, "seeds")
    parts = {part: _read(language, "seeds", part) for part in _PARTS}
    ordinary = parts["ordinary"][1]
    try:
        added = [
            Example(code, str(text))
            for part in _PARTS
            if part != "ordinary"
            for code, lists in parts[part][1].items()
            for text in lists["examples"]
        ]
        posts = tuple(str(post) for post in ordinary["posts"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"seeds of {language!r}: {error!r} in {', '.join(_PARTS)}") from error
    examples = (*seeds.examples, *(one for one in added if one.code != ORDINARY))
    posts = (*posts, *(one.text for one in added if one.code == ORDINARY))
    digests = (seeds.sha256, *(_sha256(raw) for raw, _ in parts.values()))
    together = hashlib.sha256("".join(digests).encode()).hexdigest()
    return seeds._replace(examples=examples, ordinary=posts, sha256=together)


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
    raw, tree = _read(language, *folder)
    try:
        about = {code: frozenset(analyse(" ".join(words)).tokens) for code, words in tree.pop("about").items()}
        parts = [
            tuple(Example(code, text) for code, lists in tree.items() for text in lists[part])
            for part in ("examples", "held_out")
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"seeds of {language!r}: {error!r}; each code needs `examples` and `held_out`") from error
    return Seeds(language, parts[0], parts[1], about, (), _sha256(raw))


def _read(language: str, *folder: str) -> tuple[bytes, dict[str, Any]]:
    """The file's bytes, and what it holds beside the name of its language."""
    path = files("classifiers").joinpath(*folder, f"{language}.toml")
    try:
        raw = path.read_bytes()
        tree = tomllib.loads(raw.decode())
        del tree["language"]
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise ModelError(f"seeds of {language!r}: {'/'.join(folder)}: {error!r}") from error
    return raw, tree


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
