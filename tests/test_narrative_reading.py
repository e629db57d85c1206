"""How narratives are read: careless spellings, features, windows of a long post, and what a sentence means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.encoder.embed import Embedder, load_embedder
from classifiers.manifest import Calibration
from classifiers.narratives.columns import Network, pack_columns, unpack_columns
from classifiers.narratives.concepts import concept_languages
from classifiers.narratives.evidence import evidence_of, features_in, places_of
from classifiers.narratives.lexicon import Form, Terms
from classifiers.narratives.sense import Sense, SenseWeights, pack_sense, text_of, unpack_sense
from classifiers.narratives.spelling import NOTHING, Spelling
from classifiers.narratives.teller import load_tellers
from classifiers.pipeline import shipped_models
from classifiers.roster_names import NAME
from classifiers.store import serving
from classifiers.training.given_names import given_names
from classifiers.training.narrative_network import fit_network
from hustings.errors import ModelError
from hustings.text import analyse

FOLDERS = serving(shipped_models())
TELLERS = {teller.manifest.language: teller for teller in load_tellers(FOLDERS.values())}
SPELLING = Spelling(["ballot", "monday", "vote", "fraud", "मतदान", "the", "form", "from"])


def open_embedder(language: str) -> Embedder | None:
    return load_embedder(FOLDERS.values(), language)


# ── spelling ──


@pytest.mark.parametrize(
    ("token", "word"),
    [("blalot", "ballot"), ("b4110t", "b4110t"), ("8allot", "8allot"), ("ball0t", "ballot"), ("v0t3", "vote")],
)
def test_a_careless_spelling_is_read_as_the_word_that_has_its_letters(token: str, word: str) -> None:
    assert SPELLING.word(token) == word


@pytest.mark.parametrize("token", ["form", "from", "the", "teh", "1234", "zebra", "ballots", ""])
def test_words_short_words_figures_and_unknown_words_stay(token: str) -> None:
    assert SPELLING.word(token) == token


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("the fr*ud", ["the", "fraud", NOTHING]),
        ("the mo*day vote", ["the", "monday", NOTHING, "vote"]),
        ("म*न", ["मतदान", NOTHING]),
        ("the vote from monday", ["the", "vote", "from", "monday"]),
    ],
)
def test_a_word_with_a_letter_behind_a_sign_is_put_together_again(text: str, read: list[str]) -> None:
    assert SPELLING.rejoin(analyse(text).tokens) == read


@settings(max_examples=200)
@given(st.lists(st.text(min_size=1, max_size=9), max_size=30))
def test_no_text_breaks_the_spelling_and_no_token_moves(tokens: list[str]) -> None:
    assert len(SPELLING.rejoin(tokens)) == len(tokens)
    assert [SPELLING.word(SPELLING.word(token)) for token in tokens] == [SPELLING.word(token) for token in tokens]


# ── features ──

MANY = 7
FORMS = st.none() | st.builds(
    Form,
    stem=st.sampled_from("abcdef"),
    hashed=st.integers(0, 9),
    word=st.integers(10, 19),
    ends=st.sampled_from([(), (20, 21), (22, 9)]),
)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, MANY - 1)), max_size=25), st.lists(FORMS, max_size=12))
def test_every_feature_stands_somewhere(found: list[tuple[int, int]], forms: list[Form | None]) -> None:
    ordered = sorted(set(found))
    pairs = tuple(40 + place for place in range(len(forms) - 1))
    terms = Terms([place for place, _ in ordered], [concept for _, concept in ordered], tuple(forms), pairs)
    numbers, values = evidence_of(MANY, terms)
    assert len(numbers) == len(values)
    assert set(numbers.tolist()) <= set(places_of(MANY, terms))
    assert numbers.max(initial=0) < features_in(MANY)
    assert (values > 0).all()
    assert float(values @ values) < 1.5 + 1e-5


@pytest.mark.parametrize(("one", "other"), [("morta", "morto"), ("चुकी", "चुका")])
def test_a_woman_and_a_man_are_read_alike(one: str, other: str) -> None:
    lexicon = TELLERS["hi"].reader.lexicon
    assert lexicon.terms([one]).forms == lexicon.terms([other]).forms


# ── columns ──


def network(seed: int = 1) -> Network:
    from scipy.sparse import random as sparse

    rows = sparse(80, 30, density=0.3, format="csr", rng=np.random.default_rng(3))
    codes = np.array(["N-INCITE", "X-REPORT"] * 40)
    return fit_network(rows, codes, np.ones(80), seed=seed)


def test_the_same_rows_give_the_same_network_and_packing_keeps_it_nearly() -> None:
    one, again = network(), network()
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    files = pack_columns(one, {"N-INCITE": 0.25})
    columns = unpack_columns(*(raw for raw, _ in files.values()), "here", features=64)
    assert columns.codes == ("N-INCITE", "X-REPORT")
    assert columns.thresholds == (0.25, 0.0)
    known = columns.row_of[one.numbers]
    assert np.abs(columns.inner[known] - one.inner).max() <= np.abs(one.inner).max() / 127
    assert not columns.inner[columns.row_of[63]].any(), "a feature without weights says nothing"


def test_words_that_are_only_names_are_known_by_their_capital_letters() -> None:
    said = ["They say Oona Vell is out", "Ask Oona Vell about the vote", "The vote is for Oona", "WE ASK WHY"]
    assert given_names(said) == {"oona", "vell"}


# ── long posts ──

CHATTER = "good morning everyone what lovely weather we have today I baked bread and the children went to the park "


def harm(text: str, language: str = "en") -> float:
    told = TELLERS[language].tell(analyse(text).tokens)
    return told.score if told else 0.0


def test_chatter_around_a_claim_hides_little_of_it() -> None:
    claim = "The election was cancelled, the president signed the decree last night."
    assert harm(claim) - harm(f"{CHATTER * 2}. {claim} {CHATTER * 2}") < 0.15


def test_chatter_alone_says_nothing() -> None:
    assert harm(CHATTER * 6) < 0.2


# ── meaning ──


CLAIM = analyse("The election was cancelled, the president signed the decree last night").tokens


def test_english_posts_near_a_flag_are_read_by_an_encoder_too() -> None:
    (with_meaning,) = load_tellers([FOLDERS["N-en"]], open_embedder=open_embedder)
    without = TELLERS["en"]
    both, one = with_meaning.tell(CLAIM), without.tell(CLAIM)
    assert both is not None
    assert one is not None
    assert both.score != one.score
    assert (both.reading.begin, both.reading.end) == (one.reading.begin, one.reading.end)


@pytest.mark.parametrize("text", ["The bakery had no bread today", "Polling stations open at 8 and close at 20"])
def test_other_posts_are_not(text: str) -> None:
    def fail(language: str) -> Embedder | None:
        raise AssertionError(f"asked for {language}")

    (teller,) = load_tellers([FOLDERS["N-en"]], open_embedder=fail)
    told = teller.tell(analyse(text).tokens)
    assert told is None or told.score < told.threshold


def test_she_and_he_mean_the_same() -> None:
    assert text_of(["she", "quit", NAME, "his", "wife"]) == text_of(["he", "quit", "her", "wife"])


def test_beside_another_encoder_than_its_own_the_columns_of_concepts_decide_alone() -> None:
    given = TELLERS["en"].sense
    assert given is not None
    other = Sense(
        SenseWeights(np.zeros((384, 2), dtype=np.float32), np.zeros(2, dtype=np.float32)),
        tag="embed-en@0",
        least=0.0,
        calibration=Calibration(slope=1.0, intercept=0.0),
        threshold=0.5,
        open_embedder=lambda: open_embedder("en"),
    )
    assert other.shares(["the", "vote"]) is None
    beside_other, alone = (TELLERS["en"]._replace(sense=sense).tell(CLAIM) for sense in (other, None))
    assert beside_other is not None
    assert alone is not None
    assert beside_other[1:] == alone[1:]


def test_what_meaning_weighs_is_packed_and_unpacked() -> None:
    learnt = SenseWeights(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([1, -1], dtype=np.float32))
    raw = pack_sense(learnt)
    assert all(np.array_equal(a, b) for a, b in zip(unpack_sense(raw, 2, "here"), learnt, strict=True))
    with pytest.raises(ModelError, match="rows of 2 numbers"):
        unpack_sense(raw[:-4], 2, "here")
    with pytest.raises(ModelError, match="not finite"):
        unpack_sense(raw[:-4] + np.float32(np.nan).tobytes(), 2, "here")


@pytest.mark.parametrize("language", concept_languages())
def test_names_of_the_roster_are_nothing_to_read(language: str) -> None:
    lexicon = TELLERS[language].reader.lexicon
    assert lexicon.terms([NAME]).forms == (None,)
    assert not lexicon.speaks([NAME, NAME])
