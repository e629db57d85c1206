"""Word lists of the rules, as tokens of the analyser: read from `phrases.toml`, so that they can be argued with."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from hustings.text import analyse

__all__ = ["Phrases"]


class Phrases:
    """One section of the file. Single words are looked up, longer ones are searched for."""

    def __init__(self, section: str) -> None:
        raw = files("classifiers").joinpath("phrases.toml").read_text(encoding="utf-8")
        phrases = [analyse(text).tokens for texts in tomllib.loads(raw)[section].values() for text in texts]
        self.words = frozenset(tokens[0] for tokens in phrases if len(tokens) == 1)
        self._longer = tuple(" " + " ".join(tokens) + " " for tokens in phrases if len(tokens) > 1)

    def occur_in(self, tokens: tuple[str, ...]) -> bool:
        """Whether any of them stands in these tokens."""
        if not self.words.isdisjoint(tokens):
            return True
        joined = " " + " ".join(tokens) + " "
        return any(phrase in joined for phrase in self._longer)
