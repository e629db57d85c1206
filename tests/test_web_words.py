"""Other people's words on the page: cut at the spans, never changed, links never live."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.web.words import direction, inert_link, read, segments
from hustings.types import Span
from tests.desk_world import ARABIC, FALSE_DATE, POSTS

SPANS = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda p: Span(start=min(p), end=max(p))), max_size=6
)


@given(text=st.text(max_size=60), flags=SPANS, targets=SPANS)
def test_the_pieces_of_a_text_are_the_text(text: str, flags: list[Span], targets: list[Span]) -> None:
    pieces = segments(text, flags=flags, targets=targets)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)


@given(text=st.text(min_size=1, max_size=60), flags=SPANS)
def test_exactly_the_characters_of_a_span_are_marked(text: str, flags: list[Span]) -> None:
    wanted = {at for span in flags for at in range(span.start, min(span.end, len(text)))}
    marked, at = set(), 0
    for piece in segments(text, flags=flags):
        if piece.flag:
            marked |= set(range(at, at + len(piece.text)))
        at += len(piece.text)
    assert marked == wanted


def test_overlapping_spans_say_what_each_stretch_belongs_to() -> None:
    pieces = segments("abcdef", flags=[Span(start=1, end=4)], targets=[Span(start=3, end=5)])
    assert [(piece.text, piece.classes) for piece in pieces] == [
        ("a", ""),
        ("bc", "flag"),
        ("d", "flag target"),
        ("e", "target"),
        ("f", ""),
    ]


@pytest.mark.parametrize(
    ("url", "host", "is_disguised"),
    [
        ("https://example.org/a?b#c", "example.org", False),
        ("https://vоte-velmara.example/date", "xn--vte-velmara-rnj.example", True),
        ("http://user:secret@example.org@evil.example/", "evil.example", False),
        ("example.org/path", "example.org", False),
        ("https://[broken", "unreadable host", False),
        ("javascript:alert(1)", "unreadable host", False),
    ],
)
def test_a_link_shows_the_host_as_the_network_sees_it(url: str, host: str, is_disguised: bool) -> None:
    link = inert_link(url)
    assert (link.host, link.address, link.is_disguised) == (host, url, is_disguised)


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("ar", "rtl"), ("he-IL", "rtl"), ("ur", "rtl"), ("en", "auto"), ("", "auto"), ("und", "auto")],
)
def test_the_direction_of_a_text_comes_from_its_language_or_from_the_browser(lang: str, expected: str) -> None:
    assert direction(lang) == expected


def test_a_reading_lists_each_span_in_the_order_of_the_text() -> None:
    arabic = read(next(post for post in POSTS if post.post.text == ARABIC))
    assert [(excerpt.label, excerpt.text, excerpt.is_target) for excerpt in arabic.excerpts] == [
        ("mara-tellan", "مارا تيلان", True),
        ("G-UNFIT", "مكانها البيت", False),
    ]
    assert (arabic.lang, arabic.direction) == ("ar", "rtl")
    date = read(next(post for post in POSTS if post.post.text == FALSE_DATE))
    assert [piece.text for piece in date.text if piece.flag] == ["the vote in the north is moved to MONDAY"]
