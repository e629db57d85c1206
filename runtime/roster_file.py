"""The roster file: TOML tables of people, checked one by one so that one report names everything."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from hustings.roster import Person, Roster
from runtime.config import Problems, read_toml

__all__ = ["load_roster"]

KEYS = ("version", "person")
PERSON_KEYS = tuple(field.name for field in msgspec.structs.fields(Person))


def load_roster(path: Path) -> Roster:
    """The people of a roster file. Raises `ConfigError` with one line a problem."""
    tables = read_toml(path)
    problems = Problems()
    for key in sorted(tables.keys() - set(KEYS)):
        problems.add(str(path), f"{key}: unknown key.{_nearest(key, KEYS)}")
    given = tables.get("person", [])
    if not isinstance(given, list):
        problems.add(str(path), "person: people are tables [[person]], with two brackets")
        given = []
    people: list[Person] = []
    first_place: dict[str, int] = {}
    owner: dict[str, str] = {}
    for number, table in enumerate(given, start=1):
        where = f"{path}: person {_name_of(table, number)}"
        person = _person(table, where, problems)
        if person is None:
            continue
        if person.id in first_place:
            problems.add(where, f"id: person {first_place[person.id]} of this file has it already")
        first_place.setdefault(person.id, number)
        _check(person, where, problems)
        for handle in person.handles:
            if owner.setdefault(handle.casefold(), person.id) != person.id:
                problems.add(where, f"handles: {handle!r} belongs to person {owner[handle.casefold()]!r} already")
        people.append(person)
    problems.raise_any()
    return Roster(version=str(tables.get("version", "")), people=tuple(people))


def _name_of(table: Any, number: int) -> str:
    """How a report names a person: by id where there is one, else by place."""
    identity = table.get("id") if isinstance(table, Mapping) else None
    return repr(identity) if isinstance(identity, str) and identity else str(number)


def _person(table: Any, where: str, problems: Problems) -> Person | None:
    if not isinstance(table, Mapping):
        problems.add(where, f"is a table, found {table!r}")
        return None
    unknown = sorted(table.keys() - set(PERSON_KEYS))
    for key in unknown:
        problems.add(where, f"{key}: unknown key.{_nearest(key, PERSON_KEYS)}")
    try:
        return msgspec.convert({key: value for key, value in table.items() if key not in unknown}, Person)
    except msgspec.ValidationError as error:
        problems.add(where, _in_words(str(error)))
        return None


def _check(person: Person, where: str, problems: Problems) -> None:
    if not person.id or any(character.isspace() for character in person.id):
        problems.add(where, f"id: must be a word without spaces, found {person.id!r}")
    if not person.name.strip():
        problems.add(where, "name: must not be empty")
    if person.ambiguous and not person.context:
        listed = ", ".join(map(repr, person.ambiguous))
        problems.add(where, f"context: missing; {listed} is ambiguous and links only near one of these words")
    for handle in person.handles:
        platform, colon, name = handle.partition(":")
        if not (platform and colon and name):
            problems.add(where, f"handles: written as platform:name, found {handle!r}")


def _in_words(problem: str) -> str:
    """`Expected `str`, got `int` - at `$.name`` as `name: expected str, got int`."""
    text, _, place = problem.replace("`", "").partition(" - at $.")
    missing = text.removeprefix("Object missing required field ")
    if missing != text:
        return f"{missing}: missing, and it has no default"
    return f"{place}: {text[0].lower()}{text[1:]}" if place else text


def _nearest(key: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(key, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" Known are {', '.join(known)}."
