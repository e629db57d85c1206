"""What stands in place of a label where nobody labelled a row: no value that a model could learn or be measured by."""

from __future__ import annotations

import json
from typing import NoReturn

__all__ = ["is_no_label", "parse_line"]

_NOBODY_SAID = frozenset({"", "nan", "n/a", "na", "null", "none"})
"""As spreadsheets and data frames write an empty cell."""


def is_no_label(label: str, *meant: str) -> bool:
    """Whether nobody labelled this row. A word of `meant` is a label all the same, unless it is empty."""
    word = label.strip().casefold()
    return word in _NOBODY_SAID and not (word and word in {value.strip().casefold() for value in meant})


def parse_line(line: str) -> object:
    """The JSON value of a line. Raises `ValueError` for what is none, NaN and Infinity among it: Python writes and
    reads them, and they would become labels. Raises `RecursionError` for what nests too deep."""
    return json.loads(line, parse_constant=_no_number)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
