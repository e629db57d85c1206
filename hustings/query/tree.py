"""The syntax tree of a query: what the parser makes and what every back end compiles.

A tree holds nothing that needs a look-up any more: words are analysed into tokens, `target.<attribute>` has become
roster ids, `phase` has become time ranges, aliases of the codebook have become codes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

__all__ = [
    "And",
    "Between",
    "Compare",
    "Everything",
    "Has",
    "Is",
    "Node",
    "Not",
    "Or",
    "Part",
    "Phrase",
    "Query",
]

Part = Literal["any", "text", "title"]
"""Where words are looked for; `any` is text or title (a phrase never crosses from one to the other)."""


class Everything(Struct, frozen=True, tag=True):
    """Every post: `*` alone."""


class Phrase(Struct, frozen=True, tag=True):
    """Neighbouring tokens, in order. With `prefix` the last token only has to begin so."""

    tokens: tuple[str, ...]
    prefix: bool = False
    part: Part = "any"


class Is(Struct, frozen=True, tag=True):
    """A keyword field has one of `values`. `flag` matches a code and its children (`G-THR` finds `G-THR-KILL`),
    `domain` a domain and its subdomains; every other field is equal or not."""

    field: str
    values: tuple[str, ...]


class Has(Struct, frozen=True, tag=True):
    """A field has any value."""

    field: str


class Compare(Struct, frozen=True, tag=True):
    """A number field (`reach`, `score.<code>`) stands in this relation; absent is never true."""

    field: str
    relation: Literal[">", ">=", "<", "<=", "="]
    number: float


class Between(Struct, frozen=True, tag=True):
    """A time field lies in [start, end); None is open."""

    field: str
    start: datetime | None
    end: datetime | None


class Not(Struct, frozen=True, tag=True):
    """Every post without."""

    node: Node


class And(Struct, frozen=True, tag=True):
    """All of them."""

    nodes: tuple[Node, ...]


class Or(Struct, frozen=True, tag=True):
    """Any of them."""

    nodes: tuple[Node, ...]


Node = Everything | Phrase | Is | Has | Compare | Between | Not | And | Or


class Query(Struct, frozen=True, kw_only=True):
    """A parsed query with the text that it was parsed from."""

    text: str
    node: Node
