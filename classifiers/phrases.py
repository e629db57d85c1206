"""Word lists of the roster's links, as tokens of the analyser: read from `phrases.toml`, so that they can be argued
with."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from hustings.text import analyse

__all__ = ["Phrases"]


class Phrases:
    """The single words of one section of the file, in all languages."""

    def __init__(self, section: str) -> None:
        raw = files("classifiers").joinpath("phrases.toml").read_text(encoding="utf-8")
        phrases = [analyse(text).tokens for texts in tomllib.loads(raw)[section].values() for text in texts]
        self.words = frozenset(tokens[0] for tokens in phrases if len(tokens) == 1)
