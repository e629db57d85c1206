"""A query as what SQLite is asked: one FTS5 expression, and a condition on the rows of `posts`.

Everything that came from a user travels as a bound parameter: words inside one FTS5 expression, quoted there; numbers,
times and values in conditions. Means exactly what `hustings.query.predicate` means; a differential test holds them
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from hustings.query.fields import find_field
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Part, Phrase, Query
from index.sqlite import terms
from index.sqlite.schema import FIELD_COLUMNS, tail_of
from index.sqlite.scores import SCORE_FUNCTION
from index.times import to_us

__all__ = ["Matching", "compile_query"]

Parameter = str | int | float


class Matching(NamedTuple):
    """Rows of `posts p` that match: those in `words` that match `match` (None: all), and meet `condition`."""

    match: str | None
    condition: str
    parameters: tuple[Parameter, ...]

    def source(self) -> str:
        """What stands after FROM; its parameters are `all_parameters`."""
        if self.match is None:
            return f"posts p WHERE {self.condition}"
        return f"words CROSS JOIN posts p ON p.id = words.rowid WHERE words MATCH ? AND {self.condition}"

    def all_parameters(self) -> tuple[Parameter, ...]:
        return self.parameters if self.match is None else (self.match, *self.parameters)


def compile_query(query: Query) -> Matching:
    """Raises `KeyError` for a field that the table of fields has not: a tree that no parser made."""
    clause = _compile(query.node)
    if clause.match is None and clause.avoid:
        return Matching(None, clause.as_condition(), clause.all_parameters())
    return Matching(clause.expression(), clause.condition or _TRUE, clause.parameters)


class _Clause(NamedTuple):
    """`match` AND NOT any of `avoid` (FTS5 expressions) AND `condition` (SQL); what is empty asks nothing."""

    match: str | None = None
    avoid: tuple[str, ...] = ()
    condition: str = ""
    parameters: tuple[Parameter, ...] = ()

    def expression(self) -> str | None:
        """`match` with what it avoids."""
        if self.match is None or not self.avoid:
            return self.match
        return f"({self.match} NOT {_either(self.avoid)})"

    def as_condition(self) -> str:
        """All of it as one SQL condition, never NULL; its parameters are `all_parameters`."""
        asked = []
        if self.match is not None:
            asked.append(_IN_WORDS)
        elif self.avoid:
            asked.append(f"NOT {_IN_WORDS}")
        if self.condition:
            asked.append(self.condition)
        return f"({' AND '.join(asked)})" if asked else _TRUE

    def all_parameters(self) -> tuple[Parameter, ...]:
        words = self.expression() if self.match is not None else _either(self.avoid) if self.avoid else None
        return self.parameters if words is None else (words, *self.parameters)

    def asks_words_only(self) -> bool:
        return self.match is not None and not self.condition


_TRUE = "1"
_FALSE = "0"
_IN_WORDS = "p.id IN (SELECT rowid FROM words WHERE words MATCH ?)"


def _compile(node: Node) -> _Clause:
    match node:
        case Everything():
            return _Clause()
        case Phrase(tokens, prefix, part):
            return _Clause(match=f"{_COLUMNS[part]} : {_quoted(tokens)}{' *' if prefix else ''}")
        case Is(field, values):
            return _is(field, values)
        case Has(field):
            return _has(field)
        case Compare():
            return _compare(node)
        case Between(field, start, end):
            return _between(field, start, end)
        case Not(inner):
            return _not(_compile(inner))
        case And(nodes):
            return _and([_compile(inner) for inner in nodes])
        case Or(nodes):
            return _or([_compile(inner) for inner in nodes])


# ── and, or, not ─────────────────────────────────────────────────────────────────────────────────────────────────


def _and(clauses: Sequence[_Clause]) -> _Clause:
    matches = [clause.match for clause in clauses if clause.match is not None]
    conditions = [clause.condition for clause in clauses if clause.condition]
    return _Clause(
        match=_joined("AND", matches) if matches else None,
        avoid=tuple(expression for clause in clauses for expression in clause.avoid),
        condition=f"({' AND '.join(conditions)})" if conditions else "",
        parameters=tuple(parameter for clause in clauses for parameter in clause.parameters),
    )


def _or(clauses: Sequence[_Clause]) -> _Clause:
    words = [clause.expression() for clause in clauses if clause.asks_words_only()]
    others = [clause for clause in clauses if not clause.asks_words_only()]
    merged = _Clause(match=_either([expression for expression in words if expression is not None])) if words else None
    if merged is not None and not others:
        return merged
    alternatives = [*([merged] if merged is not None else []), *others]
    if not alternatives:
        return _Clause(condition=_FALSE)
    return _Clause(
        condition=f"({' OR '.join(clause.as_condition() for clause in alternatives)})",
        parameters=tuple(parameter for clause in alternatives for parameter in clause.all_parameters()),
    )


def _not(clause: _Clause) -> _Clause:
    if clause.match is None and clause.avoid and not clause.condition:
        return _Clause(match=_either(clause.avoid))
    if clause.asks_words_only() and (expression := clause.expression()) is not None:
        return _Clause(avoid=(expression,))
    return _Clause(condition=f"NOT {clause.as_condition()}", parameters=clause.all_parameters())


# ── words and terms ──────────────────────────────────────────────────────────────────────────────────────────────

_COLUMNS: dict[Part, str] = {"any": "{text title}", "text": "text", "title": "title"}


def _quoted(tokens: Iterable[str]) -> str:
    """Neighbouring tokens as an FTS5 string: nothing in it is syntax, and it is split at its spaces only."""
    return '"' + " ".join(tokens).replace('"', '""') + '"'


def _either(expressions: Sequence[str]) -> str:
    return _joined("OR", expressions)


def _joined(operator: str, expressions: Sequence[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"({f' {operator} '.join(expressions)})"


def _terms(wanted: Iterable[str]) -> _Clause:
    return _Clause(match=_either([f"terms : {_quoted((term,))}" for term in wanted]))


def _is(field: str, values: Sequence[str]) -> _Clause:
    values = [value for value in values if value]  # no post has an empty value
    if not values:
        return _Clause(condition=_FALSE)
    if field in terms.TERM_FIELDS:
        return _terms(term for value in values for term in terms.value_terms(field, value))
    if field == "key":
        found = tuple(part for key in values for part in (tail_of(key), key))
        return _Clause(condition=f"(p.tail, p.key) IN (VALUES {', '.join('(?, ?)' for _ in values)})", parameters=found)
    if field not in FIELD_COLUMNS:
        raise KeyError(field)
    return _Clause(condition=f"p.{field} IN ({', '.join('?' for _ in values)})", parameters=tuple(values))


def _has(field: str) -> _Clause:
    row = find_field(field)
    if row is None:
        raise KeyError(field)
    if field in terms.MULTI_FIELDS:
        return _terms([terms.any_value(field)])
    if field in FIELD_COLUMNS:
        return _Clause(condition=f"p.{field} <> ''")
    if row.kind == "words":
        return _Clause(condition="p.has_title" if field == "title" else "(p.has_text OR p.has_title)")
    if row.kind == "number" and field != "reach":
        code = field.partition(".")[2]
        return _Clause(condition=f"{SCORE_FUNCTION}(p.scores, ?) IS NOT NULL", parameters=(code,))
    return _Clause()  # every post has a key, times and a reach


# ── numbers and times ────────────────────────────────────────────────────────────────────────────────────────────


def _compare(node: Compare) -> _Clause:
    if node.field == "reach":
        return _Clause(condition=f"CAST(p.reach AS REAL) {node.relation} ?", parameters=(node.number,))
    family, _, code = node.field.partition(".")
    if family != "score" or not code:
        raise KeyError(node.field)
    exact = _Clause(
        condition=f"coalesce({SCORE_FUNCTION}(p.scores, ?) {node.relation} ?, 0)", parameters=(code, node.number)
    )
    if node.relation.startswith("<") or not terms.LOWEST_SCORE <= node.number <= 1:
        return exact
    buckets = range(terms.score_bucket(node.number), terms.score_bucket(1) + 1)
    candidates = [
        f"terms : {_quoted((terms.score_term(of, bucket),))}{prefix}"
        for bucket in buckets
        for of, prefix in ((code, ""), (code + "-", " *"))
    ]
    return _and([_Clause(match=_either(candidates)), exact])


def _between(field: str, start: datetime | None, end: datetime | None) -> _Clause:
    row = find_field(field)
    if row is None or row.kind != "time":
        raise KeyError(field)
    bounds = [(f"p.{field}_us >= ?", start), (f"p.{field}_us < ?", end)]
    asked = [(condition, to_us(when)) for condition, when in bounds if when is not None]
    return _Clause(
        condition=f"({' AND '.join(condition for condition, _ in asked)})" if asked else "",
        parameters=tuple(when for _, when in asked),
    )
