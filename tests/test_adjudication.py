"""What the desk's reviews settle, and what readers disagree on: plain reviews in, settled or disputed posts out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from desk.adjudication import Dispute, adjudicate, disagreements, judgement
from hustings.types import Review
from runtime.build import codebook

CODEBOOK = codebook()


def review(key: str, reviewer: str, *codes: str, minute: int = 0, revision: int = 0, verdict: str = "log") -> Review:
    return Review(
        id=f"{key}-{reviewer}-{minute}",
        reviewer=reviewer,
        subject="post",
        subject_id=key,
        subject_revision=revision,
        codes=codes,
        verdict=verdict,  # type: ignore[arg-type]
        codebook="1",
        at=datetime(2026, 10, 1, 12, minute, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("codes", "verdict", "code", "expected"),
    [
        (("G",), "log", "G", True),
        (("G-THR-KILL",), "log", "G", True),
        (("G-THR-KILL",), "log", "G-THR", True),
        (("G",), "log", "G-THR", None),  # coarser than what is asked
        (("G-NONE",), "log", "G", False),
        (("G-HATE",), "log", "G-THR", False),
        (("X-COUNTER",), "dismiss", "G", False),
        ((), "dismiss", "G", False),
        (("N-PROC-DATE",), "alert", "G", None),  # spoke of something else
        (("A-INSULT", "G-NONE"), "log", "G", False),
    ],
)
def test_what_one_review_says_of_a_code(codes: tuple[str, ...], verdict: str, code: str, expected: bool | None) -> None:
    if not all(one in CODEBOOK.codes for one in codes):
        pytest.fail(f"{codes}: not in the codebook")
    assert judgement(review("a", "r1", *codes, verdict=verdict), code, CODEBOOK) is expected


def settle(*reviews: Review) -> tuple[list[tuple[str, bool, str]], dict[str, int]]:
    found = adjudicate(reviews, "G", leads={"lead"}, codebook=CODEBOOK)
    return [(one.key, one.applies, one.how) for one in found.settled], found.unsettled


def test_two_who_agree_settle_a_post() -> None:
    both = (
        review("a", "r1", "G"),
        review("a", "r2", "G-THR"),
        review("b", "r1", "G-NONE"),
        review("b", "r2", "G-NONE"),
    )
    assert settle(*both) == ([("a", True, "agreement"), ("b", False, "agreement")], {})


def test_one_reader_settles_nothing_even_twice() -> None:
    assert settle(review("a", "r1", "G"), review("a", "r1", "G", minute=1)) == ([], {"read by one person": 1})


def test_a_change_of_mind_replaces_the_former_judgement() -> None:
    changed = (review("a", "r1", "G"), review("a", "r2", "G-NONE"), review("a", "r1", "G-NONE", minute=5))
    assert settle(*changed) == ([("a", False, "agreement")], {})


def test_a_disagreement_is_settled_by_a_lead_who_comes_after_it() -> None:
    two = (review("a", "r1", "G"), review("a", "r2", "G-NONE"))
    assert settle(*two) == ([], {"disagreement that no lead decided": 1})
    assert settle(*two, review("a", "lead", "G", minute=3)) == ([("a", True, "arbitration")], {})
    assert settle(*two, review("a", "r3", "G", minute=3)) == ([], {"disagreement that no lead decided": 1})


def test_only_the_newest_revision_that_was_read_counts() -> None:
    edited = (
        review("a", "r1", "G"),
        review("a", "r2", "G"),
        review("a", "r1", "G-NONE", minute=4, revision=7),
    )
    assert settle(*edited) == ([], {"read by one person": 1})


def test_blanks_are_counted_apart() -> None:
    assert settle(review("a", "r1", "N-PROC-DATE")) == ([], {"nothing said about the code": 1})


def test_a_code_that_has_left_the_codebook_is_read_by_what_it_refined() -> None:
    assert judgement(review("a", "r1", "G-THR-OURS"), "G-THR", CODEBOOK) is True
    assert judgement(review("a", "r1", "G-NONE-OURS"), "G", CODEBOOK) is False


# ── what readers disagree on ──


LEADS = {"lead", "other-lead"}


def disputed(*reviews: Review, lead: str = "another") -> dict[str, list[Dispute]]:
    """The disputes by post, in the order found."""
    found = disagreements(reviews, lead=lead, leads=LEADS, codebook=CODEBOOK)
    return {one.key: list(one.disputes) for one in found}


def test_readers_who_differ_on_a_code_disagree_and_are_counted() -> None:
    assert disputed(review("a", "r1", "G-THR"), review("a", "r2", "G-NONE"), review("a", "r3", "X-OPINION")) == {
        "a": [Dispute("G-THR", 1, 2)]
    }


def test_readers_who_name_different_codes_of_one_list_disagree_on_both() -> None:
    assert disputed(review("a", "r1", "N-PROC-DATE"), review("a", "r2", "N-PROC-PLACE")) == {
        "a": [Dispute("N-PROC-DATE", 1, 1), Dispute("N-PROC-PLACE", 1, 1)]
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("G-THR",), ("G-THR",)),
        (("G-THR",), ("G",)),  # coarser: whether it is a threat was left open
        (("G-THR",), ("N-PROC-DATE",)),  # spoke of something else
        (("G-NONE",), ("X-OPINION",)),  # both say that it is no harm
        ((), ("G-THR",)),  # logged without a code: a blank
    ],
)
def test_readers_who_do_not_contradict_each_other_do_not_disagree(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert disputed(review("a", "r1", *one), review("a", "r2", *other)) == {}


def test_a_dismissal_without_a_code_contradicts_whoever_named_one() -> None:
    both = (review("a", "r1", "G-THR"), review("a", "r2", verdict="dismiss"))
    assert disputed(*both) == {"a": [Dispute("G-THR", 1, 1)]}


def test_what_a_lead_decided_after_both_is_no_longer_disputed() -> None:
    two = (review("a", "r1", "G"), review("a", "r2", "G-NONE"))
    assert disputed(*two, review("a", "lead", "X-OPINION", minute=3)) == {}
    assert disputed(*two, review("a", "r3", "X-OPINION", minute=3)) == {"a": [Dispute("G", 1, 2)]}


def test_a_lead_decides_only_the_codes_that_they_speak_of() -> None:
    two = (review("a", "r1", "G", "N-PROC-DATE"), review("a", "r2", "G-NONE", "N-PROC-PLACE"))
    left = disputed(*two, review("a", "lead", "G", minute=3))
    assert left == {"a": [Dispute("N-PROC-DATE", 1, 1), Dispute("N-PROC-PLACE", 1, 1)]}


def test_a_lead_who_is_one_of_the_two_does_not_decide_but_may_agree_and_another_lead_decides() -> None:
    two = (review("a", "lead", "G"), review("a", "r2", "G-NONE"))
    again = review("a", "lead", "G", minute=3)
    assert disputed(*two, lead="lead") == disputed(*two, again, lead="other-lead") == {"a": [Dispute("G", 1, 1)]}
    assert disputed(*two, again, lead="lead") == {}  # nothing is left that this lead could do
    assert disputed(*two, review("a", "lead", "G-NONE", minute=3)) == {}
    assert disputed(*two, review("a", "other-lead", "G", minute=3)) == {}


def test_readings_of_a_former_revision_are_not_compared_with_those_of_the_newest() -> None:
    assert disputed(review("a", "r1", "G"), review("a", "r2", "G-NONE", revision=7)) == {}


def test_the_post_that_was_read_last_comes_first() -> None:
    minutes = {"a": 1, "b": 5, "c": 3}
    reviews = [one for key in minutes for one in (review(key, "r1", "G"), review(key, "r2", "G-NONE"))]
    dated = [
        structs.replace(one, at=one.at.replace(minute=minutes[one.subject_id])) if one.reviewer == "r2" else one
        for one in reviews
    ]
    assert list(disputed(*sorted(dated, key=lambda one: one.at))) == ["b", "c", "a"]


def test_a_reading_holds_the_reviews_of_one_reader_that_count() -> None:
    former, latter = review("a", "r1", "G-THR"), review("a", "r1", "G-HATE", minute=1)
    elsewhere = review("a", "r1", "N-PROC-DATE", minute=2)
    other, third = review("a", "r2", "G-NONE", minute=3), review("a", "r3", "N-PROC-DATE", minute=4)
    (found,) = disagreements([former, latter, elsewhere, other, third], lead="lead", leads=LEADS, codebook=CODEBOOK)
    assert sorted(found.readings, key=lambda reading: reading[0].reviewer) == [(latter,), (other,)]


def test_the_order_of_the_readings_is_that_of_their_ids_and_not_of_time() -> None:
    first, second = (structs.replace(review("a", f"r{n}", code), id=f"id-{n}") for n, code in ((1, "G"), (2, "G-NONE")))
    later = structs.replace(first, id="id-3", at=second.at.replace(minute=1))
    for reviews, ids in (((first, second), ["id-1", "id-2"]), ((second, later), ["id-2", "id-3"])):
        (found,) = disagreements(reviews, lead="lead", leads=LEADS, codebook=CODEBOOK)
        assert [reading[0].id for reading in found.readings] == ids


CODES = ("G", "G-THR", "G-HATE", "G-NONE", "N-PROC-DATE", "N-PROC-PLACE", "X-OPINION")

readings = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(("r1", "r2", "r3", "lead")),
        st.lists(st.sampled_from(CODES), max_size=2, unique=True),
        st.sampled_from(("dismiss", "log")),
        st.integers(0, 1),
    ),
    max_size=8,
).map(
    lambda rows: [
        review(key, reviewer, *codes, minute=minute, revision=revision, verdict=verdict)
        for minute, (key, reviewer, codes, verdict, revision) in enumerate(rows)
    ]
)


@given(readings)
def test_disputed_is_what_adjudication_leaves_undecided(reviews: list[Review]) -> None:
    found = disputed(*reviews)
    for code in ("G", "G-THR", "G-HATE", "N-PROC-DATE", "N-PROC-PLACE"):
        for key in "ab":
            own = [one for one in reviews if one.subject_id == key]
            newest = max((one.subject_revision for one in own), default=0)
            named = any(code in one.codes for one in own if one.subject_revision == newest)
            left = adjudicate(own, code, leads=LEADS, codebook=CODEBOOK).unsettled
            undecided = "disagreement that no lead decided" in left
            assert (code in [dispute.code for dispute in found.get(key, ())]) is (named and undecided)


@given(readings, st.booleans())
def test_a_post_is_done_for_the_lead_who_says_last_that_it_is_no_harm(reviews: list[Review], is_blank: bool) -> None:
    codes = () if is_blank else ("X-OPINION",)
    last = [review(key, "lead", *codes, minute=50, revision=1, verdict="dismiss") for key in "ab"]
    assert disputed(*reviews, *last, lead="lead") == {}


def newest_said(reading: tuple[Review, ...], code: str) -> bool | None:
    said = [judgement(one, code, CODEBOOK) for one in reading]
    return next((told for told in reversed(said) if told is not None), None)


@given(readings)
def test_each_dispute_stands_between_readings_that_are_shown(reviews: list[Review]) -> None:
    for one in disagreements(reviews, lead="lead", leads=LEADS, codebook=CODEBOOK):
        assert len(one.readings) >= 2
        assert len({review.reviewer for reading in one.readings for review in reading}) == len(one.readings)
        assert all(review.subject_revision == one.revision for reading in one.readings for review in reading)
        for dispute in one.disputes:
            said = [newest_said(reading, dispute.code) for reading in one.readings]
            assert (said.count(True), said.count(False)) == (dispute.yes, dispute.no)
            assert min(dispute.yes, dispute.no) >= 1
