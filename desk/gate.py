"""How many people it takes to let an alert out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from alerts.threats import is_threat
from desk.dispatch import cover_of
from desk.people import Person
from desk.refusals import Refused
from hustings.codebook import matches
from hustings.types import Alert, Assessment

__all__ = ["DECIDING_ROLES", "Gate", "gate_of", "is_enough"]

DECIDING_ROLES = frozenset({"reviewer", "lead"})
INCITEMENT_CODES = ("H-TOP", "N-INCITE")


class Gate(StrEnum):
    """How many people it takes."""

    ORDINARY = "ordinary"
    THREAT = "threat"
    INCITEMENT = "incitement"


def gate_of(alert: Alert, assessments: Sequence[Assessment], codes: Sequence[str]) -> Gate:
    """Which gate an alert goes through, by what its evidence was flagged as and by the `codes` that people give."""
    found = {flag.code for assessment in assessments for flag in assessment.flags} | set(codes)
    if any(matches(code, incitement) for code in found for incitement in INCITEMENT_CODES):
        return Gate.INCITEMENT
    names_somebody = bool(cover_of(alert, assessments).targets)
    return Gate.THREAT if names_somebody and is_threat(found) else Gate.ORDINARY


def is_enough(gate: Gate, person: Person, *, proposed_by: str | None) -> bool:
    """Whether this person's word lets the alert out, given who has proposed it so far. Raises `Refused` when their
    word adds nothing."""
    if person.role not in DECIDING_ROLES:
        raise Refused(f"a {person.role} may not let alerts out; known are {', '.join(sorted(DECIDING_ROLES))}")
    if proposed_by is not None and proposed_by != person.pseudonym:
        return True
    if gate is not Gate.INCITEMENT and (person.role == "lead" or gate is Gate.THREAT):
        return True
    if proposed_by is not None:
        raise Refused("you have proposed this already; a second person must agree")
    return False
