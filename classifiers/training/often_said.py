"""The words of a language that careless spellings are read as: those that our own sentences write often enough, since
a rare one may be a slip itself, and long ones that are no slip of those; and words that must not be read as others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from classifiers.gender import men_of
from classifiers.spelling import Spelling

__all__ = ["often_said"]

_FEWEST_SAID = 2
"""Sentences in which a token must stand to be such a word …"""
_LONG = 6
"""… unless it has so many letters, and is not how one of them is written carelessly."""


def often_said(
    sentences: Iterable[Sequence[str]], language: str, names: frozenset[str] = frozenset(), common: Iterable[str] = ()
) -> frozenset[str]:
    """Of the sentences, given by their tokens; also as they are read of men. Not the `names`: no slip is put right to
    somebody's name. Of the words that are `common` in any language those that would be read as another one: our
    sentences know few words, and what is no slip (`العرب`, the Arabs) must not be read as one (`الرعب`, terror)."""
    words = (token for tokens in sentences for token in set(tokens) if token not in names and _is_word(token))
    said = Counter(words)
    often = {token for token, count in said.items() if count >= _FEWEST_SAID}
    spelling = Spelling(often)
    often |= {token for token in said if len(token) >= _LONG and spelling.word(token) == token}
    often.update(map(men_of(language).word, often.copy()))
    spelling = Spelling(often)
    return frozenset(often.union(token for token in common if spelling.word(token) != token and token not in names))


def _is_word(token: str) -> bool:
    return token[0].isalpha() and not any(map(str.isdigit, token))
