"""The roster beside which the suites are run: a deployment lists its candidates and their parties, so the suites do."""

from __future__ import annotations

from functools import cache

from classifiers.checks.suite import SUITES, read_phrasing
from hustings.roster import Person, Roster

__all__ = ["watched"]

PEOPLE = "candidate"
"""The slot that holds people's names, on whatever axis they are swapped …"""
PARTY = "party"
"""… and the axis whose sides are parties."""


@cache
def watched() -> Roster:
    """The people and parties whose names the suites swap, in every language. Who is of which party is made up."""
    named: dict[str, tuple[str, str]] = {}  # language and gender of a name
    parties: dict[str, dict[str, None]] = {}
    for suite in SUITES:
        for language, phrasing in read_phrasing(suite).items():
            for axis, swap in phrasing.swap.items():
                if axis == PARTY:
                    parties.setdefault(language, {}).update(dict.fromkeys(swap.sides))
                for side, names in zip(swap.sides, swap.words.get(PEOPLE, ()), strict=False):
                    for name in names:
                        named.setdefault(name, (language, side if axis == "gender" else ""))
    people = []
    for number, (name, (language, gender)) in enumerate(named.items()):
        known = tuple(parties.get(language, {"": None}))
        attributes = {PARTY: known[number % len(known)], "gender": gender}
        people.append(
            Person(
                id=f"watched-{number}",
                name=name,
                attributes={key: value for key, value in attributes.items() if value},
            )
        )
    return Roster(version="suites", people=tuple(people))
