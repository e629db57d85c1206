"""Recursive descent from the text of a query to its tree.

    query   = both { "OR" both }
    both    = single { [ "AND" ] single }             side by side binds tighter than OR
    single  = { "NOT" | "-" } ( "(" query ")" | "*" | word | word "*" | '"' words '"' | field ":" value )

Fields and the form of their values: `fields.py` and docs/query-language.md.
"""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct

from hustings.errors import QueryError
from hustings.query.combine import all_of, any_of, none_of
from hustings.query.excerpt import shortened, shown
from hustings.query.fields import FIELDS, PEOPLE_FIELDS, Field, find_field
from hustings.query.numbers import read_comparison
from hustings.query.ranges import read_range
from hustings.query.scanner import Lexeme, scan
from hustings.query.tree import Everything, Has, Node, Query
from hustings.query.values import read_code, read_value
from hustings.query.vocabulary import Vocabulary, nearest
from hustings.query.words import read_words

__all__ = ["RULE", "SEARCH", "Limits", "parse"]


class Limits(Struct, frozen=True, kw_only=True):
    """How much a query may hold: characters, words and field values together, parentheses within parentheses."""

    characters: int
    terms: int
    depth: int


SEARCH = Limits(characters=512, terms=32, depth=5)
"""What a person types into the search box."""

RULE = Limits(characters=4_000, terms=400, depth=5)
"""What a rule file holds."""


def parse(text: str, *, vocabulary: Vocabulary, limits: Limits = SEARCH) -> Query:
    """The tree of a query. Raises `QueryError`, and nothing else, whatever the text."""
    if len(text) > limits.characters:
        raise QueryError(
            f"the query has {len(text)} characters; at most {limits.characters} are allowed",
            column=limits.characters + 1,
            code="E13",
        )
    _refuse_surrogates(text)
    return Query(text=text, node=_Parser(scan(text), vocabulary, limits).query())


