"""How a check is made of a comparison: whether it passed follows from the value and the limit, in this one place."""

from __future__ import annotations

from classifiers.gates.record import Check, GateName

__all__ = ["at_least", "at_most", "yes_or_no"]


def at_least(
    gate: GateName,
    subject: str,
    language: str,
    *,
    value: float,
    limit: float,
    detail: str = "",
    applies: bool = True,
) -> Check:
    """The value must reach the limit."""
    return Check(
        gate=gate,
        subject=subject,
        language=language,
        value=value,
        limit=limit,
        at_least=True,
        passed=value >= limit or not applies,
        detail=detail,
        applies=applies,
    )


def at_most(
    gate: GateName,
    subject: str,
    language: str,
    *,
    value: float,
    limit: float,
    digits: int | None = None,
    detail: str = "",
    applies: bool = True,
) -> Check:
    """The value must not exceed the limit. It is judged as it is, and written down with so many `digits`."""
    return Check(
        gate=gate,
        subject=subject,
        language=language,
        value=value if digits is None else round(value, digits),
        limit=limit,
        at_least=False,
        passed=value <= limit or not applies,
        detail=detail,
        applies=applies,
    )


def yes_or_no(gate: GateName, subject: str, language: str, claim: bool, *, detail: str = "") -> Check:
    """What is true or not: 1 of 1, or 0."""
    return at_least(gate, subject, language, value=float(claim), limit=1.0, detail=detail)
