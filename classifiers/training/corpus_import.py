"""A file of labelled texts into rows: CSV or JSON lines, plain or gzip, columns by name. Unusable rows are counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from classifiers.csv_table import SEPARATORS, read_table
from classifiers.training.corpus_store import Row
from classifiers.training.labels import is_no_label, parse_line
from classifiers.training.text_file import lines_of, read_text, told
from hustings.errors import ConfigError
from hustings.text import analyse

__all__ = ["Columns", "Imported", "import_rows"]

LONGEST_TEXT = 20_000
"""Characters; what is longer is no post, and is left out rather than cut."""


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Columns(NamedTuple):
    """Which column holds what, and which value of the label is positive. Empty names are columns that there are not."""

    text: str
    label: str
    positive: str
    negative: str = ""
    family: str = ""
    at: str = ""
    groups: tuple[str, ...] = ()


class Imported(NamedTuple):
    """Usable rows, how many lines were left out, by reason, and how often each value of the label stood in the lines
    that were looked at."""

    rows: list[Row]
    excluded: dict[str, int]
    labels: Counter[str]


def import_rows(path: Path, columns: Columns) -> Imported:
    """Read the file. Labels are compared without regard to capitals and the blanks round them; a text that stands there
    with both is left out, since nobody knows which of them is right. Raises `ConfigError` for a file that is none, for
    a column that it has not, and where the column of the text or the label, or the positive label, has no name."""
    for option, value in (("--text", columns.text), ("--label", columns.label), ("--positive", columns.positive)):
        if not value.strip():
            raise ConfigError(f"{option} is {value!r}; only --family, --at, --group and --negative may be empty")
    excluded: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    by_text: dict[str, list[Row]] = {}
    for record in _records(path, columns, excluded):
        labels[record[columns.label].strip()] += 1
        row = _row(record, columns, excluded)
        if row is not None:
            by_text.setdefault(row.text, []).append(row)
    rows: list[Row] = []
    for same in by_text.values():
        if len({row.label for row in same}) > 1:
            excluded["same text with both labels"] += len(same)
        else:
            excluded["same text twice"] += len(same) - 1
            rows.append(same[0])
    return Imported(rows, {reason: count for reason, count in excluded.items() if count}, labels)


def _row(record: dict[str, str], columns: Columns, excluded: Counter[str]) -> Row | None:
    text, label = record[columns.text].strip(), record[columns.label].strip()
    if any(_LONE_SURROGATE.search(value) for value in record.values()):
        excluded["half of a character"] += 1
        return None
    if not text or not analyse(text).tokens:
        excluded["no words"] += 1
        return None
    if len(text) > LONGEST_TEXT:
        excluded[f"longer than {LONGEST_TEXT:,} characters"] += 1
        return None
    is_positive, is_negative = (_is_same(label, value) for value in (columns.positive, columns.negative))
    if is_no_label(label, columns.positive, columns.negative):
        excluded["no label"] += 1
        return None
    if columns.negative and not (is_positive or is_negative):
        excluded[f"label {label[:30]!r}"] += 1
        return None
    at = None
    if columns.at and record[columns.at].strip():
        at = _moment(record[columns.at].strip())
        if at is None:
            excluded["time that is none"] += 1
            return None
    return Row(
        id=hashlib.blake2b(text.encode(), digest_size=12).hexdigest(),
        text=text,
        label=int(is_positive),
        family=record[columns.family].strip() if columns.family else "",
        at=at,
        groups={name: value for name in columns.groups if name and (value := record[name].strip())},
    )


def _records(path: Path, columns: Columns, excluded: Counter[str]) -> Iterator[dict[str, str]]:
    wanted = [name for name in (columns.text, columns.label, columns.family, columns.at, *columns.groups) if name]
    suffixes = [suffix for suffix in map(str.lower, path.suffixes) if suffix != ".gz"]
    if suffixes[-1:] in ([".csv"], [".tsv"]):
        yield from _of_table(path, "\t" if suffixes[-1] == ".tsv" else SEPARATORS, wanted, excluded)
    else:
        yield from _of_json_lines(path, columns, wanted, excluded)


def _of_table(path: Path, separators: str, wanted: list[str], excluded: Counter[str]) -> Iterator[dict[str, str]]:
    table = read_table(read_text(path), told(path), separators=separators)
    _check_columns(path, wanted, table.columns)
    for line in table.lines:
        if line.is_askew:
            excluded["more columns than the header"] += 1
        elif not line.cells.keys() >= set(wanted):
            excluded["fewer columns than the header"] += 1
        else:
            yield {name: line.cells[name] for name in wanted}


def _of_json_lines(path: Path, columns: Columns, wanted: list[str], excluded: Counter[str]) -> Iterator[dict[str, str]]:
    are_checked = False
    for line in lines_of(path):
        if not line.strip():
            continue
        try:
            parsed = parse_line(line)
        except (ValueError, RecursionError):
            excluded["not JSON"] += 1
            continue
        if not isinstance(parsed, dict):
            excluded["not an object"] += 1
            continue
        if not are_checked:
            _check_columns(path, wanted, list(parsed))
            are_checked = True
        if any(parsed.get(name) is None for name in (columns.text, columns.label)):
            excluded["no text or label"] += 1
            continue
        if not isinstance(parsed[columns.text], str):
            excluded["text that is no string"] += 1
            continue
        if not isinstance(parsed[columns.label], str | int | float):
            excluded["label that is a list or an object"] += 1
            continue
        yield {name: _as_text(parsed.get(name)) for name in wanted}
    if excluded and not are_checked:
        raise ConfigError(f"{told(path)}: no line is a JSON object; a table must be called .csv or .tsv")


def _is_same(label: str, value: str) -> bool:
    return label.strip().casefold() == value.strip().casefold()


def _check_columns(path: Path, wanted: list[str], found: list[str]) -> None:
    for name in wanted:
        if name not in found:
            raise ConfigError(f"{told(path)}: no column {name!r}; there are {', '.join(map(repr, found)) or 'none'}")
        if found.count(name) > 1:
            raise ConfigError(f"{told(path)}: {found.count(name)} columns are called {name!r}; name them differently")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # within hours of the year 1 or 9999 the same moment in UTC may lie beyond
        return None
