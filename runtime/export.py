"""Assessments as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import TextIO

from hustings.clock import rfc3339
from hustings.types import Assessment

__all__ = ["COLUMNS", "safe_cell", "write_csv"]

COLUMNS = ("key", "published_at", "collected_at", "lang", "outlet", "author", "flags", "people", "story", "url", "text")


_INNER_FORMULA = re.compile(r"([;\t\r\n][\" ]*)(?=[=+\-@＝＋－＠])")
"""Where a cell begins for a spreadsheet that parts cells at semicolons or tabs: in most of Europe and Latin America a
double click does, and our quotes then mean nothing, so that a line end in a text begins a row."""


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: `'` before `= + - @`, their full-width forms, tab and line ends,
    unless it is a number (ASVS 5.0, 1.2.10); and before the former inside a cell, where it may be parted."""
    if not text:
        return text
    guarded = _INNER_FORMULA.sub(r"\1'", text)
    if text[0] not in "=+-@＝＋－＠\t\r\n":
        return guarded
    try:
        float(text)
    except ValueError:
        return "'" + guarded
    return text


def write_csv(out: TextIO, assessments: Iterable[Assessment]) -> None:
    """A header and one row for each assessment."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for a in assessments:
        row = (
            a.key,
            rfc3339(a.post.published_at),
            rfc3339(a.post.collected_at),
            a.lang,
            a.post.outlet,
            a.post.author,
            " ".join(flag.code for flag in a.flags),
            " ".join(target.id for target in a.targets),
            a.story,
            a.post.url,
            a.post.text,
        )
        writer.writerow([safe_cell(cell) for cell in row])
