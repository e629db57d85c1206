"""A file of labelled texts into rows: CSV or JSON lines, plain or gzip, columns by name. Unusable rows are counted."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from classifiers.training.corpus_store import Row
from classifiers.training.text_file import lines_of, read_text, told
from hustings.errors import ConfigError
from hustings.text import analyse

__all__ = ["Columns", "Imported", "import_rows"]

csv.field_size_limit(10_000_000)
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
    """Usable rows, and how many lines were left out, by reason."""

    rows: list[Row]
    excluded: dict[str, int]


def import_rows(path: Path, columns: Columns) -> Imported:
    """Read the file. Raises `ConfigError` for a file that is none, and for a column that it has not."""
    excluded: Counter[str] = Counter()
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for record in _records(path, columns, excluded):
        row = _row(record, columns, excluded)
        if row is None:
            continue
        former = seen.get(row.text)
        if former is not None and rows[former].label != row.label:
            excluded["same text with the other label"] += 1
            continue
        if former is not None:
            excluded["same text twice"] += 1
            continue
        seen[row.text] = len(rows)
        rows.append(row)
    return Imported(rows, dict(excluded))


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
    if not label or (columns.negative and label not in (columns.positive, columns.negative)):
        excluded["no label" if not label else f"label {label[:30]!r}"] += 1
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
        label=int(label == columns.positive),
        family=record[columns.family].strip() if columns.family else "",
        at=at,
        groups={name: value for name in columns.groups if (value := record[name].strip())},
    )


def _records(path: Path, columns: Columns, excluded: Counter[str]) -> Iterator[dict[str, str]]:
    wanted = [name for name in (columns.text, columns.label, columns.family, columns.at, *columns.groups) if name]
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    if suffixes[-1:] in ([".csv"], [".tsv"]):
        yield from _of_table(path, "\t" if suffixes[-1] == ".tsv" else ",", wanted, excluded)
    else:
        yield from _of_json_lines(path, columns, wanted, excluded)


def _of_table(path: Path, delimiter: str, wanted: list[str], excluded: Counter[str]) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=delimiter)
    try:
        _check_columns(path, wanted, list(reader.fieldnames or ()))
        for record in reader:
            if any(record.get(name) is None for name in wanted):
                excluded["fewer columns than the header"] += 1
                continue
            yield {name: str(record[name]) for name in wanted}
    except csv.Error as error:
        raise ConfigError(f"{told(path)}: line {reader.line_num}: {error}") from error


def _of_json_lines(path: Path, columns: Columns, wanted: list[str], excluded: Counter[str]) -> Iterator[dict[str, str]]:
    are_checked = False
    for line in lines_of(path):
        if not line.strip():
            continue
        try:
            parsed = json.loads(line)
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
        yield {name: _as_text(parsed.get(name)) for name in wanted}


def _check_columns(path: Path, wanted: list[str], found: list[str]) -> None:
    for name in wanted:
        if name not in found:
            raise ConfigError(f"{told(path)}: no column {name!r}; there are {', '.join(map(repr, found)) or 'none'}")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
