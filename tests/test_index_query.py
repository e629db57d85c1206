"""The SQLite index finds exactly what the predicate says, for generated posts and queries."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hustings.query.fields import FIELDS, keyword_values
from hustings.query.predicate import predicate
from hustings.query.tree import Query
from hustings.testing.query_strategies import libraries, queries
from hustings.types import Assessment
from index.sqlite import SqliteIndex

GROUPABLE = [name for name, field in FIELDS.items() if field.groupable]


def newest_first(assessments: list[Assessment]) -> list[str]:
    ordered = sorted(assessments, key=lambda one: (one.post.published_at, one.key), reverse=True)
    return [one.key for one in ordered]


@given(library=libraries(max_size=8), asked=st.lists(queries(), min_size=1, max_size=12), page=st.integers(1, 4))
def test_search_and_count_agree_with_the_predicate(library: list[Assessment], asked: list[Query], page: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = SqliteIndex(Path(folder)).open()
        try:
            index.write(library, log_id="log")
            for query in asked:
                holds = predicate(query)
                expected = newest_first([one for one in library if holds(one)])
                found: list[str] = []
                after = None
                while True:
                    result = index.search(query, limit=page, after=after)
                    found += [one.key for one in result.assessments]
                    after = result.next
                    if after is None:
                        break
                assert found == expected, query
                assert index.count(query) == len(expected), query
                for field in GROUPABLE:
                    values = [value for one in library if holds(one) for value in keyword_values(one, field)]
                    assert index.counts(query, field) == {value: values.count(value) for value in values}, (query, field)
                histogram = index.histogram(query, step=timedelta(hours=1))
                assert sum(histogram.values()) == len(expected)
        finally:
            index.close()
