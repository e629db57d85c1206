"""What training says of how far it has come, to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["Tell", "each_fold", "to_nobody"]

Tell = Callable[[str], None]
"""Hears the name of each stage as it begins."""


def to_nobody(stage: str) -> None:
    """Nobody listens."""


def each_fold(count: int, what: str, tell: Tell) -> Iterator[int]:
    """The numbers of the folds, each told before what is done with it."""
    for number in range(count):
        tell(f"{what}, fold {number + 1} of {count}")
        yield number
