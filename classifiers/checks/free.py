"""Posts in free form, by code: written by somebody who had seen neither seeds nor word lists nor the other suites.

The other suites say which wordings are told; whoever mends a model looks at them, so their numbers flatter. This one
is for a look from outside once models are settled, and no gate asks it: a model that is mended after it is no longer
measured by it. That happened to the first editions; the next was written after. Those about abuse ask for other
codes, and in German too.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from classifiers.checks.suite import Case, Function, Suite
from classifiers.narratives.seeds import ORDINARY, PROTECTED
from hustings.errors import ConfigError

__all__ = ["TITLES", "Edition", "load_free_suite"]

Edition = Literal[
    "free", "free-2", "free-3", "free-4", "free-5", "free-6", "free-abuse", "free-abuse-2", "free-abuse-3"
]
"""What the suite is called; its folder is called so too, without the hyphen."""
TITLES: dict[Edition, str] = {
    "free": "Free form",
    "free-2": "Free form, second edition",
    "free-3": "Free form, third edition",
    "free-4": "Free form, fourth edition",
    "free-5": "Free form, fifth edition",
    "free-6": "Free form, sixth edition",
    "free-abuse": "Free form, abuse",
    "free-abuse-2": "Free form, abuse, second edition",
    "free-abuse-3": "Free form, abuse, third edition",
}
"""Of every edition, in order."""
_HARM = ("N", "A", "G")


def load_free_suite(edition: Edition = "free") -> Suite:
    """Every post a case; a code is a function, and what is not harm expects nothing. Raises `ConfigError`."""
    folder = _folder(edition)
    functions: dict[str, Function] = {}
    cases: list[Case] = []
    languages = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    for language in languages:
        for code, posts in _posts(edition, language).items():
            function = functions.setdefault(code, _function(code))
            cases += [
                Case(
                    id=f"{language}/{code}/{number:02}",
                    function=code,
                    language=language,
                    text=text,
                    expected=function.expected,
                    template=number,
                )
                for number, text in enumerate(posts)
            ]
    return Suite(
        name=edition,
        title=TITLES[edition],
        harm=_HARM,
        functions=tuple(functions.values()),
        languages=tuple(languages),
        cases=tuple(cases),
    )


def _function(code: str) -> Function:
    if code == ORDINARY:
        return Function(id=code, tests="Everyday posts, half of them about the election.")
    if code.startswith(PROTECTED):
        return Function(id=code, tests="Posts of this code, in which nothing is to be flagged as harm.")
    return Function(id=code, tests="Posts of this code.", expected=(code,))


def _posts(edition: Edition, language: str) -> dict[str, list[str]]:
    entry = _folder(edition).joinpath(f"{language}.toml")
    where = f"checks/{edition}: {entry.name}"
    try:
        tree = tomllib.loads(entry.read_text("utf-8"))
        if tree.pop("language") != language:
            raise ConfigError(f"{where}: `language` is not that of the file's name")
        return {code: [str(post) for post in lists["posts"]] for code, lists in tree.items()}
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{where}: {error!r}; each code needs `posts`") from error


def _folder(edition: Edition) -> Traversable:
    return files("classifiers").joinpath("checks", edition.replace("-", ""))
