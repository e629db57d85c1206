"""Telephone numbers in a text, told from the figures of an election: dates, times, counts, prices, results.

Whatever has seven digits and more is a number, with any of the usual separators, unless it is written as a figure.
Shorter ones cannot be told from figures and stay. Where both are possible it is a number: a figure that is cut costs
the reader little."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["telephone_numbers"]

FEWEST_DIGITS = 7

_BETWEEN = r"(?:[\s().\[\]/\\_~*·•∙⋅'’‐–—―−-]|:(?!\s))"
_RUN = re.compile(rf"(?:\+\s?)?\(?\d(?:{_BETWEEN}*\d){{{FEWEST_DIGITS - 1},}}")
_NUMBER = re.compile(r"(?:\+\s?)?\(?\d.*\d", re.DOTALL)

_DASH = r"\s?[‐–—−/-]\s?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[3-9]|2[05])\d\d"
"""1300 to 2099, and Buddhist years from 2500."""
_OUR_YEAR = r"(?:19|20)\d\d"
_HOUR = r"(?:[01]?\d|2[0-4])"
_TIME = rf"{_HOUR}:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_ISO_DATE = rf"(?:{_YEAR}[-./_]\s?{_MONTH}[-./_]\s?{_DAY})"
_DATE = rf"(?:{_ISO_DATE}|(?:{_DAY}\.?{_DASH})?{_DAY}[-./_]\s?{_DAY}[-./_]\s?{_YEAR})"
_SHORT_DATE = rf"{_DAY}[-./_]{_DAY}[-./_]\d\d"

_CERTAIN = (
    _DATE,
    rf"{_DATE}{_DASH}{_DATE}",
    rf"{_TIME}(?:{_DASH}{_TIME})?",
    rf"{_SHORT_DATE}(?=\s{_TIME}(?!\d))",
    r"\d{1,3}(?:\.\d{1,2})?(?=\s?[%‰])",
)
"""Figures also where a blank and other digits follow."""
_ALONE = (
    rf"{_SHORT_DATE}{_DASH}{_SHORT_DATE}",
    rf"{_HOUR}\.[0-5]\d{_DASH}{_HOUR}\.[0-5]\d",
    rf"{_OUR_YEAR}(?:{_BETWEEN}+{_OUR_YEAR})+",
    r"[1-9]\d?(?:\.\d{3}){2}",
    r"[1-9]\d?(?:[\s'’]\d{3}){1,2}(?:\.\d\d)?",
    r"[1-9]\d{0,5}000",
    rf"[1-9]\d{{0,2}}[.\s]\d00{_DASH}[1-9]\d{{0,2}}[.\s]\d00",
    rf"[1-9]\d{{0,3}}00{_DASH}[1-9]\d{{0,3}}00",
    r"[1-9]\d{0,5}\.\d\d",
)
"""Figures only where no digits are near: thousands, round numbers and their ranges, prices, years. Nine digits in
threes (`612 345 678`) are no count: several countries write telephone numbers so."""
_FIGURE = re.compile(
    rf"(?<!\d)(?<!\d[-./:_–])(?:{'|'.join(_CERTAIN)})(?![-./:_–]?\d)"
    rf"|(?<!\d)(?<!\d{_BETWEEN})(?:{'|'.join(_ALONE)})(?!{_BETWEEN}?\d)"
)


def telephone_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each in a folded text (`alerts.folded`)."""
    for run in _RUN.finditer(text):
        at = run.start()
        if not run.group().startswith("+"):
            for figure in _FIGURE.finditer(text, run.start(), run.end() + len(" %")):
                yield from _long_enough(text, at, figure.start())
                at = figure.end()
        yield from _long_enough(text, at, run.end())


def _long_enough(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    found = _NUMBER.search(text, start, end)
    if found is not None and sum(map(str.isdecimal, found.group())) >= FEWEST_DIGITS:
        yield found.span()
