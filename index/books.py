"""The books: what can become of a post of the log."""

from __future__ import annotations

from hustings.contracts import Outcome

__all__ = ["BOOKS", "BOOK_OF", "DEAD_LETTERS"]

DEAD_LETTERS = "dead_letters"
BOOKS = ("new", "revised", "unchanged", "conflicting", DEAD_LETTERS)
"""What can become of a post of the log; together they are all of them."""

BOOK_OF = {
    Outcome.NEW: "new",
    Outcome.REVISED: "revised",
    Outcome.UNCHANGED: "unchanged",
    Outcome.STALE: "unchanged",
    Outcome.CONFLICTING: "conflicting",
}
"""Under which of them an outcome is counted."""
