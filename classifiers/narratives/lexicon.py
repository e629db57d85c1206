"""What each token of a language brings to a reading, looked up once: its concepts, its stem and its form.

Posts are read in a loop that must not cost much: a token that was seen before is one look-up in a dictionary.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from classifiers.narratives.concepts import Concepts, Entry, Part
from classifiers.narratives.likeness import stem_of
from classifiers.narratives.memory import Memory
from classifiers.narratives.spelling import NOTHING, Spelling
from classifiers.roster_names import NAME

__all__ = ["NO_PAIR", "WORDS", "Form", "Lexicon", "Terms", "hashed"]

WORDS = 1 << 17
"""Buckets that stems, pairs of them, words and their ends are hashed to."""
MOST_FOUND = 300
"""Concepts of a post that are read; more than the wordiest of ordinary posts has."""
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
    """`phrases` tells whether some of the entries need further words. `sum` is the checksum of the stem, and `after`
    the stem as it stands behind another; it is empty where there is no form. `ends` are those into which a hidden
    letter may have parted a word that would be a core concept."""

    word: str
    entries: tuple[Entry, ...]
    phrases: bool
    form: Form | None
    sum: int
    after: bytes
    core: int
    ends: tuple[Part, ...] = ()


_SPEAKS, _MAY_SPEAK = 2, 1
"""Of a token as `core`: it is a word without which nothing is told, or is one with what follows it; else 0."""
_WHOLE: tuple[Part, ...] = ()
"""The rest of a phrase of which nothing is left."""


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
        self._terms = Memory(self._term)
        self._tells: Memory[str, int] = Memory(lambda token: self._terms[token].core)
        self._standing = Memory(self._entries_before)
        self._telling = Memory(self._core_before)

    def speaks(self, tokens: Sequence[str]) -> bool:
        """Whether any token stands for a core concept, alone or with what follows. Most posts go no further."""
        tells = list(map(self._tells.__getitem__, tokens))
        if _SPEAKS in tells:
            return True
        for place in compress(range(len(tokens) - 1), tells):
            for rest in self._telling[tokens[place], tokens[place + 1]]:
                if self.concepts.goes_on(tokens, place + 2, rest):
                    return True
        return False

    def terms(self, tokens: Sequence[str]) -> Terms:
        """Everything that a reading needs of these tokens."""
        if not tokens:
            return Terms([], [], (), ())
        terms = map(self._terms.__getitem__, self._spelling.rejoin(tokens))
        words, entries, phrases, forms, sums, afters, _, _ = zip(*terms, strict=True)
        places: list[int] = []
        found: list[int] = []
        for place in compress(range(len(words)), entries):
            own = entries[place]
            if phrases[place]:
                own = self._standing[words[place], words[place + 1] if place + 1 < len(words) else NOTHING]
            for concept, rest in own:
                if not rest or self.concepts.goes_on(words, place + 2, rest):
                    places.append(place)
                    found.append(concept)
        # The bucket of "one other", two stems: what `hashed` gives, without writing them down.
        pairs = [
            zlib.crc32(after, sum_before) % WORDS if before and after else NO_PAIR
            for sum_before, before, after in zip(sums, afters, afters[1:], strict=False)
        ]
        return Terms(places[:MOST_FOUND], found[:MOST_FOUND], forms, tuple(pairs))

    def _entries_before(self, pair: tuple[str, str]) -> tuple[Entry, ...]:
        """The entries of a word that may stand before this one, and what must follow both."""
        word, following = pair
        return tuple(
            Entry(concept, rest[1:])
            for concept, rest in self._terms[word].entries
            if not rest or self.concepts.goes_on((following,), 0, rest[:1])
        )

    def _core_before(self, pair: tuple[str, str]) -> tuple[tuple[Part, ...], ...]:
        """What must follow a token and this one behind it for them to stand for a core concept, in each way that they
        may."""
        token, following = pair
        term = self._terms[token]
        rests = [rest for concept, rest in self._entries_before((term.word, following)) if concept in self._core]
        return (*rests, *(_WHOLE for end in term.ends if end.matches(following)))

    def _term(self, token: str) -> _Term:
        if not token or token == NAME:
            return _Term(NOTHING, (), False, None, 0, b"", 0)
        word = self._spelling.word(token)
        known = self._spelling.knows(word)
        entries = self.concepts.entries(word, careless=not known)
        person = any(entry.concept == self._person and not entry.rest for entry in entries)
        form = None if person else _form(word)
        stem = b"" if form is None else form.stem.encode()
        said = (word, entries, any(entry.rest for entry in entries), form, zlib.crc32(stem), stem and b" " + stem)
        core = [entry for entry in entries if entry.concept in self._core]
        if not all(entry.rest for entry in core):
            return _Term(*said, core=_SPEAKS)
        ends = () if entries or known else self.concepts.ends_of(token)
        tells = tuple(end for end, entry in ends if entry.concept in self._core)
        return _Term(*said, core=_MAY_SPEAK if core or tells else 0, ends=tells)


def _form(word: str) -> Form | None:
    stem, bare = _OF_GENDER.sub("", stem_of(word)), _OF_GENDER.sub("", word)
    if not stem:
        return None  # an article
    ends = (f"^{bare[:_END]}", f"{bare[-_END:]}$") if len(word) > _SHORTEST_WITH_ENDS else ()
    return Form(stem, hashed(stem), hashed(f"={bare}"), tuple(map(hashed, ends)))


def hashed(feature: str) -> int:
    """The bucket of a feature made of words."""
    return zlib.crc32(feature.encode()) % WORDS
