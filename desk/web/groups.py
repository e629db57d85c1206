"""What an alert is about, in words: its group with people named as the roster names them."""

from __future__ import annotations

from hustings.roster import Roster
from hustings.types import Alert, Amendment

__all__ = ["group_words"]

_PEOPLE_FIELDS = frozenset({"target", "aimed_at", "addressed"})


def group_words(of: Alert | Amendment, roster: Roster) -> str:
    """`Ana Ferro · es`; empty for an alert over everything."""
    names = {person.id: person.name for person in roster.people}
    return " · ".join(
        names.get(value, value) if field in _PEOPLE_FIELDS else f"{field} {value}" for field, value in of.group
    )
