"""Which of our own sentences a flagged post reads most like, beside the flags that narrative heads give."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.encoder.codes import load_code_readers
from classifiers.narratives.concepts import load_concepts
from classifiers.narratives.nearest import Nearest
from classifiers.narratives.seeds import example_languages, load_examples, load_seeds, seed_languages
from classifiers.narratives.step import Narratives
from classifiers.narratives.teller import load_tellers
from classifiers.pipeline import shipped_models
from classifiers.store import serving
from hustings.text import analyse
from hustings.types import Assessment, Flag, Post

NOW = datetime(2026, 10, 1, tzinfo=UTC)
FOLDERS = serving(shipped_models())
READERS = {reader.network: reader for reader in load_code_readers(FOLDERS.values())}
TELLERS = load_tellers(FOLDERS.values(), open_encoder=READERS.get)
STEP = Narratives(TELLERS)
KNOWN = {language: Nearest(load_concepts(language), load_seeds(language).sha256) for language in seed_languages()}
MOST_S = 0.002

POSTS = {
    "en": "Reminder!! the vote was moved to Monday, do not bother going on Sunday",
    "es": "cambiaron la fecha de las elecciones, ahora son el 21 y no el 20, pásenlo",
    "fr": "Info du voisin : on ne vote plus dimanche, le scrutin est passé à jeudi, faites passer",
    "pt": "Mudou a data da eleição, agora é dia 21 e não dia 20, repassem",
    "ar": "غيروا موعد الانتخابات صارت يوم 21 وليس 20 انشروها",
    "hi": "चुनाव की तारीख बदल गई, अब 21 को वोट पड़ेंगे 20 को नहीं, सबको बताओ",
}


def flags(text: str, lang: str, title: str = "") -> tuple[Flag, ...]:
    post = Post(source="s", native_id="1", text=text, title=title, published_at=NOW, collected_at=NOW)
    given = Assessment(post=post, lang=lang, tokens=analyse(text).tokens, title_tokens=analyse(title).tokens)
    return STEP.classify([given])[0].flags


@cache
def sentences(language: str, code: str) -> set[str]:
    """Ours, of this code or one below it."""
    known = [*load_seeds(language).examples, *load_seeds(language).held_out]
    if language in example_languages():
        known += load_examples(language).examples
    return {one.text for one in known if f"{one.code}-".startswith(f"{code}-")}


def test_posts_are_written_for_every_language_that_has_seeds() -> None:
    assert sorted(POSTS) == seed_languages()


@pytest.mark.parametrize(("lang", "text"), POSTS.items())
def test_a_flagged_post_names_one_of_our_sentences_of_the_same_code_in_its_language(lang: str, text: str) -> None:
    (flag,) = flags(text, lang)
    assert flag.example in sentences(lang, flag.code)


def test_the_sentence_is_the_one_that_says_the_same() -> None:
    tokens = analyse("dead people voted for the government by the thousands, all of it is fraud").tokens
    found = KNOWN["en"].sentence(tokens, "N-DELEG-FRAUD")
    assert found == "Thousands of dead people voted for the government, it is all fraud."


def test_the_same_meaning_in_other_words_is_near_too() -> None:
    tokens = analyse("now the ballot is cast via sms and you needn't walk to the school").tokens
    found = KNOWN["en"].sentence(tokens, "N-PROC-HOW")
    assert found == "An SMS to 6060 counts as a vote."


def test_a_coarse_code_is_shown_by_a_sentence_of_a_finer_one() -> None:
    found = KNOWN["fr"].sentence(analyse(POSTS["fr"]).tokens, "N-PROC")
    assert found in sentences("fr", "N-PROC-DATE")


def test_a_flag_by_likeness_names_the_example_that_it_was_given_for() -> None:
    (flag,) = flags(POSTS["en"], "en")
    assert flag.example == "Reminder: the vote has been moved to Monday, so don't bother going on Sunday."


def test_an_answer_is_shown_by_an_answer() -> None:
    (flag,) = flags("FALSE: voting has NOT been moved to Tuesday. Election day is still Sunday.", "en")
    assert flag.code == "X-COUNTER"
    assert flag.example in sentences("en", "X-COUNTER")


def test_of_a_long_post_the_part_that_was_flagged_is_compared() -> None:
    chatter = "Le pain sent bon ce matin et les enfants jouent dans la cour avec le chien du voisin. " * 4
    (alone,) = flags(POSTS["fr"], "fr")
    (sunk,) = flags(f"{chatter}{POSTS['fr']}", "fr")
    assert sunk.example in sentences("fr", alone.code)


def test_a_post_that_shares_no_word_is_said_to_be_like_nothing() -> None:
    assert KNOWN["es"].sentence(analyse("zyx wvu tsr").tokens, "A-THREAT") == ""
    assert KNOWN["es"].sentence((), "A-THREAT") == ""


def test_beside_other_seeds_than_those_that_the_model_learnt_from_nothing_is_said_to_be_alike() -> None:
    elsewhere = Nearest(load_concepts("pt"), "0" * 64)
    assert elsewhere.sentence(analyse(POSTS["pt"]).tokens, "N-PROC-DATE") == ""


def test_the_models_that_serve_know_the_sentences_that_they_learnt_from() -> None:
    assert sorted(teller.manifest.language for teller in TELLERS) == seed_languages()
    for teller in TELLERS:
        assert teller.nearest.sentence(analyse(POSTS[teller.manifest.language]).tokens, "N-PROC-DATE")


def test_every_sentence_fits_into_a_flag() -> None:
    texts = [one.text for lang in seed_languages() for one in (*load_seeds(lang).examples, *load_seeds(lang).held_out)]
    texts += [one.text for language in example_languages() for one in load_examples(language).examples]
    assert max(map(len, texts)) <= 512


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12).filter(bool), max_size=60), st.sampled_from(seed_languages()))
def test_whatever_the_tokens_the_answer_is_a_sentence_of_ours_or_none(tokens: list[str], language: str) -> None:
    assert KNOWN[language].sentence(tokens, "N-DELEG-FRAUD") in {"", *sentences(language, "N-DELEG-FRAUD")}


def test_posts_without_a_flag_read_no_sentence() -> None:
    tellers = load_tellers(FOLDERS.values(), open_encoder=READERS.get)
    ordinary = {
        "en": "The polls close at eight on Sunday.",
        "pt": "Nosso jogo mudou para segunda, não venham no domingo",
    }
    for language, text in ordinary.items():
        post = Post(source="s", native_id="1", text=text, published_at=NOW, collected_at=NOW)
        (told,) = Narratives(tellers).classify([Assessment(post=post, lang=language, tokens=analyse(text).tokens)])
        assert told.flags == ()
    assert [teller.nearest.codes_read for teller in tellers] == [()] * len(tellers)


@pytest.mark.parametrize(("lang", "text"), POSTS.items())
def test_once_a_code_was_read_a_sentence_is_found_within_two_milliseconds(lang: str, text: str) -> None:
    tokens = analyse(text).tokens
    KNOWN[lang].sentence(tokens, "N-PROC")
    spent = []
    for _ in range(20):
        begin = perf_counter()
        KNOWN[lang].sentence(tokens, "N-PROC")
        spent.append(perf_counter() - begin)
    assert min(spent) < MOST_S
