"""Which word of a language a token stands for, by itself and among others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.readable import Readable
from classifiers.spelling import SHORTEST_APART, Spelling
from classifiers.training.common_words import common_words
from classifiers.training.often_said import often_said
from hustings.text import analyse

ENGLISH = Spelling(["a", "ballot", "cow", "day", "election", "fraud", "i", "is", "look", "no", "on", "posters", "vote"])
SPANISH = Spelling(["a", "de", "entraba", "esos", "feminazi", "mierda", "primero", "y"])
FRENCH = Spelling(["dans", "homme", "l", "urne"])
HINDI = Spelling(["वोट", "का", "चुनाव", "औरत", "देगा", "वो"])
SPELLINGS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "hi": HINDI}


@pytest.mark.parametrize(
    ("spelling", "token", "word"),
    [
        (ENGLISH, "blalot", "ballot"),  # two neighbours
        (ENGLISH, "lok", "look"),  # the analyser makes one letter of `oooo`
        (ENGLISH, "balot", "ballot"),
        (ENGLISH, "cw", "cw"),  # too short to tell
        (ENGLISH, "3lection", "election"),  # a figure at the edge
        (SPANISH, "3n7r4b4", "entraba"),
        (SPANISH, "c0n73st0n4", "contestona"),  # no word that is known, but nobody writes figures so
        (SPANISH, "covid19", "covid19"),
        (SPANISH, "h1n1", "h1n1"),
        (HINDI, "चुवना", "चुनाव"),  # letters change places with their signs
    ],
)
def test_a_token_stands_for_the_word_that_it_is_a_slip_or_a_disguise_of(
    spelling: Spelling, token: str, word: str
) -> None:
    assert spelling.word(token) == word


@pytest.mark.parametrize(
    ("letters", "shortest", "words"),
    [
        ("feminazidemierda", 1, ["feminazi", "de", "mierda"]),
        ("primeroy", SHORTEST_APART, ["primero", "y"]),
        ("feminazidemierda", SHORTEST_APART, []),  # `de` is too short where letters were set apart
        ("entrabaxx", 1, []),  # not all of it is words
        ("ay", 1, []),  # too short for two words
        ("primero" * 9, 1, []),  # longer than anybody writes
    ],
)
def test_letters_without_blanks_are_the_fewest_words_that_spell_all_of_them(
    letters: str, shortest: int, words: list[str]
) -> None:
    assert SPANISH.split(letters, shortest) == words


@pytest.mark.parametrize(
    ("language", "text", "read"),
    [
        ("en", "#VoteOnElectionDay #voteonelectionday", "vote on election day vote on election day"),
        ("en", "#f r a u d is on", "fraud is on"),  # the analyser takes `#f` for a tag
        ("en", "a c o w", "a cow"),
        ("en", "v o t e i is", "vote i is"),
        ("es", "en e s o s p r i m e r o y", "en esos primero y"),
        ("es", "Entr_ba 3n7r4b4", "entraba entraba"),
        ("fr", "dans l'u r n e", "dans l' urne"),
        ("fr", "l'h.o.m.m.e", "l' homme"),
        ("hi", "वो ट का", "वोट का"),
        ("hi", "वही वो ट देगा", "वही वोट देगा"),
        ("hi", "चु ना व", "चुनाव"),
        ("hi", "वो का", "वो का"),  # words of one letter
    ],
)
def test_letters_set_apart_are_read_as_the_words_that_they_spell(language: str, text: str, read: str) -> None:
    assert Readable(text, language=language, spelling=SPELLINGS[language]).text(0, 99) == read


def test_what_a_post_is_worth_is_told_by_its_main_words_and_by_those_of_its_tags() -> None:
    assert ENGLISH.said(analyse("a c o w #voteonelectionday blalot").tokens) == [
        *("cow", "#voteonelectionday", "vote", "on", "election", "day", "ballot")
    ]
    assert ENGLISH.said(analyse("#f r a u d").tokens) == ["#f", "fraud"]
    assert list(ENGLISH.said(("vote", "no"))) == ["vote", "no"]


LETTERS = st.sampled_from(
    [*"aivoteco#", "vote", "lok", "blalot", "वो", "ट", "का", "3lection", "#v", "\ue000" * 10, "y"]
)


@given(st.lists(LETTERS, max_size=14), st.sampled_from(list(SPELLINGS)), st.data())
def test_what_is_put_right_has_a_place_for_each_token_and_loses_no_letter(
    tokens: list[str], language: str, data: st.DataObject
) -> None:
    spelling = SPELLINGS[language]
    cut = data.draw(st.none() | st.lists(st.booleans(), min_size=len(tokens), max_size=len(tokens)))
    joined = spelling.rejoin(tokens, cut)
    assert len(joined) == len(tokens) == len(spelling.respelt(tokens))
    assert len("".join(joined)) >= len("".join(tokens))  # a hidden letter comes back, none goes
    assert spelling.rejoin(joined) == spelling.rejoin(spelling.rejoin(joined))


@given(st.text(alphabet="aivotecowdyn", max_size=70), st.integers(1, 5))
def test_the_words_of_letters_spell_them(letters: str, shortest: int) -> None:
    words = ENGLISH.split(letters, shortest)
    assert not words or ("".join(words) == letters and all(map(ENGLISH.knows, words)))


# ── which words a language has ──


def test_words_are_those_that_stand_in_two_sentences_and_name_nobody() -> None:
    sentences = [["una", "candidata", "vera", "4"], ["candidata", "vera", "4", "la"]]
    assert often_said(sentences, "es", frozenset({"vera"})) == {"candidata", "candidato"}


def test_a_long_word_is_one_that_is_said_once_unless_it_is_a_slip_of_one_said_oftener() -> None:
    sentences = [["ballot", "overrun"], ["ballot", "ballto", "oaks"]]
    assert often_said(sentences, "en") == {"ballot", "overrun"}


def test_a_common_word_that_would_be_read_as_another_one_is_a_word_too() -> None:
    sentences = [["الرعب"], ["الرعب"]]
    assert Spelling(often_said(sentences, "ar")).word("العرب") == "الرعب"
    words = often_said(sentences, "ar", common=["العرب", "الناس"])
    assert words == {"الرعب", "العرب"}
    assert Spelling(words).word("العرب") == "العرب"


def test_common_words_are_those_of_the_shipped_encoder() -> None:
    assert {"العرب", "people", "personas"} < common_words()
    assert not {"", "peop"} & common_words()
