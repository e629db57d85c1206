"""The books: what can become of a post of the log."""

from __future__ import annotations

from hustings.contracts import Outcome

__all__ = ["BOOKS", "BOOK_OF", "DEAD_LETTERS", "DROPPED"]

DEAD_LETTERS = "dead_letters"
DROPPED = "dropped"
"""The log dropped it, by age, before this index read it."""
BOOKS = ("new", "revised", "unchanged", "conflicting", DEAD_LETTERS, DROPPED)
"""What can become of a post of the log; together they are all of them."""

BOOK_OF = {
    Outcome.NEW: "new",
    Outcome.REVISED: "revised",
    Outcome.UNCHANGED: "unchanged",
    Outcome.STALE: "unchanged",
    Outcome.CONFLICTING: "conflicting",
}
"""Under which of them an outcome is counted."""
