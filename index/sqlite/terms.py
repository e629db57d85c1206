"""Keyword values as tokens of the inverted index: `author=a1`, `flag=G-THR-KILL`, `flag>G-THR`, `score:8:G`.

One token per value makes "who", "which flag" and "which words" one question to FTS5, answered by merging sorted lists.
The tokens come from `hustings.query.fields` alone, so that a field means here what it means to the predicate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from hustings.query.fields import keyword_values, with_parents
from hustings.types import Assessment

__all__ = [
    "LOWEST_SCORE",
    "MULTI_FIELDS",
    "TERM_FIELDS",
    "any_value",
    "of_assessment",
    "score_bucket",
    "score_term",
    "value_terms",
    "values_in",
]

MULTI_FIELDS = ("target", "aimed_at", "addressed", "flag", "claim", "domain", "hashtag", "mention")
"""Fields with several values: only here."""
SINGLE_FIELDS = ("lang", "outlet", "author", "story")
"""Fields with one value of many possible ones."""
TERM_FIELDS = (*SINGLE_FIELDS, *MULTI_FIELDS)
"""Fields that are searched through terms; the others have a handful of values each and are searched by column."""

LOWEST_SCORE = 0.1
"""Scores below get no term: nearly all scores are there, and nobody asks for them by a lower bound."""
_HIERARCHIES = ("flag", "domain")


def of_assessment(assessment: Assessment, singles: Mapping[str, str], words: str) -> str:
    """All terms of a post, joined by spaces. `singles` are its values of the one-valued fields, `words` its tokens."""
    terms = [_of_value(field, value) for field in SINGLE_FIELDS if (value := singles[field])]
    for field in _fields_with_values(assessment, words):
        values = keyword_values(assessment, field)
        if not values:
            continue
        terms.append(any_value(field))
        terms += [_of_value(field, value) for value in values]
    terms += [
        score_term(code, score_bucket(score)) for code, score in assessment.scores.items() if score >= LOWEST_SCORE
    ]
    terms += [
        score_term(flag.code, score_bucket(flag.score)) for flag in assessment.flags if flag.score >= LOWEST_SCORE
    ]
    return " ".join(terms)


@lru_cache(maxsize=50_000)
def _of_value(field: str, value: str) -> str:
    """The term of a value, and those of everything above it."""
    above = [parent for parent in with_parents(field, (value,)) if parent != value]
    return " ".join([f"{field}={_escaped(value)}", *(f"{field}>{_escaped(parent)}" for parent in above)])


def _fields_with_values(assessment: Assessment, words: str) -> Iterator[str]:
    """Those of `MULTI_FIELDS` that can have a value here. Most posts have few, and to ask `keyword_values` for the rest
    would cost more than everything else about a post."""
    post = assessment.post
    if assessment.targets:
        yield from ("target", "aimed_at", "addressed")
    if assessment.flags:
        yield "flag"
    if assessment.claims:
        yield "claim"
    if post.links or post.url:
        yield "domain"
    if post.hashtags or "#" in words:
        yield "hashtag"
    if post.mentions or "@" in words:
        yield "mention"


def value_terms(field: str, value: str) -> tuple[str, ...]:
    """The terms that a post has one of when the field has this value, or one below it."""
    found = _escaped(value)
    return (f"{field}={found}", f"{field}>{found}") if field in _HIERARCHIES else (f"{field}={found}",)


def any_value(field: str) -> str:
    """The term that a post has when a field of several values has any."""
    return f"{field}="


def score_bucket(score: float) -> int:
    """Tenths, rounded down: never falls when the score rises, which is all that a search relies on."""
    return int(score * 10)


def score_term(code: str, bucket: int) -> str:
    """A post has it when the code's own score, or a flag's of that code, lies in this tenth."""
    return f"score:{bucket}:{_escaped(code)}"


def values_in(terms: str, field: str) -> Iterable[str]:
    """The field's values (without those above them), read back from the terms of a post."""
    start = field + "="
    length = len(start)
    return (_restored(term[length:]) for term in terms.split(" ") if term.startswith(start) and len(term) > length)


# FTS5 folds ASCII capitals and splits at white space; values are equal only when they are. `%` begins an escape.
_UNSAFE = re.compile(r"[\x00-\x20A-Z%]|\s")
_ESCAPE = re.compile(r"%([0-9a-f]+);")


@lru_cache(maxsize=50_000)
def _escaped(value: str) -> str:
    if _UNSAFE.search(value) is None:
        return value
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):x};", value)


def _restored(escaped: str) -> str:
    if "%" not in escaped:
        return escaped
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), escaped)
