"""The words of a language that careless spellings are read as: those that our own sentences write often enough, since
a rare one may be a slip itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from classifiers.gender import men_of

__all__ = ["often_said"]

_FEWEST_SAID = 2
"""Sentences in which a token must stand to be such a word."""


def often_said(
    sentences: Iterable[Sequence[str]], language: str, names: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Of the sentences, given by their tokens; also as they are read of men. Not the `names`: no slip is put right to
    somebody's name."""
    said = Counter(token for tokens in sentences for token in set(tokens))
    often = {token for token, count in said.items() if count >= _FEWEST_SAID and token not in names and _is_word(token)}
    return frozenset(often.union(map(men_of(language).word, often)))


def _is_word(token: str) -> bool:
    return token[0].isalpha() and not any(map(str.isdigit, token))
