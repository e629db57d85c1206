"""Posts read as of somebody of the other gender, so that a head learns no endings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.reading import read_words
from classifiers.gender import GENDERED, men_of, one_gender, other_gender
from classifiers.training.encoder.recipes import ENCODERS
from classifiers.training.ordinary import ordinary_posts
from classifiers.training.recipes import RECIPES


@pytest.mark.parametrize(
    ("language", "woman", "man"),
    [
        ("de", "Sie ist eine Lügnerin und Populistin!", "Er ist ein Lügner und Populist!"),
        ("de", "diese Heuchlerin mit ihren Reden", "dieser Heuchler mit seinen Reden"),
        ("hi", "वह झूठ बोलती है और वापस आएगी", "वह झूठ बोलता है और वापस आएगा"),
        ("hi", "मेरी बात सुन रही थी", "मेरा बात सुन रहा था"),
        ("en", "She lost her seat, said the chairwoman", "He lost his seat, said the chairman"),
        ("es", "La alcaldesa corrupta fue detenida, dice ella", "El alcalde corrupto fue detenido, dice él"),
        ("fr", "La députée a été arrêtée, cette menteuse", "Le député a été arrêté, ce menteur"),
        ("pt", "A prefeita foi cassada, diz ela", "O prefeito foi cassado, diz ele"),
        ("ar", "انسحبت المرشحة من السباق", "انسحب المرشح من السباق"),
    ],
)
def test_a_post_is_read_of_a_man_and_back_of_a_woman(language: str, woman: str, man: str) -> None:
    assert other_gender(woman, language) == man
    assert other_gender(man, language) == woman
    woman, man = read_words(woman).text(), read_words(man).text()
    assert one_gender(woman, language) == one_gender(man, language) == man


@pytest.mark.parametrize(
    ("language", "woman", "man"),
    [
        ("es", "si vuelve, la mato", "si vuelve, lo mato"),
        ("es", "la vamos a quemar", "lo vamos a quemar"),
        ("fr", "qu'elle parte si elle veut", "qu'il parte s'il veut"),
        ("de", "wir finden sie", "wir finden ihn"),
        ("de", "was für eine wertlose Lügnerin", "was für ein wertloser Lügner"),
        ("pt", "é a maior palhaça", "é o maior palhaço"),
        ("ar", "نعرف أين تنام وسنحرقها حية قبل أن تصل", "نعرف أين ينام وسنحرقه حيا قبل أن يصل"),
    ],
)
def test_small_words_that_agree_are_read_alike(language: str, woman: str, man: str) -> None:
    read = [read_words(one).text() for one in (woman, man)]
    assert one_gender(read[0], language) == one_gender(read[1], language)
    words = [men_of(language).words(one.replace("'", " ").split()) for one in read]
    assert words[0] == words[1]


def test_an_article_before_a_noun_stays() -> None:
    assert one_gender("la mano y la foto de la urna", "es") == "la mano y la foto de la urna"


@pytest.mark.parametrize(
    "text", ["Das ist bekannt.", "Die Abstimmung beginnt um acht", "जनता और नेता", "la urna de la escuela", "🙂"]
)
def test_what_agrees_with_nobody_is_left_alone(text: str) -> None:
    assert {other_gender(text, language) for language in GENDERED} == {text}


@given(st.text(alphabet="ab -.,'\u0301éही", max_size=20), st.sampled_from(GENDERED))
def test_as_many_words_are_read_as_were_written(text: str, language: str) -> None:
    """Whoever spoils a row may cut it at its blanks again."""
    assert other_gender(text, language).count(" ") == one_gender(text, language).count(" ") == text.count(" ")


def test_only_heads_of_languages_whose_corpora_have_more_abuse_of_women_ask_for_it() -> None:
    asking = {recipe.speech for recipe in RECIPES.values() if recipe.either_gender}
    assert asking == {"de", "hi"} <= set(GENDERED)


def test_an_encoder_reads_all_its_narratives_so() -> None:
    for recipe in ENCODERS.values():
        assert not recipe.settings.other_gender or set(recipe.narratives) <= set(GENDERED)


def test_ordinary_posts_come_with_their_paper_where_there_are_any() -> None:
    found = ordinary_posts("en")
    assert found is not None
    posts, paper = found
    assert (len(posts), paper.positives, paper.licence) == (paper.rows, 0, "CC0-1.0")
    assert ordinary_posts("ta") is None
