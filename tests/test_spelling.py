"""Which word of a language a token stands for, by itself and among others."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.readable import Readable
from classifiers.roster_names import RosterNames
from classifiers.spelling import IN_A_TAG, SET_APART, Spelling
from classifiers.training.common_words import common_words
from classifiers.training.often_said import often_said
from hustings.roster import Person, Roster
from hustings.text import analyse

ENGLISH = Spelling(
    ["a", "ballot", "committee", "cow", "day", "election", "fraud", "i", "is", "look", "no", "on", "posters", "vote"]
)
SPANISH = Spelling(["a", "de", "entraba", "entrevistada", "esos", "feminazi", "mierda", "primero", "y"])
FRENCH = Spelling(["dans", "homme", "l", "urne"])
HINDI = Spelling(["खाली", "वोट", "का", "चुनाव", "औरत", "देगा", "वो"])
SPELLINGS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH, "hi": HINDI}


@pytest.mark.parametrize(
    ("spelling", "token", "word"),
    [
        (ENGLISH, "blalot", "ballot"),  # two neighbours
        (ENGLISH, "elections", "elections"),
        (ENGLISH, "comittee", "committee"),  # the analyser makes one letter of `mmmm`
        (ENGLISH, "lok", "lok"),  # too short to tell
        (ENGLISH, "vtoe" * 60, "vtoe" * 60),
        (ENGLISH, "3lection", "election"),  # a figure at the edge
        (SPANISH, "3n7r4b4", "entraba"),
        (SPANISH, "c0n73st0n4", "contestona"),  # no word that is known, but nobody writes figures so
        (SPANISH, "covid19", "covid19"),
        (SPANISH, "h1n1", "h1n1"),
        (SPANISH, "17h30min", "17h30min"),
        (SPANISH, "10h30m15s", "10h30m15s"),
        (SPANISH, "a3f5c9d1", "a3f5c9d1"),
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
        ("feminazidemierda", IN_A_TAG, ["feminazi", "de", "mierda"]),
        ("primeroy", SET_APART, ["primero", "y"]),
        ("feminazidemierda", SET_APART, []),  # `de` is too short where letters were set apart
        ("entrabaxx", IN_A_TAG, []),  # not all of it is words
        ("esosde", IN_A_TAG, []),  # too short a tag: it may be a name
        ("dedededede", IN_A_TAG, []),  # nearly anything can be spelt with short words
        ("primero" * 9, IN_A_TAG, []),  # longer than anybody writes
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
        ("hi", "रिश्वत खा ली", "रिश्वत खा ली"),
        ("en", "vitamin c. o w is good", "vitamin c. o w is good"),  # a sentence ends
        ("en", "🤬 f r a u d", "🤬 fraud"),
        ("en", "no 5 f r a u d", "no 5 fraud"),
        ("en", "a·f·r·a·u·d", "a fraud"),
        ("en", "fra/@ud x", "fra/ they x"),
        ("es", "#lula #cadade", "lula cadade"),
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
    gap = st.sampled_from(["blank", "sign", "end"])
    gaps = data.draw(st.none() | st.lists(gap, min_size=len(tokens), max_size=len(tokens)))
    joined = spelling.rejoin(tokens, gaps)
    assert len(joined) == len(tokens) == len(spelling.respelt(tokens))
    assert len("".join(joined)) >= len("".join(tokens))  # a hidden letter comes back, none goes
    assert spelling.rejoin(joined) == joined


@given(st.text(alphabet="aivotecowdyn", max_size=70), st.sampled_from([IN_A_TAG, SET_APART]))
def test_the_words_of_letters_spell_them(letters: str, shortest: int) -> None:
    words = ENGLISH.split(letters, shortest)
    assert not words or ("".join(words) == letters and all(map(ENGLISH.knows, words)))


def test_a_name_and_a_handle_are_no_part_of_a_word_however_they_are_written() -> None:
    names = RosterNames(Roster(version="1", people=(Person(id="p", name="Vell", aliases=("Oona Vell",)),)))
    spelling = Spelling(["the", "y", "user", "amuser", "theyment", "ment"])
    for text in ("Vell ment", "#Vell ment", "V.e.l.l ment"):
        assert Readable(text, language="fr", spelling=spelling, names=names).text(0, 9) == "they ment"
    assert Readable("am/@bob ment", language="fr", spelling=spelling).text(0, 9) == "am/ they ment"


def test_a_title_and_a_text_are_never_one_row_of_letters() -> None:
    assert Readable("vitamin c", "o w is", language="en", spelling=ENGLISH).text(0, 9) == "vitamin c o w is"


@pytest.mark.parametrize("text", ["#f " + "x " * 270, "l'h." + "x." * 270, ("v o t e " * 3000), "a,b," * 4000 + "c d"])
def test_a_hostile_row_of_letters_is_read_in_its_turn(text: str) -> None:
    began = process_time()
    read = Readable(text, language="en", spelling=ENGLISH).text(0, 99_999)
    ENGLISH.said(analyse(text).tokens)
    assert read
    assert process_time() - began < 5  # seconds; quadratic ones take minutes


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
