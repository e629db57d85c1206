"""A query as a Python function over assessments: what rules and replays run.

Compiled once into nested closures. Everything that a query asks of a post goes through a `Reading`, which computes each
view of the post at most once; a caller that asks many queries about one post shares one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime

from hustings.query.fields import FIELDS, find_field, number_value, search_values, time_value
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Part, Phrase, Query
from hustings.types import Assessment

__all__ = ["Check", "Reading", "check", "predicate"]

SEPARATOR = "\n"
"""Stands between joined tokens. A token holds no white space, so neighbours are found by plain substring search."""


class Reading:
    """One assessment, and what was worked out about it so far."""

    __slots__ = ("_joined", "_values", "_words", "assessment")

    def __init__(self, assessment: Assessment) -> None:
        self.assessment = assessment
        self._words: dict[bool, frozenset[str]] = {}
        self._joined: dict[bool, str] = {}
        self._values: dict[str, frozenset[str]] = {}

    def words(self, *, of_title: bool) -> frozenset[str]:
        """The distinct tokens of the title, or of the text."""
        found = self._words.get(of_title)
        if found is None:
            found = self._words[of_title] = frozenset(self._tokens(of_title))
        return found

    def joined(self, *, of_title: bool) -> str:
        """All tokens in order, each with a separator before and after it."""
        found = self._joined.get(of_title)
        if found is None:
            found = SEPARATOR + "".join(token + SEPARATOR for token in self._tokens(of_title))
            self._joined[of_title] = found
        return found

    def values(self, field: str) -> frozenset[str]:
        """What `search_values` gives for a keyword field."""
        found = self._values.get(field)
        if found is None:
            found = self._values[field] = frozenset(search_values(self.assessment, field))
        return found

    def _tokens(self, of_title: bool) -> tuple[str, ...]:
        return self.assessment.title_tokens if of_title else self.assessment.tokens


Check = Callable[[Reading], bool]


def predicate(query: Query) -> Callable[[Assessment], bool]:
    """Does this assessment match? For one query; `check` serves many queries about one post."""
    compiled = _compile(query.node)
    return lambda assessment: compiled(Reading(assessment))


def check(query: Query) -> Check:
    """Does the post of this reading match?"""
    return _compile(query.node)


def _compile(node: Node) -> Check:
    match node:
        case Everything():
            return lambda reading: True
        case Phrase():
            return _phrase(node)
        case Is(field, values):
            wanted = frozenset(values)
            return lambda reading: not wanted.isdisjoint(reading.values(field))
        case Has(field):
            return _has(field)
        case Compare():
            return _compare(node)
        case Between(field, start, end):
            return _between(field, start, end)
        case Not(Is(field, values)):
            unwanted = frozenset(values)
            return lambda reading: unwanted.isdisjoint(reading.values(field))
        case Not(inner):
            negated = _compile(inner)
            return lambda reading: not negated(reading)
        case And(nodes):
            return _every([_compile(inner) for inner in nodes])
        case Or(nodes):
            return _some([_compile(inner) for inner in nodes])


def _every(checks: Sequence[Check]) -> Check:
    """All of them hold. A loop: `all` over a generator takes three times as long, and this runs for every post."""

    def every(reading: Reading) -> bool:
        for one in checks:  # noqa: SIM110
            if not one(reading):
                return False
        return True

    return every


def _some(checks: Sequence[Check]) -> Check:
    """Any of them holds."""

    def some(reading: Reading) -> bool:
        for one in checks:  # noqa: SIM110
            if one(reading):
                return True
        return False

    return some


_OF_TITLE: dict[Part, tuple[bool, ...]] = {"any": (False, True), "text": (False,), "title": (True,)}


def _phrase(phrase: Phrase) -> Check:
    parts = _OF_TITLE[phrase.part]
    if len(phrase.tokens) == 1 and not phrase.prefix:
        word = phrase.tokens[0]
        return lambda reading: any(word in reading.words(of_title=part) for part in parts)
    sought = SEPARATOR + SEPARATOR.join(phrase.tokens) + ("" if phrase.prefix else SEPARATOR)
    return lambda reading: any(sought in reading.joined(of_title=part) for part in parts)


def _has(field: str) -> Check:
    row = find_field(field)
    if row is None:
        raise KeyError(field)
    if row.kind == "words":
        parts = _OF_TITLE["title" if field == "title" else "any"]
        return lambda reading: any(reading.words(of_title=part) for part in parts)
    if row.kind == "number":
        return lambda reading: number_value(reading.assessment, field) is not None
    if row.kind == "time":
        return lambda reading: True
    return lambda reading: bool(reading.values(field))


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}


def _compare(node: Compare) -> Check:
    field, holds, number = node.field, _RELATIONS[node.relation], node.number

    def compare(reading: Reading) -> bool:
        found = number_value(reading.assessment, field)
        return found is not None and holds(found, number)

    return compare


def _between(field: str, start: datetime | None, end: datetime | None) -> Check:
    if FIELDS[field].kind != "time":
        raise KeyError(field)

    def between(reading: Reading) -> bool:
        when = time_value(reading.assessment, field)
        return (start is None or start <= when) and (end is None or when < end)

    return between
