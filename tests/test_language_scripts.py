"""The language step looks at scripts and letters by short cuts; here are the plain ways that they must agree with."""

from __future__ import annotations

from datetime import UTC, datetime
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import language
from classifiers.language import FEWEST_LETTERS, FEWEST_LETTERS_ASKED_AGAIN, MIXED_BELOW, Answer, LanguageStep, identify
from hustings.types import Assessment, Post

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé .,!λшаبרकक்ก한あ中ᄀ1🗳\u0301฿")
TEXTS = st.text(CHARACTERS, max_size=80)


def first_script_of_half_the_letters(text: str) -> str | None:
    """Marks are letters of their script."""
    letters = sum(map(str.isalpha, text))
    for codes, pattern in language._SCRIPTS:
        mine = sum(ch.isalpha() for ch in text if pattern.match(ch))
        marks = sum(category(ch)[0] == "M" for ch in text if pattern.match(ch))
        if mine + marks and (mine + marks) / (letters + marks) >= MIXED_BELOW:
            return codes
    return None


def has_two_letters(text: str, codes: str) -> bool:
    pattern = dict(language._SCRIPTS)[codes]
    return len({ch for ch in text if ch.isalpha() and pattern.match(ch)}) > 1


@given(TEXTS)
def test_a_script_tells_the_language_when_it_has_half_the_letters(text: str) -> None:
    codes = first_script_of_half_the_letters(text)
    found, certain = language._by_script(text, frozenset({"ar", "hi"}))
    if codes is None:
        assert (found, certain) == ("und", False)
    elif " " not in codes:
        kana = any("\u3040" <= ch <= "\u30ff" for ch in text)
        assert (found, certain) == (codes, has_two_letters(text, codes) and (codes != "zh" or not kana))
    else:
        spoken = [code for code in codes.split() if code in {"ar", "hi"}]
        assert (found, certain) == (spoken[0] if len(spoken) == 1 else "und", False)


@given(TEXTS)
def test_letters_are_counted_as_far_as_the_count_matters(text: str) -> None:
    count = language._few_letters(text)
    letters = sum(map(str.isalpha, text))
    for limit in (FEWEST_LETTERS, FEWEST_LETTERS_ASKED_AGAIN):
        assert (count >= limit) == (letters >= limit)


NOISE = st.sampled_from(["http://", "https://x", "www.", "@a", "#", "&amp;", "&", "\x07", "a"])


@given(st.lists(NOISE | CHARACTERS, max_size=12))
def test_a_text_without_a_sign_of_noise_holds_none(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert language._without_noise(text) == language._NOISE.sub(" ", text)


@pytest.mark.parametrize(
    "text",
    ["฿500", "৳ 500", "১২৩", "π", "ಠ_ಠ", r"¯\_(ツ)_/¯", "see ಠ_ಠ", "؟؟ 500 ٪"],
    ids=["baht", "taka", "digits", *"1234", "marks"],
)
def test_signs_digits_and_one_letter_are_in_no_language(text: str) -> None:
    answer = identify(text, "", frozenset({"ar", "en"}), language._Langid(["ar", "en"]))
    assert answer == Answer("und", 0.0)


def test_a_script_with_fewer_letters_than_the_other_is_not_certain() -> None:
    """13 of 44 letters are Tamil; their vowel signs alone make it half of what stands there."""
    text = "தேர்தல் முடிவுகள் நாளை வெளி are out and fair counted by everybody"
    assert identify(text, "", frozenset({"en", "ta"}), language._Langid(["en", "ta"])).score < 1.0


def test_a_short_text_of_signs_and_letters_keeps_its_script_beside_a_name() -> None:
    assert identify("Maria रंडी है", "", frozenset({"en", "hi"}), language._Langid(["en", "hi"])).language == "hi"


@pytest.mark.parametrize("step", [LanguageStep(["en"]), LanguageStep.opened(["en"])], ids=["when asked", "ahead"])
def test_the_second_opinion_is_the_same_whenever_it_was_loaded(step: LanguageStep) -> None:
    text = "lol thats sooo tru abt the votin tho"
    [found] = step.classify([_assessment(text)])
    assert Answer(found.lang, found.lang_score) == identify(text, "", frozenset({"en"}), language._Langid(["en"]))


def _assessment(text: str) -> Assessment:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    return Assessment(post=Post(source="s", native_id="1", text=text, published_at=at, collected_at=at))
