"""What the words of a post mean for an election: concepts such as `move` and `weekday`, the same in every language.

A few dozen sentences teach little about thousands of words. But what makes "the vote is moved to Monday" a false date
is that something about the vote is moved to a day; in Hindi it is the same. So each language has a file of words by
concept (`words/<language>.toml`), and what is learnt of concepts is learnt from all languages at once.

Words and lists are read as of men (`classifiers.gender`): whoever is spoken of, the same is said.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.gender import Men, men_of
from classifiers.memory import Memory
from hustings.errors import ModelError
from hustings.text import analyse

__all__ = ["Concepts", "Entry", "Firsts", "Found", "Part", "concept_languages", "load_concepts"]

_STAR = "*"
_PLUS = "+"
_MOST_REMEMBERED = 1 << 16
_ARABIC_PARTICLES = (
    *("وبال", "فلل", "وال", "وس", "فس", "بال", "فال", "كال", "ولل"),
    *("لل", "ال", "و", "ف", "ب", "ل", "س", "ع"),
)
_SHORTEST_ARABIC = 2
_SHORTEST_MISTYPED = 5
"""Letters of the shortest word that is looked for with two neighbours swapped, or with one hidden behind a sign."""
_NUMBER, _YEAR = "number", "year"
_OF_FIGURES = (_NUMBER, _YEAR)
"""Concepts of every language that need no words."""


class Found(NamedTuple):
    """A concept at a place among the tokens."""

    place: int
    concept: int


class Part(NamedTuple):
    word: str
    begins: bool

    def matches(self, token: str) -> bool:
        return token.startswith(self.word) if self.begins else token == self.word


class Entry(NamedTuple):
    """A concept that a word stands for if the words after it are `rest`."""

    concept: int
    rest: tuple[Part, ...]


class Firsts(NamedTuple):
    """Parts, asked all at once whether a token matches one of them."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Firsts:
        """Of these parts, each perhaps several times."""
        words: set[str] = set()
        beginnings: set[str] = set()
        for word, begins in parts:
            (beginnings if begins else words).add(word)
        return cls(frozenset(words), tuple(sorted(beginnings)))

    def match(self, token: str) -> bool:
        return token in self.words or token.startswith(self.beginnings)


class Concepts:
    """The words of one language. `names` lists the concepts, the same in every language."""

    def __init__(self, language: str, words: dict[str, str], sha256: str) -> None:
        self.language = language
        self.sha256 = sha256
        self.names = (*sorted(words), *_OF_FIGURES)
        self._men = men_of(language)
        self._number, self._year = (self.names.index(name) for name in _OF_FIGURES)
        self._whole: dict[str, list[Entry]] = {}
        self._beginnings: dict[str, list[Entry]] = {}
        for concept, name in enumerate(sorted(words)):
            for phrase in words[name].split():
                first, *rest = _parts(phrase, self._men)
                entry = Entry(concept, tuple(rest))
                table = self._beginnings if first.begins else self._whole
                table.setdefault(first.word, []).append(entry)
                if (man := self._men.word(first.word)) != first.word:  # a beginning, `daughter*`
                    self._whole.setdefault(man, []).append(entry)
        self._swapped = _by(_letters, self._whole), _by(_letters, self._beginnings)
        self._lengths = _lengths(self._beginnings)
        self._swapped_lengths = _lengths(self._swapped[1])
        self._hidden = _hidden(self._whole, self._beginnings)
        self._arabic = language == "ar"
        self._remembered = Memory(self.entries)

    @property
    def whole_words(self) -> tuple[str, ...]:
        """The words that stand for a concept as they are, with others behind them or alone."""
        return tuple(self._whole)

    def find(self, tokens: Sequence[str]) -> list[Found]:
        """Concepts by place; one word may have several."""
        found = []
        tokens = self._men.words(tokens)
        for place, token in enumerate(tokens):
            entries = self._remembered[token] if token else ()
            for concept, rest in entries:
                if not rest or self.goes_on(tokens, place + 1, rest):
                    found.append(Found(place, concept))
            if not entries and (ends := self.ends_of(token)) and place + 1 < len(tokens):
                found += [Found(place, entry.concept) for end, entry in ends if end.matches(tokens[place + 1])]
        return found

    def ends_of(self, token: str) -> Sequence[tuple[Part, Entry]]:
        """How words go on that begin with this token and one letter behind a sign, and what they stand for."""
        return self._hidden.get(token, ())

    def entries(self, token: str, *, careless: bool = True) -> tuple[Entry, ...]:
        """What a token may stand for, with Arabic particles too, and `careless`ly spelt: not to be asked of a token
        that is known to be a word, lest `today` be a `toady`."""
        token = self._men.word(token)
        entries = self._entries(token)
        if not entries and self._arabic:
            for bare in _without_particles(token):
                if entries := self._entries(bare):
                    break
        if careless and not entries and len(token) >= _SHORTEST_MISTYPED:
            entries = self._mistyped(token)
        return entries

    def _entries(self, token: str) -> tuple[Entry, ...]:
        if token[0].isdigit():
            year = len(token) == 4 and token.isdigit() and token[:2] in ("19", "20")
            return (Entry(self._year if year else self._number, ()), *self._whole.get(token, ()))
        entries = list(self._whole.get(token, ()))
        for length in self._lengths.get(token[0], ()):
            if length > len(token):
                break
            entries += self._beginnings.get(token[:length], ())
        return tuple(dict.fromkeys(entries))

    def _mistyped(self, token: str) -> tuple[Entry, ...]:
        """Entries of words that have the same letters behind the same first one: two of them changed places."""
        whole, beginnings = self._swapped
        entries = list(whole.get(_letters(token), ()))
        for length in self._swapped_lengths.get(token[0], ()):
            if length > len(token):
                break
            entries += beginnings.get(_letters(token[:length]), ())
        return tuple(dict.fromkeys(entry for entry in entries if not entry.rest))

    def may_follow(self, token: str, firsts: Firsts) -> bool:
        """Whether the token, read as of men, matches one of the parts that `firsts` was made of."""
        return (
            token in firsts.words
            or token.startswith(firsts.beginnings)
            or (self._arabic and any(map(firsts.match, _without_particles(token))))
        )

    def goes_on(self, tokens: Sequence[str], place: int, rest: tuple[Part, ...]) -> bool:
        """Whether the tokens from `place` on, read as of men, are the rest of an entry."""
        if place + len(rest) > len(tokens):
            return False
        for part in rest:
            token = tokens[place]
            if not (token.startswith(part.word) if part.begins else token == part.word) and not (
                self._arabic and any(part.matches(bare) for bare in _without_particles(token))
            ):
                return False
            place += 1
        return True


