"""Assessments as CSV: what a spreadsheet opens, and what it must not run."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.types import Assessment, Flag, Post, Target
from runtime.export import COLUMNS, safe_cell, write_csv

POST = Post(
    source="net",
    native_id="1",
    text="a fine day",
    published_at=datetime(2027, 3, 10, 12, tzinfo=UTC),
    collected_at=datetime(2027, 3, 10, 12, 0, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("a fine day", "a fine day"),
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("https://x.example")', '\'=HYPERLINK("https://x.example")'),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+49 30 1234", "'+49 30 1234"),
        ("-2.5", "-2.5"),
        ("-x", "'-x"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\n=1", "'\n'=1"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "=1+1', "a; \"'=1+1"),
        ("a\n@SUM(A1)\n- b", "a\n'@SUM(A1)\n'- b"),
        ("a;b\nc - d, =e", "a;b\nc - d, =e"),
        ("＝1+1", "'＝1+1"),
        (" =1", " =1"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


def test_one_row_for_each_assessment() -> None:
    out = io.StringIO()
    flagged = Assessment(
        post=msgspec.structs.replace(POST, text='=cmd|"/c calc"!A1,\nsecond line', outlet="the-lantern"),
        lang="en",
        flags=(Flag(code="G", score=0.9), Flag(code="G-THR", score=0.8)),
        targets=(Target(id="c01", role="aimed_at"),),
        story="s1",
    )
    write_csv(out, [flagged, Assessment(post=POST)])
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[0] == {
        "key": "net:1",
        "published_at": "2027-03-10T12:00:00Z",
        "collected_at": "2027-03-10T12:00:01Z",
        "lang": "en",
        "outlet": "the-lantern",
        "author": "",
        "flags": "G G-THR",
        "people": "c01",
        "story": "s1",
        "url": "",
        "text": '\'=cmd|"/c calc"!A1,\nsecond line',
    }
    assert rows[1]["text"] == "a fine day"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_whatever_the_text_it_is_read_back(text: str) -> None:
    out = io.StringIO()
    write_csv(out, [Assessment(post=msgspec.structs.replace(POST, text=text))])
    (row,) = csv.DictReader(io.StringIO(out.getvalue()))
    assert row["text"] == safe_cell(text)


@given(st.text(alphabet='=@＝;"\n\r\t a,+-1'))
def test_nothing_that_is_parted_at_semicolons_begins_a_formula(text: str) -> None:
    out = io.StringIO()
    write_csv(out, [Assessment(post=msgspec.structs.replace(POST, text=text, outlet=text))])
    for cell in re.split(r"[;\t\r\n]", out.getvalue()):
        assert not cell.lstrip('" ').startswith(("=", "@", "＝")), cell
