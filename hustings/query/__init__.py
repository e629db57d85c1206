"""The query language: one grammar, one tree, compiled three ways (Python predicate here, SQLite and Elasticsearch in
`index`). For users: docs/query-language.md."""

from hustings.query.caret import with_caret
from hustings.query.parser import RULE, SEARCH, Limits, parse
from hustings.query.predicate import Reading, check, predicate
from hustings.query.printing import structure, to_text
from hustings.query.required_words import required_words
from hustings.query.tree import Query
from hustings.query.vocabulary import Vocabulary

__all__ = [
    "RULE",
    "SEARCH",
    "Limits",
    "Query",
    "Reading",
    "Vocabulary",
    "check",
    "parse",
    "predicate",
    "required_words",
    "structure",
    "to_text",
    "with_caret",
]
