"""A post as it would read of somebody of the other gender, or of men alone, roughly: for what should not depend on it.

Hindi verbs agree with who is spoken of, German has a word of its own for a woman who lies, and a corpus may hold more
abuse of women than praise. A head that learns each row in both readings gives endings and pronouns no say; one that
reads everything as of men cannot. What agrees with something else as often (German *die*, Hindi *की*) is left alone;
now and then a word is read wrongly, which costs little, as both readings have the same label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from classifiers.gendered_words import WORDS, Endings, Gendered
from classifiers.memory import Memory
from hustings.text import analyse

__all__ = ["GENDERED", "LEFT_OUT", "Men", "men_of", "one_gender", "other_gender"]

GENDERED = tuple(WORDS)
"""Languages that can be read so."""
LEFT_OUT = ""
"""Stands in place of an article that melted with the word before it."""

_WORD = re.compile(r"[\w\u0900-\u097F\u064B-\u0652]+")
_IS = "esta"
"""A verb (*está*) or an article; the analyser leaves no accents."""
_HER = frozenset(("her", "him"))
"""Both read as `his` where something follows that may belong to somebody, since for `her` nothing else tells."""
_HIM = "him"
_NOT_OWNED = frozenset(
    (
        *(
            "a",
            "about",
            "after",
            "again",
            "against",
            "all",
            "and",
            "any",
            "are",
            "as",
            "at",
            "back",
            "because",
            "before",
        ),
        *("but", "by", "down", "for", "from", "here", "if", "in", "into", "is", "no", "not", "now", "off", "on", "or"),
        *("out", "over", "so", "that", "the", "then", "there", "this", "to", "today", "tomorrow", "tonight", "too"),
        *("up", "was", "when", "while", "who", "with", "yesterday"),
    )
)
"""Words that belong to nobody."""


def other_gender(text: str, language: str) -> str:
    """The text with the words changed that agree with a gender. `language` is one of `GENDERED`."""
    return _other(language).text(text)


def one_gender(text: str, language: str) -> str:
    """What the analyser wrote, as it would read of men alone; as it is in a language that is none of `GENDERED`."""
    return men_of(language).text(text) if language in WORDS else text


@cache
def men_of(language: str) -> Men:
    """How words of the language are read as of men; as they are in a language that is none of `GENDERED`."""
    return Men(WORDS.get(language, Gendered({})))


class Men:
    """Reads words as the analyser writes them. A word that was met before is one look-up."""

    def __init__(self, words: Gendered) -> None:
        self._pairs = _folded({**words.pairs, **words.men})
        self._endings = words.men_endings or words.endings[:1]
        self._articles = _folded(words.articles) | dict(words.men_articles)
        self._agreeing = frozenset(self._pairs) | frozenset(self._pairs.values())
        self._states = frozenset(map(_fold, words.states))
        self._melted = words.melted
        self._before = words.before
        self._known = Memory(self._read)

    def word(self, token: str) -> str:
        """The word alone, which is no article."""
        return self._known[token]

    def words(self, tokens: Sequence[str]) -> list[str]:
        """As many as there are tokens; `LEFT_OUT` in place of an article that melted with the word before it."""
        read = list(map(self._known.__getitem__, tokens))
        articles = self._articles
        if articles:
            for place, token in enumerate(tokens[:-1]):
                if token in articles and self._agrees(token, tokens[place + 1]):
                    self._put(articles[token], read, place)
        if self._before:
            for place, token in enumerate(tokens[:-1]):
                to = self._before.get(token)
                if to is not None and read[place] == token and to[1].match(tokens[place + 1]):
                    read[place] = to[0]
        return read

    def text(self, text: str) -> str:
        """The words of a text, with the marks between them as they are."""
        found = list(_WORD.finditer(text))
        tokens = [one.group() for one in found]
        parts, end = [], 0
        for place, (one, word) in enumerate(zip(found, self.words(tokens), strict=True)):
            start = one.start()
            if word == LEFT_OUT:  # with the blank before it
                start -= 1
            elif word not in _HER and tokens[place] in _HER and not _owned(text[one.end() :], tokens[place + 1 :]):
                word = _HIM
            parts += [text[end:start], word]
            end = one.end()
            if tokens[place] in self._before and word != tokens[place] and text[end : end + 1] == "'":
                end += 1  # French `s'il` is `si il`, as `si elle` is
        return "".join([*parts, text[end:]])

    def _agrees(self, article: str, following: str) -> bool:
        return following in self._agreeing and not (article == _IS and following in self._states)

    def _put(self, article: str, read: list[str], place: int) -> None:
        melted = self._melted.get((read[place - 1], article)) if place else None
        if melted is None:
            read[place] = article
        else:
            read[place - 1], read[place] = melted, LEFT_OUT

    def _read(self, token: str) -> str:
        man = self._pairs.get(token)
        return man if man is not None else _ended(token, self._endings) or token


def _owned(after: str, following: Sequence[str]) -> bool:
    """Whether the next word may be something that belongs to somebody, and follows without a mark between."""
    return bool(following) and after.startswith(f" {following[0]}") and following[0] not in _NOT_OWNED


def _fold(word: str) -> str:
    """As the analyser writes it. Raises `ValueError` for what is not one word."""
    (token,) = analyse(word).tokens
    return token


def _folded(pairs: Mapping[str, str]) -> dict[str, str]:
    """The first of those that are written alike without accents: Portuguese `à` is read as `a`."""
    found: dict[str, str] = {}
    for woman, man in pairs.items():
        found.setdefault(_fold(woman), _fold(man))
    return found


def _ended(word: str, endings: Endings) -> str | None:
    return next((ending.sub(to, word) for ending, to in endings if ending.search(word)), None)


class _Other(NamedTuple):
    """Small words to those of the other gender, endings of others, and articles that go with the noun after them."""

    words: Mapping[str, str]
    endings: Endings
    articles: Mapping[str, str]

    def text(self, text: str) -> str:
        """The text, read so."""
        found = list(_WORD.finditer(text))
        read = [self._other(one.group().lower()) for one in found]
        parts, end = [], 0
        for place, (one, other) in enumerate(zip(found, read, strict=True)):
            word = one.group()
            if other is None and self.articles and place + 1 < len(read) and read[place + 1] is not None:
                other = self.articles.get(word.lower())
            parts += [text[end : one.start()], word if other is None else _as_written(other, word)]
            end = one.end()
        return "".join([*parts, text[end:]])

    def _other(self, small: str) -> str | None:
        other = self.words.get(small)
        return other if other is not None else _ended(small, self.endings)


@cache
def _other(language: str) -> _Other:
    words = WORDS[language]
    return _Other(_either_way(words.pairs), words.endings, _either_way(words.articles))


def _either_way(pairs: Mapping[str, str]) -> dict[str, str]:
    """Both directions; of two feminine forms with one masculine the first comes back."""
    back: dict[str, str] = {}
    for woman, man in pairs.items():
        back.setdefault(man, woman)
    return {**back, **pairs}


def _as_written(word: str, former: str) -> str:
    return word.capitalize() if former[:1].isupper() else word
