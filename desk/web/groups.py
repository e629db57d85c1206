"""What an alert is about, in words: its group with people as the roster names them and codes as the codebook does."""

from __future__ import annotations

from collections.abc import Mapping

from hustings.codebook import Codebook
from hustings.roster import Roster
from hustings.types import Alert, Amendment

__all__ = ["group_words"]

_PEOPLE_FIELDS = frozenset({"target", "aimed_at", "addressed"})
_CODE_FIELDS = frozenset({"flag", "phase"})
_OF_ID = 8


def group_words(of: Alert | Amendment, roster: Roster, codebook: Codebook) -> str:
    """`Ana Ferro · flag Threat (G-THR)`; empty for an alert over everything. Of a story's id only the front, which
    tells two apart."""
    names = {person.id: person.name for person in roster.people}
    return " · ".join(_words(field, value, names, codebook) for field, value in of.group)


def _words(field: str, value: str, names: Mapping[str, str], codebook: Codebook) -> str:
    if field in _PEOPLE_FIELDS:
        return names.get(value, value)
    if field in _CODE_FIELDS and codebook.is_known(value):
        return f"{field} {codebook.title(value)} ({value})"
    return f"{field} {value[:_OF_ID] if field == 'story' else value}"