def _refuse_surrogates(text: str) -> None:
    """Half characters, as they come from a command line that is not UTF-8; no analyser takes them."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = text[error.start]
        raise QueryError(f"found {shown(found)}, which is no character", column=error.start + 1) from error


_BEGINNINGS = frozenset({"(", "-", "NOT", "field", "word", "quoted"})


class _Parser:
    def __init__(self, lexemes: list[Lexeme], vocabulary: Vocabulary, limits: Limits) -> None:
        self._lexemes = lexemes
        self._vocabulary = vocabulary
        self._limits = limits
        self._at = 0
        self._terms = 0

    def query(self) -> Node:
        if self._lexemes[0].kind == "end":
            raise QueryError("the query is empty; `*` finds every post", column=1)
        node = self._either(depth=0)
        if self._next.kind != "end":  # only a closing parenthesis stops `_either` before the end
            raise QueryError("this parenthesis closes nothing", column=self._next.column)
        return node

    @property
    def _next(self) -> Lexeme:
        return self._lexemes[self._at]

    def _take(self) -> Lexeme:
        lexeme = self._lexemes[self._at]
        self._at += 1
        return lexeme

    def _either(self, *, depth: int) -> Node:
        nodes = [self._both(depth=depth)]
        while self._next.kind == "OR":
            self._take()
            nodes.append(self._both(depth=depth))
        return any_of(nodes)

    def _both(self, *, depth: int) -> Node:
        nodes = [self._single(depth=depth)]
        while True:
            if self._next.kind == "AND":
                self._take()
            elif self._next.kind not in _BEGINNINGS:
                return all_of(nodes)
            nodes.append(self._single(depth=depth))

    def _single(self, *, depth: int) -> Node:
        first = self._next
        is_negated = False
        while self._next.kind in ("NOT", "-"):
            is_negated = not is_negated
            sign = self._take()
            if sign.kind == "-" and (self._next.column != sign.column + 1 or self._next.kind in ("-", "NOT")):
                raise QueryError("`-` stands right before what it excludes", column=sign.column)
        node = self._group(depth=depth) if self._next.kind == "(" else self._term()
        if not is_negated:
            return node
        if node == Everything():
            raise QueryError("this excludes every post", column=first.column)
        return none_of(node)

    def _group(self, *, depth: int) -> Node:
        opening = self._take()
        if depth == self._limits.depth:
            raise QueryError(
                f"parentheses within parentheses, more than {self._limits.depth} deep",
                column=opening.column,
                code="E13",
            )
        node = self._either(depth=depth + 1)
        if self._next.kind != ")":
            raise QueryError("this parenthesis is never closed", column=opening.column)
        self._take()
        return node

    def _term(self) -> Node:
        if self._next.kind not in ("field", "word", "quoted"):
            self._refuse_missing()
        lexeme = self._take()
        self._terms += 1
        if self._terms > self._limits.terms:
            raise QueryError(f"more than {self._limits.terms} words and field values", column=lexeme.column, code="E13")
        if lexeme.kind == "field":
            return self._field(lexeme)
        if lexeme == ("word", "*", lexeme.column):
            return Everything()
        return read_words(lexeme, "any")

    def _refuse_missing(self) -> NoReturn:
        found = self._next
        before = self._lexemes[self._at - 1] if self._at else None
        what = "the end of the query" if found.kind == "end" else f"`{shortened(found.text)}`"
        where = f"after `{shortened(before.text)}`" if before is not None else "at the start"
        message = f"expected a word or a field {where}; found {what}"
        if found.kind in ("AND", "OR"):
            message += f' (to search for the word, write "{found.text.lower()}")'
        raise QueryError(message, column=found.column)

    def _field(self, lexeme: Lexeme) -> Node:
        row = find_field(lexeme.text)
        if row is None:
            self._refuse_unknown(lexeme)
        name = self._name(row, lexeme)
        value = self._value(lexeme, name)
        is_any = value == ("word", "*", value.column)
        if row.kind == "words":
            return Has(name) if is_any else read_words(value, "title" if name == "title" else "any")
        if row.kind == "number":
            return Has(name) if is_any else read_comparison(name, value)
        if row.kind == "time":
            return Has(name) if is_any else read_range(name, value)
        return read_value(name, value, self._vocabulary)

    def _name(self, row: Field, lexeme: Lexeme) -> str:
        """The field's name, the code of a score resolved."""
        if row.name != "score.<code>":
            return lexeme.text
        written = lexeme.text.partition(".")[2]
        column = lexeme.column + len("score.")
        codes = read_code(written, column, self._vocabulary)
        if len(codes) > 1:
            choice = " or ".join(f"`score.{code}`" for code in codes)
            raise QueryError(f"{shown(written)} stands for several codes; compare {choice}", column=column, code="E11")
        return f"score.{codes[0]}"

    def _value(self, lexeme: Lexeme, name: str) -> Lexeme:
        column = lexeme.column + len(lexeme.text) + 1
        found = self._next
        if found.kind in ("word", "quoted", "range") and found.column == column:
            return self._take()
        if found.kind == "(" and found.column == column:
            raise QueryError(f"a field takes one value; write ({name}:… OR {name}:…)", column=column)
        raise QueryError(
            f"the value of `{shortened(lexeme.text)}:` is missing; it follows without a space", column=column
        )

    def _refuse_unknown(self, lexeme: Lexeme) -> NoReturn:
        name = lexeme.text
        if self._next.text.startswith("//"):
            hint = "to find links to a site write `domain:example.org`, to find the words put them in quotes"
        elif name in ("score", "score."):
            hint = "a code follows, as in `score.G-THR`"
        elif name[-1] == "." and name[:-1] in PEOPLE_FIELDS:
            hint = f"an attribute follows, as in `{name}party`"
        else:
            hint = nearest(name, FIELDS)
        raise QueryError(f"no field `{shortened(name)}`; {hint}", column=lexeme.column, code="E09")
