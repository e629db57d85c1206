"""One table and one function say by which code a language goes: for detectors, sources, queries and settings."""

from __future__ import annotations

from datetime import UTC, datetime

import pycld2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.language import LanguageStep
from hustings.errors import ConfigError
from hustings.language_tags import language_tag, setting_tag
from hustings.query import RULE, parse, predicate
from hustings.query.languages import LANGUAGES, RENAMED, code_of, primary
from hustings.testing.query_vocabulary import query_vocabulary
from hustings.types import Assessment, Post

VOCABULARY = query_vocabulary()
NOW = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("pt", "pt"),
        ("PT_br", "pt"),
        (" zh-Hant-TW ", "zh"),
        ("iw", "he"),
        ("mo", "ro"),
        ("sh", "sr"),
        ("nb-NO", "no"),
        ("nn", "nn"),
        ("fil", "tl"),
        ("", ""),
        ("und", ""),
        ("zxx", ""),
        ("zzp", ""),
        ("Portuguese", ""),
        ("pt,es", ""),
    ],
)
def test_a_language_has_one_code(tag: str, code: str) -> None:
    assert primary(tag) == code


@given(st.text(max_size=12) | st.sampled_from([*LANGUAGES, *RENAMED]))
def test_the_code_of_a_code_is_itself(tag: str) -> None:
    code = primary(tag)
    assert code == "" or code in LANGUAGES.keys() - RENAMED
    assert primary(code) == code


@pytest.mark.parametrize(
    "code", sorted({code for _, code in pycld2.LANGUAGES if code.partition("-")[0] in LANGUAGES.keys() | RENAMED})
)
def test_a_query_by_what_the_detector_says_finds_the_post(code: str) -> None:
    written = primary(code)
    assert is_found(f"lang:{written}", Assessment(post=post(""), lang=written))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Valglokalene stenger klokken sju og tellingen begynner straks", ("no", "nb")),
        ("Ang halalan ay gaganapin sa darating na Linggo sa buong bansa", ("tl", "fil")),
        ("הבחירות יתקיימו ביום ראשון", ("he", "iw")),
    ],
)
def test_a_language_of_two_codes_is_found_by_either(text: str, asked: tuple[str, ...]) -> None:
    [found] = LanguageStep().classify([Assessment(post=post(text))])
    for code in asked:
        assert is_found(f"lang:{code}", found)
        assert is_found(f"lang:{code}", Assessment(post=post(text, lang=code), lang="und"))


def test_a_declared_language_that_does_not_exist_is_unknown() -> None:
    assert is_found("-lang:*", Assessment(post=post("x", lang="Portuguese"), lang="und"))


@pytest.mark.parametrize(
    ("name", "code"), [("portuguese", "pt"), ("Filipino", "tl"), ("Tagalog", "tl"), ("Elvish", "")]
)
def test_a_name_has_a_code(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(("text", "tag"), [("pt_BR", "pt-BR"), ("ES", "es"), ("en-in", "en-IN"), ("nb", "no")])
def test_settings_write_languages_in_their_way(text: str, tag: str) -> None:
    assert setting_tag(text) == tag


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sp", "near are 'es' (Spanish)"),
        ("portugese", "near are 'pt' (Portuguese)"),
        ("esp", "'es' (Spanish)"),
        ("Portuguese", "did you mean 'pt'?"),
        ("filipino", "did you mean 'tl'?"),
        ("und", "write BCP 47"),
        ("", "write BCP 47"),
        ("x" * 100_000, "write BCP 47"),
    ],
)
def test_what_names_no_language_is_an_error_with_those_that_are_near(text: str, told: str) -> None:
    for read, error in ((language_tag, ConfigError), (setting_tag, ValueError)):
        with pytest.raises(error) as raised:
            read(text)
        assert told in str(raised.value)


def post(text: str, *, lang: str = "") -> Post:
    return Post(source="s", native_id="1", text=text, lang=lang, published_at=NOW, collected_at=NOW)


def is_found(query: str, assessment: Assessment) -> bool:
    return predicate(parse(query, vocabulary=VOCABULARY, limits=RULE))(assessment)
