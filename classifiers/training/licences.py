"""What a licence of training data lets one do with the weights that were learnt from it."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["CLASSES", "LicenceClass", "class_of"]

LicenceClass = Literal["A", "B", "C", "D", "E", "own", "unknown"]

CLASSES: dict[LicenceClass, str] = {
    "A": "weights may be shipped, with attribution",
    "B": "share-alike: a pack of its own under the same licence",
    "C": "copyleft of software: train it yourself, ship no weights by default",
    "D": "not for commercial use: for measuring only",
    "E": "for research only: for measuring only",
    "own": "the desk's own decisions: weights stay with who made them unless they say otherwise",
    "unknown": "nothing is known: ask before anything is shipped",
}

_PATTERNS: tuple[tuple[LicenceClass, str], ...] = (
    ("D", r"-nc\b|non-?commercial"),
    ("B", r"-sa\b|share-?alike|\bodbl\b"),
    ("C", r"\b[al]?gpl"),
    ("A", r"^(cc0|cc-by-\d|mit\b|apache|bsd|isc\b|unlicense|public domain|pddl)"),
    ("E", r"research"),
    ("own", r"^own\b|^desk\b"),
)


def class_of(licence: str) -> LicenceClass:
    """The class of a licence's SPDX name or description; the strictest condition in it decides."""
    text = licence.strip().casefold()
    return next((name for name, pattern in _PATTERNS if re.search(pattern, text)), "unknown")
