"""The kinds of rules, and which keys each may and must have.

Adding a kind that the contract names means to build its condition and to set `is_built` here.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["ALL_KEYS", "ANYWHERE", "KINDS", "Kind"]

ANYWHERE = frozenset(
    {
        "id", "name", "version", "state", "owner", "expires", "why", "outcome", "kind", "where", "group_by",
        "on_missing_group", "lateness", "episode", "evidence", "limits", "review", "route", "active_from", "sample",
        "test",
    }
)  # fmt: skip
"""Keys of every kind."""

_WINDOWED = frozenset({"window", "when", "guard", "step", "expect"})


class Kind(Struct, frozen=True, kw_only=True):
    """One row of the table: what fires, the kind's own keys and which of them are required."""

    fires: str
    keys: frozenset[str]
    required: tuple[str, ...]
    is_built: bool = False


def _windowed(fires: str, *own: str, optional: tuple[str, ...] = (), is_built: bool = False) -> Kind:
    keys = _WINDOWED | frozenset(own) | frozenset(optional)
    return Kind(fires=fires, keys=keys, required=("window", "when", *own), is_built=is_built)


KINDS: dict[str, Kind] = {
    "match": Kind(fires="a post meets `where`", keys=frozenset(), required=(), is_built=True),
    "count": _windowed("posts in the window", is_built=True),
    "distinct": _windowed("distinct values of `of` in the window", "of", is_built=True),
    "sum": _windowed("sum of a number", "of"),
    "metric": _windowed("mean or percentile of a number", "of", "stat"),
    "ratio": _windowed("share of `part` among `where`", "part", "min_denominator"),
    "spike": _windowed("window against its baseline", "baseline", "min_current", "zero_baseline"),
    "absence": _windowed("fewer than … in the window"),
    "new_value": _windowed("a value never seen", "of", optional=("forget_after",)),
    "change": _windowed("a value differs from the previous one of its group", "of"),
    "sequence": _windowed("steps in order", "steps"),
    "together": _windowed("steps in any order", "steps"),
    "meta": _windowed("a rule over alerts"),
}

ALL_KEYS = ANYWHERE.union(*(kind.keys for kind in KINDS.values()))
"""Every key that any kind knows."""
