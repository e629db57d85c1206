"""Fields named outside of queries, in `group_by` and `of`: known, and with values to count by (E09, E10)."""

from __future__ import annotations

from alerts.rules.table import Table
from hustings.query.fields import FIELDS, PEOPLE_FIELDS, find_field
from hustings.query.vocabulary import Vocabulary, nearest

__all__ = ["read_field", "read_fields"]


def read_fields(table: Table, key: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """A list of fields; those that cannot be are reported and left out."""
    return tuple(name for name in table.texts(key) or () if _is_countable(table, key, name, vocabulary))


def read_field(table: Table, key: str, vocabulary: Vocabulary) -> str | None:
    """A single field."""
    name = table.text(key)
    return name if name is not None and _is_countable(table, key, name, vocabulary) else None


def _is_countable(table: Table, key: str, name: str, vocabulary: Vocabulary) -> bool:
    field = find_field(name)
    if field is None:
        table.problem("E09", key, f"no field `{name}`; {nearest(name, _COUNTABLE)}")
    elif field.kind == "words":
        table.problem("E10", key, f"`{name}` is analysed text: it is searched by word and never equal to anything")
    elif field.kind != "keyword":
        table.problem(
            "E12", key, f"`{name}` is a {field.kind}, which makes no groups; known are {', '.join(_COUNTABLE)}"
        )
    elif not field.groupable and _needs(name, vocabulary):
        table.problem("E09", key, f"`{name}` {_needs(name, vocabulary)}")
    else:
        return True
    return False


def _needs(name: str, vocabulary: Vocabulary) -> str:
    """What is missing for a field that reads the calendar or the roster; empty when nothing is."""
    if name == "phase":
        return "" if vocabulary.phases else "reads the calendar; name a configuration that has one with --config"
    if vocabulary.roster is None:
        return "reads the roster, which is not loaded; name the configuration with --config"
    attribute = name.partition(".")[2]
    known = vocabulary.roster.attribute_names()
    return "" if attribute in known else f"is no attribute of the roster; {nearest(attribute, known)}"


_COUNTABLE = [
    name
    for name, field in FIELDS.items()
    if field.groupable or name == "phase" or name.partition(".")[0] in PEOPLE_FIELDS
]
