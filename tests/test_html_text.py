"""HTML in, words out."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.html_text import MAX_HTML, Link, read_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain words", "plain words"),
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("a &amp; b &lt;c&gt; &eacute; &#x1F5F3;", "a & b <c> é 🗳"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("<ScRiPt src='x'>a</script >b", "b"),
        ("before<!-- a > b -->after", "beforeafter"),
        ("before<!-- never closed", "before"),
        ("x <b title=\"1 > 2\" data-x='<i>'>bold</b>", "x bold"),
        ("1 < 2 and 3 <4", "1 < 2 and 3 <4"),
        ("cut <a href", "cut"),
        ("<!DOCTYPE html><?php echo 1 ?>text", "text"),
        ("  much \n\t space  ", "much space"),
        ("<svg><title>x</title></svg>seen<iframe src=y>z</iframe>", "seen"),
        ("vo<b></b>te", "vote"),
    ],
)
def test_words_of_html(html: str, text: str) -> None:
    assert read_html(html).text == text


def test_links_with_their_classes() -> None:
    links = read_html(
        "<a class='u-url mention' href=\"https://a.example/?x=1&amp;y\">a</a><A HREF=/b>b</A><a>c</a>"
    ).links
    assert links == (
        Link("https://a.example/?x=1&y", frozenset({"u-url", "mention"})),
        Link("/b", frozenset()),
    )


def test_what_is_too_long_is_cut_and_said() -> None:
    assert read_html("x" * (MAX_HTML + 1)).is_cut
    assert not read_html("x" * MAX_HTML).is_cut


@given(st.text(alphabet="<>/!-ab\"'= &;#", max_size=200))
def test_it_never_raises_and_leaves_no_element(html: str) -> None:
    assert "<script" not in read_html(html + "<script>").text


@given(st.text(alphabet=st.characters(blacklist_characters="<&", blacklist_categories=["Cs"]), max_size=100))
def test_text_without_markup_stays_as_it_is_but_for_white_space(words: str) -> None:
    assert read_html(words).text.split() == words.split()


@pytest.mark.parametrize(
    "piece",
    ["<", "<!--", '<a "', "<a '>", "<a href=", "&", "&#", "<p>", '<a "x><b>', "</", "<div ", "<a b='\">", " \n"],
)
def test_time_is_linear_in_the_input(piece: str) -> None:
    begun = time.process_time()
    read_html(piece * (300_000 // len(piece)))
    assert time.process_time() - begun < 2
