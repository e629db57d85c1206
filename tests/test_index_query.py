"""The SQLite index finds exactly what the predicate says, for generated posts and queries."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hustings.query.tree import And, Compare, Everything, Has, Is, Node, Not, Or, Phrase, Query
from hustings.testing.check_index import check_agreement
from hustings.testing.query_strategies import libraries, queries
from hustings.types import Assessment, Post
from index.sqlite import SqliteIndex
from index.sqlite.compile_query import compile_query
from tests.memory_folder import memory_folder

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


@given(library=libraries(max_size=8), asked=st.lists(queries(), min_size=1, max_size=12), page=st.integers(1, 4))
def test_search_and_counts_agree_with_the_predicate(library: list[Assessment], asked: list[Query], page: int) -> None:
    with memory_folder() as folder:
        index = SqliteIndex(Path(folder)).open()
        try:
            index.write(library, log_id="log")
            for query in asked:
                check_agreement(index, library, query, page=page)
        finally:
            index.close()


class CountsRarestFirst(SqliteIndex):
    def counts(self, query: Query, field: str, *, limit: int = 1000) -> dict[str, int]:
        return dict(reversed(super().counts(query, field, limit=limit).items()))


def test_the_check_notices_counts_in_another_order(tmp_path: Path) -> None:
    posts = [
        Post(source=source, native_id=f"{n}", text="", published_at=NOW, collected_at=NOW)
        for n, source in enumerate(("often", "often", "seldom"))
    ]
    library = [Assessment(post=post) for post in posts]
    with closing(CountsRarestFirst(tmp_path).open()) as index:
        index.write(library, log_id="log")
        with pytest.raises(AssertionError, match="source"):
            check_agreement(index, library, Query(text="*", node=Everything()))


@settings(max_examples=50)
@given(before=libraries(max_size=6), after=libraries(max_size=6), asked=st.lists(queries(), min_size=1, max_size=6))
def test_they_agree_on_revised_posts_too(before: list[Assessment], after: list[Assessment], asked: list[Query]) -> None:
    """Posts that were overwritten leave nothing behind that a query could still find."""
    revised = [with_revision(assessment, 1) for assessment in after]
    standing = {assessment.key: assessment for assessment in (*before, *revised)}
    with memory_folder() as folder:
        index = SqliteIndex(Path(folder)).open()
        try:
            index.write(before, log_id="log")
            index.write(revised, log_id="log")
            for query in asked:
                check_agreement(index, list(standing.values()), query)
        finally:
            index.close()


def with_revision(assessment: Assessment, revision: int) -> Assessment:
    return replace(assessment, post=replace(assessment.post, revision=revision))


WORD, OTHER = Phrase(("vote",)), Phrase(("poll", "box"), prefix=True, part="title")


@pytest.mark.parametrize(
    ("node", "match", "condition"),
    [
        (WORD, '{text title} : "vote"', "1"),
        (OTHER, 'title : "poll box" *', "1"),
        (And((WORD, Not(OTHER))), '({text title} : "vote" NOT title : "poll box" *)', "1"),
        (
            Or((WORD, Is("domain", ("example.org",)))),
            '({text title} : "vote" OR (terms : "domain=example.org" OR terms : "domain>example.org"))',
            "1",
        ),
        (Is("author", ("A 1",)), 'terms : "author=%41;%20;1"', "1"),
        (And((WORD, Is("medium", ("post",)))), '{text title} : "vote"', "(p.medium IN (?))"),
        (Not(WORD), None, "(NOT p.id IN (SELECT rowid FROM words WHERE words MATCH ?))"),
        (Has("lang"), None, "p.lang <> ''"),
        (Compare("reach", ">", 5), None, "CAST(p.reach AS REAL) > ?"),
    ],
)
def test_words_become_one_match_and_the_rest_a_condition(node: Node, match: str | None, condition: str) -> None:
    compiled = compile_query(Query(text="", node=node))
    assert (compiled.match, compiled.condition) == (match, condition)
