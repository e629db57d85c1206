"""Posts read as of somebody of the other gender, so that a head learns no endings."""

import pytest

from classifiers.training.other_gender import GENDERED, other_gender
from classifiers.training.own_posts import ordinary_posts
from classifiers.training.recipes import RECIPES


@pytest.mark.parametrize(
    ("language", "woman", "man"),
    [
        ("de", "Sie ist eine Lügnerin und Populistin!", "Er ist ein Lügner und Populist!"),
        ("de", "diese Heuchlerin mit ihren Reden", "dieser Heuchler mit seinen Reden"),
        ("hi", "वह झूठ बोलती है और वापस आएगी", "वह झूठ बोलता है और वापस आएगा"),
        ("hi", "मेरी बात सुन रही थी", "मेरा बात सुन रहा था"),
    ],
)
def test_a_post_is_read_of_a_man_and_back_of_a_woman(language: str, woman: str, man: str) -> None:
    assert other_gender(woman, language) == man
    assert other_gender(man, language) == woman


@pytest.mark.parametrize("text", ["Das ist bekannt.", "Die Abstimmung beginnt um acht", "जनता और नेता", "🙂"])
def test_what_agrees_with_nobody_is_left_alone(text: str) -> None:
    assert [other_gender(text, language) for language in GENDERED] == [text, text]


def test_only_heads_of_languages_that_can_be_read_so_ask_for_it() -> None:
    asking = {recipe.speech for recipe in RECIPES.values() if recipe.either_gender}
    assert asking == set(GENDERED)


def test_ordinary_posts_come_with_their_paper_where_there_are_any() -> None:
    found = ordinary_posts("en")
    assert found is not None
    posts, paper = found
    assert (len(posts), paper.positives, paper.licence) == (paper.rows, 0, "CC0-1.0")
    assert ordinary_posts("de") is None
