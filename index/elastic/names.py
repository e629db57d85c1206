"""What the indices are called, and which of them are the live ones.

    alias <prefix>posts   →  <set>posts-2026.10, <set>posts-2026.11, …     assessments by month of first collection
    alias <prefix>hits    →  <set>hits-2026.10, …                          hits by month of the post's first collection
    alias <prefix>state   →  <set>state-all                                positions, books, the log's id

`<set>` is `<prefix>` itself at first, and `<prefix><name>-` for a set that a migration or a replay made beside it. The
aliases are moved from one set to another in one step, and everybody asks for them before each piece of work, so nobody
goes on with a set that is no longer live.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from hustings.errors import StoreError

__all__ = ["KINDS", "Kind", "Live", "alias_of", "kind_of", "live_from", "month_index", "set_of", "state_index"]

Kind = Literal["posts", "hits", "state"]
KINDS: tuple[Kind, ...] = ("posts", "hits", "state")

STATE_SUFFIX = "state-all"


class Live(NamedTuple):
    """The indices behind the three aliases at one moment. `set` is what all their names begin with."""

    set: str
    posts: tuple[str, ...]
    hits: tuple[str, ...]

    @property
    def state(self) -> str:
        return state_index(self.set)


def alias_of(prefix: str, kind: Kind) -> str:
    return f"{prefix}{kind}"


def state_index(of_set: str) -> str:
    return f"{of_set}{STATE_SUFFIX}"


def month_index(of_set: str, kind: Kind, when: datetime) -> str:
    """The index of what was first collected at `when`."""
    return f"{of_set}{kind}-{when.year:04}.{when.month:02}"


def set_of(prefix: str, name: str) -> str:
    """What the names of a set begin with; the first set has no name."""
    return f"{prefix}{name}-" if name else prefix


def kind_of(index: str, of_set: str) -> Kind:
    """Which of the three an index of this set is."""
    return next(kind for kind in KINDS if index.startswith(f"{of_set}{kind}-"))


def live_from(answer: Mapping[str, Any], prefix: str) -> Live:
    """From what the nodes say of the three aliases. Raises `StoreError` when there is no index set behind them."""
    behind: dict[Kind, list[str]] = {kind: [] for kind in KINDS}
    for index, described in answer.items():
        for kind in KINDS:
            if isinstance(described, dict) and alias_of(prefix, kind) in described.get("aliases", {}):
                behind[kind].append(index)
    if len(behind["state"]) != 1 or not behind["state"][0].endswith(STATE_SUFFIX):
        found = ", ".join(sorted(behind["state"])) or "nothing"
        raise StoreError(
            f"the alias {alias_of(prefix, 'state')!r} must stand for one index; found {found}. An operator makes the"
            " indices once: `hustings index create`. If they were there before, another cluster answers, or"
            " elasticsearch.prefix has changed"
        )
    of_set = behind["state"][0].removesuffix(STATE_SUFFIX)
    return Live(of_set, tuple(sorted(behind["posts"])), tuple(sorted(behind["hits"])))
