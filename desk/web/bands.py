"""A priority as people read it: a band. The number sorts and is never shown (a raw score was hard to understand for
the users of other desks; Discourse went the same way)."""

from __future__ import annotations

__all__ = ["HIGH", "MEDIUM", "band"]

HIGH = 6.0
MEDIUM = 2.0


def band(priority: float) -> str:
    """`high`, `medium` or `low`."""
    return "high" if priority >= HIGH else "medium" if priority >= MEDIUM else "low"
