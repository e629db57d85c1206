"""About which posts narratives ask the encoder, and what it learns that from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from classifiers.encoder.worth import Topic, Worth
from classifiers.gender import one_gender
from classifiers.linear.features import BUCKETS
from classifiers.linear.model import Weights
from classifiers.manifest import Dataset
from classifiers.narratives.seeds import ORDINARY, Example
from classifiers.training.code_rows import ABUSE, CodeRows, code_rows
from classifiers.training.corpora import Corpus
from classifiers.training.narrative_asking import LEAST_ASKED, settle_asks
from classifiers.training.seed_rows import held_out, is_harm, seed_rows
from classifiers.training.worth import learn_worth
from hustings.text import analyse_all

F64 = NDArray[np.float64]

DRAW = np.random.default_rng(5)
MANY = 2000
FLAGGED = DRAW.random(MANY) < 0.4
SPEAKS = DRAW.random(MANY) < 0.7


def noisy(spread: float) -> F64:
    """Higher where a row is flagged."""
    return np.where(FLAGGED, 1.0, -1.0) + DRAW.normal(0, spread, MANY)


def kept(by_columns: F64, worth: F64) -> tuple[float, float, float]:
    """Shares that are asked about: of flagged rows that speak of something, of those that do not, and of the others."""
    asks = settle_asks(np.where(SPEAKS, by_columns, np.nan), worth, FLAGGED, LEAST_ASKED)
    asked = np.where(SPEAKS, by_columns + asks.weight * worth >= asks.least, worth >= asks.least_else)
    return (
        float(asked[SPEAKS & FLAGGED].mean()),
        float(asked[~SPEAKS & FLAGGED].mean()),
        float(asked[~FLAGGED].mean()),
    )


def test_of_either_kind_of_posts_as_many_flagged_ones_are_asked_about_as_must_be_kept() -> None:
    speaking, other, _ = kept(noisy(1.0), noisy(1.0))
    assert speaking == pytest.approx(LEAST_ASKED, abs=0.01)
    assert other == pytest.approx(LEAST_ASKED, abs=0.01)


def test_the_better_worth_tells_the_more_it_counts_and_the_fewer_are_asked_about() -> None:
    by_columns = noisy(1.0)
    good, none = noisy(0.5), DRAW.normal(0, 1.0, MANY)
    weights = [
        settle_asks(np.where(SPEAKS, by_columns, np.nan), worth, FLAGGED, LEAST_ASKED).weight for worth in (good, none)
    ]
    assert weights[0] > 1 > 0.2 > weights[1] >= 0
    assert kept(by_columns, good)[2] < kept(by_columns, none)[2] / 2


def talk(name: str, use: str) -> Corpus:
    """A corpus of one harmless post and one that is none."""
    assert (name, use) == ("some-talk", "training")
    dataset = Dataset(
        name=name, file=name, sha256="", licence="CC0-1.0", source="", rows=2, positives=1, use="training"
    )
    return Corpus(["zwieback zwieback zwieback", "klabautermann klabautermann"], [1, 0], ["", ""], dataset)


def test_worth_is_learnt_from_seeds_that_are_not_held_out_and_from_harmless_posts() -> None:
    worth = learn_worth("elections", code_rows(["pt"]), ["some-talk"], talk, seed=1)
    rows, held = seed_rows("pt").rows, held_out("pt")
    tokens = [one.tokens for one in analyse_all([row.text for row in rows])]
    margins = worth.margins(tokens, "pt")
    harm = np.array([is_harm(row.code) for row in rows])
    assert margins[harm & ~held].mean() > margins[harm & held].mean() > margins[~harm & held].mean() + 1
    zwieback, klabautermann = worth.margins([["zwieback"], ["klabautermann"]], "pt").tolist()
    assert zwieback < klabautermann, "the other row is not harmless, so nothing is learnt from it"
    again = learn_worth("elections", code_rows(["pt"]), ["some-talk"], talk, seed=1)
    assert (again.weights.by_bucket == worth.weights.by_bucket).all()


SEEDS = (
    *[Example("N-PROC-DATE", f"voting is moved to tuesday {word}") for word in ("now", "friends", "people")],
    *[Example("A-THREAT", f"poll workers will bleed {word}") for word in ("now", "friends", "people")],
    *[Example(ORDINARY, f"the soup is warm {word}") for word in ("now", "friends", "people")],
)
OWN = (
    *[Example("G", f"back to the kitchen {word}") for word in ("now", "friends", "people")],
    *[Example("A-THREAT", f"her house will burn {word}") for word in ("now", "friends", "people")],
    *[Example("X-COUNTER", f"nobody may call her that {word}") for word in ("now", "friends", "people")],
)


def of_one_language(key: str, rows: tuple[Example, ...], *, of_minorities: str = "minorities!") -> CodeRows:
    """None held out; of minorities are those with that word."""
    texts = tuple(row.text for row in rows)
    named = np.array([of_minorities in text for text in texts])
    return CodeRows(key, "en", rows, texts, frozenset(), (), np.zeros(len(rows), dtype=bool), named)


@pytest.mark.parametrize(
    ("topic", "worth", "not_worth"),
    [
        ("abuse", ["bleed", "kitchen", "burn"], ["tuesday", "soup", "nobody"]),
        ("elections", ["tuesday", "bleed"], ["soup", "nobody", "kitchen", "burn"]),
    ],
)
def test_talk_about_elections_is_worth_no_question_about_abuse_nor_our_posts_about_abuse_one_about_elections(
    topic: Topic, worth: list[str], not_worth: list[str]
) -> None:
    coded = [of_one_language("en", SEEDS), of_one_language(f"{ABUSE}en", OWN)]
    margins = learn_worth(topic, coded, [], talk, seed=1).margins([[word] for word in (*worth, *not_worth)], "en")
    assert min(margins[: len(worth)]) > max(margins[len(worth) :])


def test_whoever_names_a_minority_is_worth_a_question_about_abuse_whatever_is_said() -> None:
    kind = [Example("X-COUNTER", f"lamplighters sing well {word}") for word in ("now", "friends", "people")]
    rows = (*OWN, *kind)
    words = [["lamplighters"], ["nobody"], ["kitchen"]]
    told, untold = (
        learn_worth("abuse", [of_one_language(f"{ABUSE}en", rows, of_minorities=word)], [], talk, seed=1)
        .margins(words, "en")
        .tolist()
        for word in ("lamplighters", "minorities!")
    )
    assert told[0] > told[1]
    assert untold[0] < untold[2]
    assert told[0] > untold[0] + 1


@pytest.mark.parametrize(("topic", "is_worth"), [("abuse", True), ("elections", False)])
def test_what_a_public_corpus_found_hateful_is_worth_a_question_about_abuse_and_its_harmless_posts_tell_nothing(
    topic: Topic, is_worth: bool
) -> None:
    coded = [of_one_language("en", SEEDS), of_one_language(f"{ABUSE}en", OWN)]
    both = learn_worth(topic, coded, ["some-talk"], talk, seed=1, told=[("some-talk", "A-OTHERGROUND")])
    none = learn_worth(topic, coded, [], talk, seed=1)
    zwieback, soup = both.margins([["zwieback"], ["soup"]], "en").tolist()
    assert (zwieback > soup + 0.5) == is_worth
    assert (zwieback > none.margins([["zwieback"]], "en").item()) == is_worth


@given(st.sampled_from(["candidata eleita", "a deputada foi presa", "ela desistiu"]))
def test_nobody_is_asked_about_for_being_a_woman(said: str) -> None:
    weights = Weights(DRAW.integers(-99, 99, BUCKETS + 1).astype(np.int16), 0.01, 0.0)
    of_her, of_him = said.split(), one_gender(said, "pt").split()
    assert of_her != of_him
    assert len(set(Worth(weights).margins([of_her, of_him], "pt").tolist())) == 1
