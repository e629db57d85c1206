"""Scores as terms that sort as the numbers do: `5:G-THR:3fe0a3d70a3d70a4`.

One keyword field holds the scores of every code, however many codes there are, and a comparison is a range of terms.
The length in front keeps the terms of one code together and apart from those of every other.
"""

from __future__ import annotations

import struct

__all__ = ["AFTER_DIGITS", "score_start", "score_term", "sortable"]

AFTER_DIGITS = "g"
"""Sorts behind every hexadecimal digit."""


def score_start(code: str) -> str:
    """What the terms of a code, and of no other, begin with."""
    return f"{len(code)}:{code}:"


def score_term(code: str, score: float) -> str:
    return score_start(code) + sortable(score)


def sortable(number: float) -> str:
    """The bits of a number that is not negative, which sort as the numbers do. Both zeros are one."""
    return struct.pack(">d", number + 0.0).hex()