@lru_cache(maxsize=_MOST_REMEMBERED)
def _without_particles(token: str) -> tuple[str, ...]:
    return tuple(
        token[len(particle) :]
        for particle in _ARABIC_PARTICLES
        if token.startswith(particle) and len(token) - len(particle) >= _SHORTEST_ARABIC
    )


def _lengths(table: Iterable[str]) -> dict[str, list[int]]:
    """How long its words are that begin with a letter, the short ones first."""
    found: dict[str, set[int]] = {}
    for word in table:
        found.setdefault(word[0], set()).add(len(word))
    return {letter: sorted(lengths) for letter, lengths in found.items()}


def _letters(word: str) -> str:
    return word[:1] + "".join(sorted(word[1:]))


def _by(key: Callable[[str], str], table: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for word, entries in table.items():
        if len(word) >= _SHORTEST_MISTYPED:
            found.setdefault(key(word), []).extend(entries)
    return found


def _hidden(*tables: dict[str, list[Entry]]) -> dict[str, list[tuple[Part, Entry]]]:
    """For the beginning of a word, what is left of it behind one hidden letter: the analyser reads "fr*ud" as two
    tokens, "fr" and "ud"."""
    found: dict[str, list[tuple[Part, Entry]]] = {}
    for begins, table in enumerate(tables):
        for word, entries in table.items():
            if len(word) < _SHORTEST_MISTYPED:
                continue
            for place in range(1, len(word) - 1):
                end = Part(word[place + 1 :], bool(begins))
                found.setdefault(word[:place], []).extend((end, entry) for entry in entries if not entry.rest)
    return found


def _parts(phrase: str, men: Men) -> list[Part]:
    """The words of an entry as the analyser writes them (it parts "won't" and takes accents off), read as of men."""
    parts = []
    for piece in phrase.split(_PLUS):
        tokens = analyse(piece.removesuffix(_STAR)).tokens
        parts += [Part(men.word(token), False) for token in tokens[:-1]]
        parts += [Part(token, True) if piece.endswith(_STAR) else Part(men.word(token), False) for token in tokens[-1:]]
    if not parts:
        raise ValueError(f"{phrase!r} has no word")
    return parts


def concept_languages() -> list[str]:
    """Languages that have a file of words by concept."""
    names = (entry.name for entry in files("classifiers").joinpath("narratives", "words").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def load_concepts(language: str) -> Concepts:
    """Raises `ModelError` when the file is not usable."""
    path = files("classifiers").joinpath("narratives", "words", f"{language}.toml")
    try:
        raw = path.read_bytes()
        return Concepts(language, tomllib.loads(raw.decode()), hashlib.sha256(raw).hexdigest())
    except (OSError, tomllib.TOMLDecodeError, AttributeError, ValueError) as error:
        raise ModelError(f"words of {language!r}: {error}; each concept needs words in quotes") from error
