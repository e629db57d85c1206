"""The query language: one grammar, one tree, compiled three ways (Python predicate here, SQLite and Elasticsearch in
`index`)."""

from hustings.query.tree import Query

__all__ = ["Query"]
