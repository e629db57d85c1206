"""A query as what Elasticsearch is asked: filters only, made of a handful of its query types.

`match_all`, `match_none`, `bool`, `term`, `terms`, `prefix`, `range`, `exists`, `match_phrase` and `intervals`; never a
string in which a user could write syntax of the engine. Means exactly what `hustings.query.predicate` means; a
differential test holds them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from hustings.query.fields import find_field
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Part, Phrase, Query
from index.elastic.mapping import TREE_FIELDS, VALUE_FIELDS
from index.elastic.scores import AFTER_DIGITS, score_start, score_term
from index.times import to_us

__all__ = ["compile_query"]

Filter = dict[str, Any]

_ALL: Filter = {"match_all": {}}
_NONE: Filter = {"match_none": {}}

MOST_VALUES = 10_000
"""Values in one `terms` filter; the server takes 65,536."""


def compile_query(query: Query) -> Filter:
    """Raises `KeyError` for a field that the table of fields has not: a tree that no parser made."""
    return {"bool": {"filter": [_compile(query.node)]}}


def _compile(node: Node) -> Filter:
    match node:
        case Everything():
            return _ALL
        case Phrase(tokens, prefix, part):
            return _any([_phrase(field, tokens, prefix) for field in _PARTS[part]])
        case Is(field, values):
            return _is(field, values)
        case Has(field):
            return _has(field)
        case Compare():
            return _compare(node)
        case Between(field, start, end):
            return _between(field, start, end)
        case Not(Not(inner)):
            return _compile(inner)
        case Not(inner):
            return {"bool": {"must_not": [_compile(inner)]}}
        case And(nodes):
            return _every([_compile(inner) for inner in nodes])
        case Or(nodes):
            return _any([_compile(inner) for inner in nodes])


# ── and, or ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _every(filters: Sequence[Filter]) -> Filter:
    if len(filters) == 1:
        return filters[0]
    return {"bool": {"filter": list(filters)}} if filters else _ALL


def _any(filters: Sequence[Filter]) -> Filter:
    if len(filters) == 1:
        return filters[0]
    return {"bool": {"should": list(filters), "minimum_should_match": 1}} if filters else _NONE


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

_PARTS: dict[Part, tuple[str, ...]] = {"any": ("text", "title"), "text": ("text",), "title": ("title",)}


def _phrase(field: str, tokens: Sequence[str], prefix: bool) -> Filter:
    """`intervals` for a phrase that ends in a prefix: other query types look at the first 50 words that begin so, and
    are silent about the rest; this one says so when there are too many."""
    if len(tokens) == 1:
        return {"prefix" if prefix else "term": {field: {"value": tokens[0]}}}
    if not prefix:
        return {"match_phrase": {field: {"query": " ".join(tokens)}}}
    whole = {"match": {"query": " ".join(tokens[:-1]), "ordered": True, "max_gaps": 0}}
    rules = [whole, {"prefix": {"prefix": tokens[-1]}}]
    return {"intervals": {field: {"all_of": {"ordered": True, "max_gaps": 0, "intervals": rules}}}}


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _is(field: str, values: Sequence[str]) -> Filter:
    if field not in VALUE_FIELDS:
        raise KeyError(field)
    where = TREE_FIELDS.get(field, field)
    return _any(
        [{"terms": {where: list(values[start : start + MOST_VALUES])}} for start in range(0, len(values), MOST_VALUES)]
    )


def _has(field: str) -> Filter:
    row = find_field(field)
    if row is None:
        raise KeyError(field)
    if field == "text":
        return _any([_exists("text"), _exists("title")])
    if field == "title" or field in VALUE_FIELDS:
        return _exists(field)
    if row.kind == "number" and field != "reach":
        return {"prefix": {"score": {"value": score_start(_code(field))}}}
    if row.kind == "keyword":
        raise KeyError(field)
    return _ALL  # every post has times and a reach


def _exists(field: str) -> Filter:
    return {"exists": {"field": field}}


# ── numbers and times ────────────────────────────────────────────────────────────────────────────────────────────

_BOUNDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    ">": lambda bound: {"gt": bound},
    ">=": lambda bound: {"gte": bound},
    "<": lambda bound: {"lt": bound},
    "<=": lambda bound: {"lte": bound},
    "=": lambda bound: {"gte": bound, "lte": bound},
}


def _compare(node: Compare) -> Filter:
    number = node.number
    if math.isnan(number):
        return _NONE
    if node.field == "reach":
        return _compare_reach(node.relation, number)
    code = _code(node.field)
    start = score_start(code)
    everything = {"gte": start, "lt": start + AFTER_DIGITS}
    if number < 0:  # no score is: all of them are above
        return {"range": {"score": everything}} if node.relation in (">", ">=") else _NONE
    bound = _BOUNDS[node.relation](score_term(code, number))
    if not bound.keys() & {"gt", "gte"}:
        bound["gte"] = start
    if not bound.keys() & {"lt", "lte"}:
        bound["lt"] = start + AFTER_DIGITS
    return {"range": {"score": bound}}


def _compare_reach(relation: str, number: float) -> Filter:
    """JSON has no infinity; no reach is beyond it either."""
    if math.isinf(number):
        return _ALL if (number > 0) == relation.startswith("<") and relation != "=" else _NONE
    return {"range": {"reach": _BOUNDS[relation](number + 0.0)}}


def _code(field: str) -> str:
    family, _, code = field.partition(".")
    if family != "score" or not code:
        raise KeyError(field)
    return code


def _between(field: str, start: datetime | None, end: datetime | None) -> Filter:
    row = find_field(field)
    if row is None or row.kind != "time":
        raise KeyError(field)
    bounds = [("gte", start), ("lt", end)]
    asked = {bound: to_us(when) for bound, when in bounds if when is not None}
    return {"range": {f"{field}_us": asked}} if asked else _ALL
