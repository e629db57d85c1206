"""How an error shows what it found."""

from __future__ import annotations

__all__ = ["shortened", "shown"]

LONGEST = 40
"""Characters of a query that an error repeats; the caret shows the place."""


def shown(text: str) -> str:
    """The text in quotes, its end cut off when it is long, control characters written out."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
