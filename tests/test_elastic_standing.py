"""What a reading does to a post on Elasticsearch, and that doing it again says the same: without a server."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hustings.contracts import Outcome
from index.elastic.scores import score_start, score_term
from index.elastic.standing import Origin, Reading, Standing, judged, trimmed

readings = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), min_size=1, max_size=10)


def at(offset: int, revision: int, said: str) -> Reading:
    return Reading(revision, said, 0, Origin(0, offset))


def plainly(told: Sequence[tuple[int, str]]) -> list[Outcome]:
    """One reading after the other, nothing in between: what a transaction would say."""
    outcomes: list[Outcome] = []
    stands: tuple[int, str] | None = None
    for revision, said in told:
        if stands is None:
            outcomes.append(Outcome.NEW)
        elif revision > stands[0]:
            outcomes.append(Outcome.REVISED)
        elif revision < stands[0]:
            outcomes.append(Outcome.STALE)
        else:
            outcomes.append(Outcome.UNCHANGED if said == stands[1] else Outcome.CONFLICTING)
        if outcomes[-1] in (Outcome.NEW, Outcome.REVISED):
            stands = revision, said
    return outcomes


@given(told=readings, sizes=st.lists(st.tuples(st.integers(1, 10), st.booleans(), st.booleans()), max_size=8))
def test_every_reading_says_the_same_again_from_wherever_the_books_end(
    told: list[tuple[int, str]], sizes: list[tuple[int, bool, bool]]
) -> None:
    """The document may be ahead of the books by any number of readings, and is judged again from where they end."""
    expected = plainly(told)
    counted_to = 0
    standing: Standing | None = None
    for size, is_written, is_counted in [*sizes, *[(1, True, True)] * len(told)]:
        batch = range(counted_to, min(counted_to + size, len(told)))
        after, found = standing, []
        for offset in batch:
            outcome, after = judged(after, at(offset, *told[offset]))
            found.append(outcome)
        assert found == expected[batch.start : batch.stop]
        if is_written and after is not None and after is not standing:
            standing = trimmed(after, {0: counted_to})
        if is_written and is_counted:
            counted_to = batch.stop
    assert counted_to == len(told)


def test_only_what_the_books_still_owe_is_kept() -> None:
    standing: Standing | None = None
    for offset in range(50):
        _, standing = judged(standing, at(offset, offset, "word"))
    assert standing is not None
    assert [step.offset for step in trimmed(standing, {0: 48}).steps] == [47, 48, 49]
    assert [step.offset for step in trimmed(standing, {0: 60}).steps] == [49]
    assert len(trimmed(standing, {}).steps) == 50


def test_a_reading_without_an_origin_is_judged_by_what_stands() -> None:
    _, standing = judged(None, at(5, 1, "word"))
    assert judged(standing, Reading(1, "word", 0, None))[0] is Outcome.UNCHANGED
    assert judged(standing, at(5, 1, "word"))[0] is Outcome.NEW
    assert judged(standing, at(6, 1, "word"))[0] is Outcome.UNCHANGED


@given(one=st.floats(0, 1), other=st.floats(0, 1), code=st.text(max_size=5))
def test_terms_of_scores_sort_as_the_scores(one: float, other: float, code: str) -> None:
    assert (score_term(code, one) < score_term(code, other)) == (one < other)
    assert score_term(code, one).startswith(score_start(code))
    assert not score_term(code + "x", one).startswith(score_start(code))
