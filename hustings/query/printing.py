"""Trees as text: as a query that people can read and parse again, and as the canonical form that is hashed."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal

import msgspec

from hustings.clock import rfc3339
from hustings.query.tree import And, Between, Compare, Everything, Has, Is, Node, Not, Or, Phrase, Query
from hustings.query.words import cut_phrases

__all__ = ["structure", "to_text"]


def to_text(node: Node) -> str:
    """A query that parses to this tree again. Aliases, attributes and phases appear as what they stand for, words as
    the analyser wrote them."""
    match node:
        case Everything():
            return "*"
        case Phrase():
            return _phrase(node)
        case Is(field, values):
            terms = [f"{field}:{_value(value)}" for value in values]
            return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"
        case Has(field):
            return f"{field}:*"
        case Compare(field, relation, number):
            return f"{field}:{relation}{format(Decimal(repr(number)).normalize(), 'f')}"
        case Between(field, start, end):
            return f"{field}:[{_time(start)} TO {_time(end)}}}"
        case Not(inner):
            text = to_text(inner)
            return f"-({text})" if isinstance(inner, And | Or) else f"-{text}"
        case And(nodes):
            return " ".join(f"({to_text(inner)})" if isinstance(inner, Or) else to_text(inner) for inner in nodes)
        case Or(nodes):
            return " OR ".join(to_text(inner) for inner in nodes)


def structure(query: Query) -> str:
    """The tree as one canonical line: queries that differ only in spelling, spacing, order of alternatives or order of
    conditions have the same one. Part of a rule's logic hash, so it changes only with the meaning."""
    return _structure(query.node)


def _structure(node: Node) -> str:
    match node:
        case Not(inner):
            return f"Not({_structure(inner)})"
        case And(nodes):
            return f"And({','.join(sorted(_structure(inner) for inner in nodes))})"
        case Or(nodes):
            return f"Or({','.join(sorted(_structure(inner) for inner in nodes))})"
        case Is(field, values):
            return msgspec.json.encode(["Is", field, sorted(values)]).decode()
        case _:
            return msgspec.json.encode(node).decode()


def _phrase(phrase: Phrase) -> str:
    words = " ".join(phrase.tokens)
    if cut_phrases(words) != [phrase.tokens]:
        words = ", ".join(phrase.tokens)  # single letters side by side would be read as one word spaced out
    if phrase.prefix:
        words += "*"
    text = words if len(phrase.tokens) == 1 and _is_plain(phrase.tokens[0]) else _quoted(words)
    return text if phrase.part == "any" else f"{phrase.part}:{text}"


def _is_plain(token: str) -> bool:
    """Letters, digits and their marks: nothing that means something in a query."""
    return all(character.isalnum() or unicodedata.category(character)[0] == "M" for character in token)


_BARE_VALUE = re.compile(r"[\w.@#-][\w.@#:/+-]*")


def _value(value: str) -> str:
    return value if _BARE_VALUE.fullmatch(value) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _time(when: datetime | None) -> str:
    return "*" if when is None else rfc3339(when)
