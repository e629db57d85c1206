"""What each token of a language brings to a reading, looked up once: its concepts, its stem and its form.

Posts are read in a loop that must not cost much: a token that was seen before is one look-up in a dictionary.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from classifiers.gender import men_of
from classifiers.memory import Memory
from classifiers.narratives.concepts import Concepts, Entry, Firsts
from classifiers.narratives.likeness import stem_of
from classifiers.roster_names import NAME
from classifiers.spelling import NOTHING, Spelling

__all__ = ["NO_PAIR", "WORDS", "Form", "Lexicon", "Terms", "hashed"]

WORDS = 1 << 17
"""Buckets that stems, pairs of them, words and their ends are hashed to."""
MOST_FOUND = 300
"""Concepts of a post that are read; more than the wordiest of ordinary posts has."""
NO_PAIR = -1
_SHORTEST_WITH_ENDS = 4
_END = 3
"""Letters of a word's beginning and end, where `_SHORTEST_WITH_ENDS` are left of it: what stems leave out."""
_PERSON = "candidate_person"
"""Of `she` and `he` nothing is read but that somebody is spoken of …"""
_OF_GENDER = re.compile("(?:[ao]s?|ee?s?|(?<=..)(?:ها|[ةته])+|[यई]?[ािीेईए]ं?)$")
"""… and of a word not whether a woman or a man is, also where `Men` do not know it: `rasgada` and `rasgado` …"""
_SHE_DOES = re.compile(r"\A([وف]?س?)ي(?=\w{3})")
"""… or, in Arabic, whether she does it or he: `تكتب` and `يكتب`."""


class Form(NamedTuple):
    """A word as features: its stem, as it is and hashed, the whole word, and its beginning and end if it is long."""

    stem: str
    hashed: int
    word: int
    ends: tuple[int, ...]


class _Term(NamedTuple):
    """`alone` are those of the entries that need no further words; the others need one that matches `firsts` next. With
    one of the `ends` behind it the token is a core concept, parted by a hidden letter."""

    word: str
    entries: tuple[Entry, ...]
    alone: tuple[Entry, ...]
    firsts: Firsts
    ends: Firsts
    core: int


_SPEAKS, _MAY_SPEAK = 2, 1
"""Of a token as `core`: it is a word without which nothing is told, or is one with what follows it; else 0."""
_NONE = Firsts.of(())


class _Shape(NamedTuple):
    """A word's form, the checksum of its stem, and the stem as it stands behind another: empty without a form."""

    form: Form | None
    sum: int
    after: bytes


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
        self.spelling = spelling
        self._core = core
        self._men = men_of(concepts.language)
        self._person = concepts.names.index(_PERSON)
        self._terms = Memory(self._term)
        self._shapes = Memory(self._shape)

    def speaks(self, tokens: Sequence[str]) -> bool:
        """Whether any token stands for a core concept, alone or with what follows. Most posts go no further."""
        for place, term in enumerate(map(self._terms.__getitem__, tokens), start=1):
            if term.core and (term.core == _SPEAKS or (place < len(tokens) and self._speaks_with(term, tokens, place))):
                return True
        return False

    def _speaks_with(self, term: _Term, tokens: Sequence[str], place: int) -> bool:
        """Whether a word that may speak does so with the tokens from `place` on."""
        following, concepts = self._men.word(tokens[place]), self.concepts
        if term.ends.match(following):
            return True
        if not concepts.may_follow(following, term.firsts):
            return False
        words = self._men.words(tokens)
        return any(concepts.goes_on(words, place, rest) for concept, rest in term.entries if concept in self._core)

    def terms(self, tokens: Sequence[str]) -> Terms:
        """Everything that a reading needs of these tokens."""
        if not tokens:
            return Terms([], [], (), ())
        terms = list(map(self._terms.__getitem__, self.spelling.rejoin(self._men.words(tokens))))
        words = [term.word for term in terms]
        followed = [*words[1:], NOTHING]
        places: list[int] = []
        found: list[int] = []
        for place, (term, following) in enumerate(zip(terms, followed, strict=True)):
            entries = term.entries
            if len(term.alone) < len(entries) and not self.concepts.may_follow(following, term.firsts):
                entries = term.alone
            for concept, rest in entries:
                if not rest or self.concepts.goes_on(words, place + 1, rest):
                    places.append(place)
                    found.append(concept)
        forms, sums, afters = zip(*map(self._shapes.__getitem__, words), strict=True)
        # The bucket of "one other", two stems: what `hashed` gives, without writing them down.
        pairs = [
            zlib.crc32(after, sum_before) % WORDS if before and after else NO_PAIR
            for sum_before, before, after in zip(sums, afters, afters[1:], strict=False)
        ]
        return Terms(places[:MOST_FOUND], found[:MOST_FOUND], forms, tuple(pairs))

    def _term(self, token: str) -> _Term:
        if not token or token == NAME:
            return _Term(NOTHING, (), (), _NONE, _NONE, 0)
        word = self._men.word(self.spelling.word(self._men.word(token)))
        known = self.spelling.knows(word)
        entries = self.concepts.entries(word, careless=not known)
        alone = tuple(entry for entry in entries if not entry.rest)
        firsts = Firsts.of(entry.rest[0] for entry in entries if entry.rest) if len(alone) < len(entries) else _NONE
        if any(entry.concept in self._core for entry in alone):
            return _Term(word, entries, alone, firsts, _NONE, _SPEAKS)
        ends = () if entries or known else self.concepts.ends_of(token)
        tells = Firsts.of(end for end, entry in ends if entry.concept in self._core) if ends else _NONE
        may_speak = tells != _NONE or any(entry.concept in self._core for entry in entries)
        return _Term(word, entries, alone, firsts, tells, _MAY_SPEAK if may_speak else 0)

    def _shape(self, word: str) -> _Shape:
        if not word or any(entry.concept == self._person for entry in self._terms[word].alone):
            return _Shape(None, 0, b"")
        form = _form(word)
        stem = form.stem.encode() if form is not None else b""
        return _Shape(form, zlib.crc32(stem), b" " + stem if stem else b"")


def _form(word: str) -> Form | None:
    stem, bare = (_OF_GENDER.sub("", _SHE_DOES.sub(r"\1ت", part)) for part in (stem_of(word), word))
    if not stem:
        return None  # an article
    ends = (f"^{bare[:_END]}", f"{bare[-_END:]}$") if len(bare) >= _SHORTEST_WITH_ENDS else ()
    return Form(stem, hashed(stem), hashed(f"={bare}"), tuple(map(hashed, ends)))


def hashed(feature: str) -> int:
    """The bucket of a feature made of words."""
    return zlib.crc32(feature.encode()) % WORDS
