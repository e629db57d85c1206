"""Which codes say that somebody is threatened: then the human gate opens faster, and messages say who helps."""

from __future__ import annotations

from collections.abc import Iterable

from hustings.codebook import matches

__all__ = ["THREAT_CODES", "is_threat"]

THREAT_CODES = ("G-THR", "A-THREAT", "D3", "D4")
"""Each with what refines it. D3 and D4 are degrees that people give."""


def is_threat(codes: Iterable[str]) -> bool:
    return any(matches(code, threat) for code in codes for threat in THREAT_CODES)
