"""A priority as people read it: a band. The number sorts and is never shown (a raw score was hard to understand for
the users of other desks; Discourse went the same way)."""

from __future__ import annotations

__all__ = ["HIGH", "MEDIUM", "band"]

HIGH = 0.9
MEDIUM = 0.7
"""Of a priority, which is the calibrated score that put the post into the queue: what the machine is nearly sure of,
and what is above the usual threshold. Chosen by the desk's design, to be looked at once reviews exist."""


def band(priority: float) -> str:
    """`high`, `medium` or `low`."""
    return "high" if priority >= HIGH else "medium" if priority >= MEDIUM else "low"
