"""Whoever is spoken of, narratives are told alike: encoder, columns and likeness read the same of women and of men."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.reading import read_words
from classifiers.gender import GENDERED, LEFT_OUT, men_of, one_gender
from classifiers.gendered_words import WORDS
from classifiers.narratives.concepts import concept_languages, load_concepts
from classifiers.narratives.lexicon import Lexicon
from classifiers.narratives.likeness import Likeness
from classifiers.narratives.seeds import example_languages, load_examples
from classifiers.narratives.subject import load_subjects
from classifiers.spelling import Spelling
from hustings.text import analyse

LANGUAGES = concept_languages()
CONCEPTS = {language: load_concepts(language) for language in LANGUAGES}
LEXICONS = {
    language: Lexicon(concepts, Spelling(concepts.whole_words), load_subjects(concepts).core)
    for language, concepts in CONCEPTS.items()
}
OF_EITHER = [
    ("en", "they struck her off this morning, her box is empty", "they struck him off this morning, his box is empty"),
    ("en", "Who votes for her? I say: jail her.", "Who votes for him? I say: jail him."),
    ("en", "She told her lies, her party knew", "He told him lies, his party knew"),
    ("es", "Ella misma lo dijo, está muerta", "Él mismo lo dijo, está muerto"),
    ("es", "esta candidata detenida está sola", "este candidato detenido está solo"),
    ("es", "la renuncia de la alcaldesa le costó a la candidata", "la renuncia del alcalde le costó al candidato"),
    ("es", "la líder y la fiscal", "el líder y el fiscal"),
    ("fr", "elle s'est retirée, la maire est exclue", "il s'est retiré, le maire est exclu"),
    ("fr", "le choix de la candidate, à la sénatrice", "le choix du candidat, au sénateur"),
    ("pt", "deram à candidata o que era da prefeita", "deram ao candidato o que era do prefeito"),
    ("pt", "ela está presa, esta senadora", "ele está preso, este senador"),
    ("hi", "वह मर चुकी हैं, चुनाव छोड़ गईं", "वह मर चुके हैं, चुनाव छोड़ गए"),
    ("hi", "जीत नहीं पाईं तो क्या करेंगी", "जीत नहीं पाए तो क्या करेंगे"),
    ("hi", "सजावट वाली प्रत्याशी लाई हैं", "सजावट वाले प्रत्याशी लाए हैं"),
    ("hi", "चुप रह री, उस जैसी कोई इतनी मक्कार नहीं", "चुप रह रे, उस जैसा कोई इतना मक्कार नहीं"),
    ("ar", "قالت لفريقها إنها انسحبت", "قال لفريقه إنه انسحب"),
    ("ar", "وللمرشحة خانتها، وستعلن غيرها", "وللمرشح خانته، وسيعلن غيره"),
    ("ar", "ماتت وهي رئيسة الحزب", "مات وهو رئيس الحزب"),
    ("ar", "لا تستطيع أن تقرأ ورقتها", "لا يستطيع أن يقرأ ورقته"),
]
"""The same said of a woman and of a man."""


@pytest.mark.parametrize(("language", "woman", "man"), OF_EITHER)
def test_an_encoder_gets_the_same_to_read(language: str, woman: str, man: str) -> None:
    read = [one_gender(read_words(text).text(), language) for text in (woman, man)]
    assert read[0] == read[1]
    assert one_gender(read[0], language) == read[0]


@pytest.mark.parametrize(("language", "woman", "man"), [one for one in OF_EITHER if "del alcalde" not in one[2]])
def test_columns_get_the_same_to_read(language: str, woman: str, man: str) -> None:
    """But for places behind an article that melted with the word before it: the man has a word less."""
    lexicon = LEXICONS[language]
    read = [lexicon.terms(analyse(text).tokens) for text in (woman, man)]
    if LEFT_OUT in men_of(language).words(analyse(woman).tokens):
        assert read[0].concepts == read[1].concepts
        assert set(read[0].forms) - {None} == set(read[1].forms) - {None}
    else:
        assert read[0] == read[1]


@pytest.mark.parametrize(("language", "woman", "man"), [one for one in OF_EITHER if one[0] in example_languages()])
def test_likeness_compares_the_same(language: str, woman: str, man: str) -> None:
    likeness = Likeness(load_examples(language))
    about = next(word for words in likeness_words(language) for word in words)
    compared = [likeness.compare(analyse(f"{text} {about}").tokens) for text in (woman, man)]
    assert compared[0] == compared[1]


def likeness_words(language: str) -> list[list[str]]:
    return [sorted(words) for words in load_examples(language).about.values()]


def pairs_of(language: str) -> list[tuple[str, str]]:
    """Every word of the table, as the analyser writes it, and what it is of a man."""
    words = WORDS[language]
    found = {**words.pairs, **words.men}
    return [(analyse(woman).tokens[0], analyse(man).tokens[0]) for woman, man in found.items()]


PAIRS = {language: pairs_of(language) for language in GENDERED}
TOLD = st.sampled_from(LANGUAGES).flatmap(
    lambda language: st.tuples(
        st.just(language),
        st.sampled_from(PAIRS[language]),
        st.lists(st.sampled_from(CONCEPTS[language].whole_words), max_size=5),
        st.lists(st.sampled_from(CONCEPTS[language].whole_words), max_size=5),
    )
)


@given(TOLD)
def test_a_word_has_the_same_terms_in_both_genders_wherever_it_stands(
    told: tuple[str, tuple[str, str], list[str], list[str]],
) -> None:
    language, both, before, after = told
    lexicon = LEXICONS[language]
    woman, man = ([*before, word, *after] for word in both)
    assert lexicon.terms(woman) == lexicon.terms(man)
    assert lexicon.speaks(woman) == lexicon.speaks(man)
    assert CONCEPTS[language].find(woman) == CONCEPTS[language].find(man)


@pytest.mark.parametrize("language", GENDERED)
def test_what_is_read_of_a_man_stays(language: str) -> None:
    men = men_of(language)
    assert {man for _, man in PAIRS[language] if men.word(man) != man} == set()


@given(st.sampled_from(GENDERED), st.data())
def test_every_token_keeps_its_place(language: str, data: st.DataObject) -> None:
    """So that the spans of a flag are those of the words as they were written."""
    articles = sorted(WORDS[language].articles) or ["x"]
    word = st.sampled_from(PAIRS[language]).flatmap(st.sampled_from) | st.sampled_from([*articles, "de", "a", "her"])
    tokens = data.draw(st.lists(word, max_size=8))
    assert len(men_of(language).words(tokens)) == len(tokens)


def test_a_word_of_a_woman_in_the_lists_is_found_of_a_man_too() -> None:
    spanish, hindi = CONCEPTS["es"], CONCEPTS["hi"]
    for language, woman, man in (("en", "daughter", "son"), ("es", "hermana", "hermano"), ("fr", "sœur", "frère")):
        one, other = (CONCEPTS[language].entries(analyse(word).tokens[0]) for word in (woman, man))
        assert one == other != ()
    names = spanish.names
    assert names.index("government") in {one.concept for one in spanish.entries("senadora")}
    assert names.index("die") in {one.concept for one in hindi.find(["मर", "गईं"])}


def test_other_languages_are_read_as_they_are() -> None:
    assert men_of("ta").words(["she", "la", "candidata"]) == ["she", "la", "candidata"]
    assert one_gender("she", "ta") == "she"
