"""What each token of a language brings to a reading, looked up once: its concepts, its stem and its form.

Posts are read in a loop that must not cost much: a token that was seen before is one look-up in a dictionary.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from classifiers.narratives.concepts import Concepts, Entry, Part
from classifiers.narratives.likeness import stem_of
from classifiers.narratives.spelling import NOTHING, Spelling
from classifiers.roster_names import NAME

__all__ = ["NO_PAIR", "WORDS", "Form", "Lexicon", "Terms", "hashed"]

WORDS = 1 << 17
"""Buckets that stems, pairs of them, words and their ends are hashed to."""
MOST_FOUND = 300
"""Concepts of a post that are read; more than the wordiest of ordinary posts has."""
_MOST_REMEMBERED = 1 << 16
"""Tokens that are kept; then the memory is emptied, so that a stream of new words cannot fill it."""
NO_PAIR = -1
_SHORTEST_WITH_ENDS = 4
_END = 3
"""Letters of a word's beginning and end, in words longer than `_SHORTEST_WITH_ENDS`: what stems leave out."""
_PERSON = "candidate_person"
"""Of `she` and `he` nothing is read but that somebody is spoken of …"""
_OF_GENDER = re.compile("(?:[aeo]s?|ée?s?|[ةته]|[यई]?[ािीेईए]ं?)$")
"""… and of a word not whether a woman or a man is: `morta` and `morto`, `गई` and `गया`."""


class Form(NamedTuple):
    """A word as features: its stem, as it is and hashed, the whole word, and its beginning and end if it is long."""

    stem: str
    hashed: int
    word: int
    ends: tuple[int, ...]


class _Term(NamedTuple):
    """`core` tells whether the word is one without which nothing is told, or may begin one: the phrases that it begins
    are `perhaps` one, and so it is with one of the `ends` behind it, into which a hidden letter parts a word."""

    word: str
    entries: tuple[Entry, ...]
    form: Form | None
    core: bool
    perhaps: tuple[Entry, ...] = ()
    ends: tuple[Part, ...] = ()


class Terms(NamedTuple):
    """A post's concepts by place, rising; the form of every token, None of one that tells nothing; and for every token
    but the last the bucket of its stem with the next one's, `NO_PAIR` where one of them has none."""

    places: list[int]
    concepts: list[int]
    forms: tuple[Form | None, ...]
    pairs: tuple[int, ...]

    def within(self, begin: int, end: int) -> Terms:
        """Those of the tokens [begin, end), counted from there."""
        first, last = bisect_left(self.places, begin), bisect_left(self.places, end)
        places = [place - begin for place in self.places[first:last]]
        return Terms(places, self.concepts[first:last], self.forms[begin:end], self.pairs[begin : end - 1])


class Lexicon:
    """The words of one language: what they mean, how they are spelt carelessly, and which are `core` concepts."""

    def __init__(self, concepts: Concepts, spelling: Spelling, core: frozenset[int]) -> None:
        self.concepts = concepts
        self._spelling = spelling
        self._core = core
        self._person = concepts.names.index(_PERSON)
        self._remembered: dict[str, _Term] = {}

    def speaks(self, tokens: Sequence[str]) -> bool:
        """Whether any token stands for a core concept, alone or with what follows. Most posts go no further."""
        remembered = self._remembered
        for place, token in enumerate(tokens):
            term = remembered.get(token) or self._term(token)
            if term.core and (
                not (term.perhaps or term.ends)
                or any(self.concepts.goes_on(tokens, place + 1, one.rest) for one in term.perhaps)
                or any(end.matches(following) for end in term.ends for following in tokens[place + 1 : place + 2])
            ):
                return True
        return False

    def terms(self, tokens: Sequence[str]) -> Terms:
        """Everything that a reading needs of these tokens."""
        remembered = self._remembered
        terms = [remembered.get(token) or self._term(token) for token in self._spelling.rejoin(tokens)]
        words = [term.word for term in terms]
        places: list[int] = []
        found: list[int] = []
        for place, term in enumerate(terms):
            for concept, rest in term.entries:
                if not rest or self.concepts.goes_on(words, place + 1, rest):
                    places.append(place)
                    found.append(concept)
        return Terms(
            places[:MOST_FOUND],
            found[:MOST_FOUND],
            *_with_pairs(tuple([term.form for term in terms])),
        )

    def _term(self, token: str) -> _Term:
        if not token or token == NAME:
            term = _Term(NOTHING, (), None, False)
        else:
            word = self._spelling.word(token)
            known = self._spelling.knows(word)
            entries = self.concepts.entries(word, careless=not known)
            person = any(entry.concept == self._person and not entry.rest for entry in entries)
            form = None if person else _form(word)
            core = [entry for entry in entries if entry.concept in self._core]
            if not all(entry.rest for entry in core):
                term = _Term(word, entries, form, True)
            else:
                ends = () if entries or known else self.concepts.ends_of(token)
                tells = tuple(end for end, entry in ends if entry.concept in self._core)
                term = _Term(word, entries, form, bool(core or tells), tuple(core), tells)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = term
        return term


def _with_pairs(forms: tuple[Form | None, ...]) -> tuple[tuple[Form | None, ...], tuple[int, ...]]:
    neighbours = [hashed(f"{one.stem} {other.stem}") if one and other else NO_PAIR for one, other in pairwise(forms)]
    return forms, tuple(neighbours)


def _form(word: str) -> Form | None:
    stem, bare = _OF_GENDER.sub("", stem_of(word)), _OF_GENDER.sub("", word)
    if not stem:
        return None  # an article
    ends = (f"^{bare[:_END]}", f"{bare[-_END:]}$") if len(word) > _SHORTEST_WITH_ENDS else ()
    return Form(stem, hashed(stem), hashed(f"={bare}"), tuple(map(hashed, ends)))


def hashed(feature: str) -> int:
    """The bucket of a feature made of words."""
    return zlib.crc32(feature.encode()) % WORDS
