"""The rules of a language, as they stand in `rules/<language>.toml`, and how their lines become patterns.

A line is words and, in capitals or angle brackets, what may stand in their place:

    "PERSON s <followers>"     a listed person, the word `s`, a word of the list `followers`
    "stop|quit calling PERSON" either word; words are compared as the analyser folds them
    "PERSON is? not ANY? <x>"  `?` means there or not; ANY is any one word
    "^ PERSON :"               other signs stand for themselves; `^` in front: only at the beginning of a sentence

Every line is under the cue that it stands for. A language without a file is read by `any.toml` alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from classifiers.targets.reading import CueKind
from hustings.errors import ConfigError
from hustings.text import analyse

__all__ = ["ANY_LANGUAGE", "Piece", "Rules", "load_abbreviations", "load_rules", "rule_languages"]

ANY_LANGUAGE = "any"


class Piece(NamedTuple):
    """One place of a pattern: a word of `words`, or any word where that is empty, or a `person`."""

    words: frozenset[str]
    person: bool
    optional: bool
    first: bool


class Rules(NamedTuple):
    """Ready to be matched: single words by what they are a cue of, and longer patterns. `negation_follows` says that
    a word of denial stands behind what it denies."""

    language: str
    words: dict[str, tuple[CueKind, ...]]
    patterns: dict[CueKind, tuple[tuple[Piece, ...], ...]]
    negation_follows: bool


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`prefixes` are written together with any single word or word of a list; `plurals` are endings that make
    an insult of many out of an insult of one."""

    language: str
    cues: dict[CueKind, tuple[str, ...]]
    lists: dict[str, tuple[str, ...]] = {}
    abbreviations: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    plurals: tuple[str, ...] = ()
    negation_follows: bool = False


def rule_languages() -> tuple[str, ...]:
    """The languages that have rules of their own."""
    names = (entry.name for entry in files("classifiers").joinpath("targets", "rules").iterdir())
    found = (name.removesuffix(".toml") for name in names if name.endswith(".toml"))
    return tuple(sorted(name for name in found if name != ANY_LANGUAGE))


def load_rules(language: str) -> Rules:
    """The rules of a language together with those of any language. Raises `ConfigError`."""
    common = _read(ANY_LANGUAGE)
    own = _read(language) if language != ANY_LANGUAGE else _File(language=ANY_LANGUAGE, cues={})
    words: dict[str, list[CueKind]] = {}
    patterns: dict[CueKind, list[tuple[Piece, ...]]] = {}
    for file in (common, own):
        for kind, lines in file.cues.items():
            for pieces in _expanded(file, kind, lines):
                single = pieces[0].words if len(pieces) == 1 else frozenset()
                if not single or pieces[0].first:
                    patterns.setdefault(kind, []).append(pieces)
                for word in single:
                    kinds = words.setdefault(word, [])
                    if kind not in kinds:
                        kinds.append(kind)
    return Rules(
        language=language,
        words={word: tuple(kinds) for word, kinds in words.items()},
        patterns={kind: tuple(dict.fromkeys(found)) for kind, found in patterns.items()},
        negation_follows=own.negation_follows,
    )


def load_abbreviations() -> frozenset[str]:
    """Words of all languages behind which a full stop ends no sentence. Raises `ConfigError`."""
    given = (text for language in rule_languages() for text in _read(language).abbreviations)
    return frozenset(token for text in given for token in analyse(text).tokens)


def _read(language: str) -> _File:
    path = files("classifiers").joinpath("targets", "rules", f"{language}.toml")
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        return msgspec.convert(tables, _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _expanded(file: _File, kind: CueKind, lines: tuple[str, ...]) -> Iterator[tuple[Piece, ...]]:
    for line in lines:
        yield from _parsed(file, line)
    if kind == "insults":
        singular = (line for line in file.cues.get("insult", ()) if " " not in line)
        for word, ending in product(singular, file.plurals):
            yield from _parsed(file, word + ending)


def _parsed(file: _File, line: str) -> Iterator[tuple[Piece, ...]]:
    """The pieces of a line; a word that the analyser takes apart is several pieces in a row."""
    rows: list[list[Piece]] = [[]]
    first = False
    for part in line.split():
        if part == "^":
            first = True
            continue
        optional = part.endswith("?") and len(part) > 1
        for row in (alternatives := _pieces(file, part.removesuffix("?") if optional else part)):
            if optional and len(row) > 1:
                raise ConfigError(f"{file.language}: {line!r}: {part!r} is several words and cannot be optional")
        rows = [
            [*before, *(piece._replace(optional=optional) for piece in row)] for before in rows for row in alternatives
        ]
    for row in rows:
        if not any(piece.words and not piece.optional for piece in row):
            raise ConfigError(f"{file.language}: {line!r}: a rule needs a word that must be there")
        if first:
            row[0] = row[0]._replace(first=True)
        yield tuple(row)


def _pieces(file: _File, part: str) -> list[list[Piece]]:
    """The ways to fill one part of a line, each a row of pieces."""
    if part == "PERSON":
        return [[Piece(frozenset(), person=True, optional=False, first=False)]]
    if part == "ANY":
        return [[Piece(frozenset(), person=False, optional=False, first=False)]]
    if part.startswith("<") and part.endswith(">"):
        name = part[1:-1]
        if name not in file.lists:
            raise ConfigError(f"{file.language}: no list {name!r}; known are {', '.join(sorted(file.lists)) or 'none'}")
        given = file.lists[name]
    else:
        given = tuple(part.split("|")) if len(part) > 1 else (part,)
    singles: set[str] = set()
    rows: list[list[Piece]] = []
    for text in given:
        tokens = analyse(text).tokens or (text,)
        if len(tokens) == 1:
            singles |= {tokens[0], *(analyse(prefix + text).tokens[0] for prefix in file.prefixes)}
        else:
            rows.append([Piece(frozenset({token}), person=False, optional=False, first=False) for token in tokens])
    if singles:
        rows.insert(0, [Piece(frozenset(singles), person=False, optional=False, first=False)])
    return rows
