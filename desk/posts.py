"""What the desk needs of the index to decide and to tell: the posts themselves, by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hustings.types import Assessment

__all__ = ["Posts"]


class Posts(Protocol):
    """The part of `contracts.Index` that decisions read."""

    def get(self, keys: Sequence[str]) -> dict[str, Assessment]:
        """The stored assessments of those keys that exist; sees every acknowledged write."""
        ...
