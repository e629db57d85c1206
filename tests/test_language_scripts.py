"""The language step looks at scripts and letters by short cuts; here are the plain ways that they must agree with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers import language
from classifiers.language import FEWEST_LETTERS, FEWEST_LETTERS_ASKED_AGAIN, MIXED_BELOW, Answer, LanguageStep, identify
from hustings.types import Assessment, Post

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé .,!λшаبרकक்ก한あ中ᄀ1🗳\u0301")
TEXTS = st.text(CHARACTERS, max_size=80)


def first_script_of_half_the_letters(text: str) -> str | None:
    letters = sum(map(str.isalpha, text))
    for codes, pattern in language._SCRIPTS:
        runs = pattern.findall(text)
        if runs and sum(map(len, runs)) / max(letters, 1) >= MIXED_BELOW:
            return codes
    return None


@given(TEXTS)
def test_a_script_tells_the_language_when_it_has_half_the_letters(text: str) -> None:
    codes = first_script_of_half_the_letters(text)
    found, certain = language._by_script(text, frozenset({"ar", "hi"}))
    if codes is None:
        assert (found, certain) == ("und", False)
    elif " " not in codes:
        assert (found, certain) == (codes, codes != "zh" or not any("\u3040" <= ch <= "\u30ff" for ch in text))
    else:
        spoken = [code for code in codes.split() if code in {"ar", "hi"}]
        assert (found, certain) == (spoken[0] if len(spoken) == 1 else "und", False)


@given(TEXTS)
def test_letters_are_counted_as_far_as_the_count_matters(text: str) -> None:
    count = language._few_letters(text)
    letters = sum(map(str.isalpha, text))
    for limit in (FEWEST_LETTERS, FEWEST_LETTERS_ASKED_AGAIN):
        assert (count >= limit) == (letters >= limit)


@pytest.mark.parametrize("step", [LanguageStep(["en"]), LanguageStep.opened(["en"])], ids=["when asked", "ahead"])
def test_the_second_opinion_is_the_same_whenever_it_was_loaded(step: LanguageStep) -> None:
    text = "lol thats sooo tru abt the votin tho"
    [found] = step.classify([_assessment(text)])
    assert Answer(found.lang, found.lang_score) == identify(text, "", frozenset({"en"}), language._Langid(["en"]))


def _assessment(text: str) -> Assessment:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    return Assessment(post=Post(source="s", native_id="1", text=text, published_at=at, collected_at=at))
