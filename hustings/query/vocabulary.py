"""What a query may name: codes, people, phases; and what is said of a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

from hustings.codebook import Codebook
from hustings.roster import Phase, Roster

__all__ = ["Vocabulary", "nearest"]


class Vocabulary(Struct, frozen=True, kw_only=True):
    """The codebook, and what the configuration brings: without it (`rules check` without `--config`) the roster is
    None and the calendar empty, so that ids go unchecked and `target.<attribute>` and `phase` are errors."""

    codebook: Codebook
    roster: Roster | None = None
    phases: tuple[Phase, ...] = ()


LONGEST_COMPARED = 64
"""Characters up to which a name is compared with the known ones: the comparison takes the product of the lengths."""

LISTED = 30
"""Names listed in an error when none of them is near."""


def nearest(found: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known one, else the known ones or the first of them."""
    names = sorted(known)
    if not names:
        return "none is known"
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(found.casefold(), folded, n=1) if len(found) <= LONGEST_COMPARED else []
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"known are {', '.join(names[:LISTED])}{more}"
