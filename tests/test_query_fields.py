"""The field readers take short cuts for what nearly every post holds: here are the plain ways to hold them against."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hustings.query.fields import fold_host, keyword_values
from hustings.text import analyse
from hustings.types import Assessment, Post

AT = datetime(2027, 1, 1, tzinfo=UTC)
HOSTS = st.text("abz09.-:@[]é\t /?#%\\", max_size=12)
WORDS = st.lists(st.sampled_from(["#Vote", "vote", "#", "@ana", "@ana@b.org", "##x", "a#b", "#é"]), max_size=6)


def assessment(text: str = "", *, links: tuple[str, ...] = (), hashtags: tuple[str, ...] = ()) -> Assessment:
    post = Post(source="s", native_id="1", text=text, published_at=AT, collected_at=AT, links=links, hashtags=hashtags)
    return Assessment(post=post, tokens=analyse(text).tokens)


def host_of(url: str) -> str:
    """What the standard library takes for the host of an address with a scheme."""
    try:
        return fold_host(urlsplit(url).hostname or "")
    except ValueError:
        return ""


@given(st.sampled_from(["http://", "https://"]), HOSTS)
@example("https://", "news.example.org./a:b@c")
@example("http://", "a\tb.example/")
@example("http://", "a@b.example")
@example("http://", "a\\b.example")
@example("http://", "a.example\n")
def test_the_domain_of_a_link_is_its_host(scheme: str, rest: str) -> None:
    host = host_of(scheme + rest)
    assert keyword_values(assessment(links=(scheme + rest,)), "domain") == ((host,) if host else ())


@given(WORDS, WORDS)
def test_hashtags_are_those_of_the_text_and_then_those_that_only_the_source_lists(
    words: list[str], listed: list[str]
) -> None:
    text = " ".join(words)
    of_text = [token[1:] for token in analyse(text).tokens if token.startswith("#")]
    found = keyword_values(assessment(text, hashtags=tuple(listed)), "hashtag")
    assert found[: len(dict.fromkeys(of_text))] == tuple(dict.fromkeys(of_text))
    assert len(set(found)) == len(found)
    assert "" not in found


@pytest.mark.parametrize(
    ("detected", "declared", "expected"),
    [("pt-BR", "", ("pt",)), ("und", "es_MX", ("es",)), ("", "und", ()), ("iw", "", ("he",)), ("EN", "fr", ("en",))],
)
def test_the_language_is_the_primary_subtag(detected: str, declared: str, expected: tuple[str, ...]) -> None:
    post = Post(source="s", native_id="1", text="", published_at=AT, collected_at=AT, lang=declared)
    assert keyword_values(Assessment(post=post, lang=detected), "lang") == expected
