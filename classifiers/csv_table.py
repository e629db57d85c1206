"""Tables as people save them: commas between cells, or the semicolons and tabs that spreadsheets write. A record whose
cells do not fit the header is told, never read askew."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

from hustings.errors import ConfigError

__all__ = ["Line", "Table", "read_table"]

SEPARATORS = ",;\t"
_LONGEST_CELL = 10_000_000


class Line(NamedTuple):
    """One record: the line of the file where it begins, and its cells by column, fewer where it ends early. `is_askew`:
    it has more cells than the header, as when a text with a comma stands without quotes; no cell of it can be trusted.
    """

    number: int
    cells: dict[str, str]
    is_askew: bool = False


class Table(NamedTuple):
    """The header, and the records below it that are not blank."""

    columns: list[str]
    lines: Iterator[Line]


def read_table(text: str, where: str, *, separators: str = SEPARATORS) -> Table:
    """The separator is the one that makes most columns of the header. Raises `ConfigError`, here and while the lines
    are read, where quotes do not match: everything up to the next one would be taken for one cell."""
    csv.field_size_limit(_LONGEST_CELL)
    columns: list[str] = []
    separator = separators[0]
    for one in separators:
        _, found = next(_records(text, where, one, strict=False), (1, []))
        if len(found) > len(columns):
            columns, separator = found, one
    return Table(columns, _lines(_records(text, where, separator, strict=True), columns))


def _lines(records: Iterator[tuple[int, list[str]]], columns: list[str]) -> Iterator[Line]:
    next(records, None)  # the header
    for number, cells in records:
        if any(cells):
            yield Line(number, dict(zip(columns, cells, strict=False)), is_askew=any(cells[len(columns) :]))


def _records(text: str, where: str, separator: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Each with the line in which it begins."""
    # `splitlines` would cut a text at U+2028
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(
            f"{where}: line {number}: {error}; a cell that holds quotes stands in quotes, and each of its own is "
            "written twice"
        ) from error
