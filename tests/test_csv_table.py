"""Tables as people save them: whatever stands between the cells, and records that do not fit the header."""

from __future__ import annotations

import pytest

from classifiers.csv_table import Line, read_table
from hustings.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "text,abusive\none two,yes\n",
        "text;abusive\r\none two;yes\r\n",
        "text\tabusive\none two\tyes",
        '"text";"abusive"\n"one two";"yes"\n',
    ],
)
def test_the_separator_is_the_one_of_the_header(text: str) -> None:
    table = read_table(text, "rows.csv")
    assert table.columns == ["text", "abusive"]
    assert list(table.lines) == [Line(2, {"text": "one two", "abusive": "yes"})]


def test_a_semicolon_within_a_text_separates_nothing_in_a_table_of_commas() -> None:
    assert [line.cells for line in read_table("text,abusive\none; two; three,yes\n", "rows.csv").lines] == [
        {"text": "one; two; three", "abusive": "yes"}
    ]


def test_a_record_with_more_cells_than_the_header_is_askew_unless_they_are_empty() -> None:
    table = read_table("text,abusive\none, two,yes\none two,yes,,\n", "rows.csv")
    assert [(line.number, line.is_askew) for line in table.lines] == [(2, True), (3, False)]


def test_blank_records_are_none_and_short_ones_say_what_they_hold() -> None:
    table = read_table('text;abusive\n;\n\n"one\ntwo";yes\nthree\n', "rows.csv")
    assert list(table.lines) == [Line(4, {"text": "one\ntwo", "abusive": "yes"}), Line(6, {"text": "three"})]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('text,abusive\none,yes\n"two,yes\nthree,no\n', "line 3: unexpected end of data"),
        ('text,abusive\n"one,yes\ntwo,no\n"three,no\n', "line 2: ',' expected after '\"'"),
        ('text,abusive\n"he said \\"liar\\" to her",yes\n', "line 2: ',' expected after '\"'"),
    ],
)
def test_quotes_that_do_not_match_swallow_no_records(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"rows\.csv: {says}; a cell that holds quotes stands in quotes"):
        list(read_table(text, "rows.csv").lines)
