"""The query language: one grammar, one tree, compiled three ways (Python predicate here, SQLite and Elasticsearch in `index`)."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Query"]


class Query(Struct, frozen=True, kw_only=True):
    """Placeholder that the query helper replaces: a parsed query with its source text."""

    text: str
