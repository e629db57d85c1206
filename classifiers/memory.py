"""What was found out about a word, or about two neighbours, is kept: what was seen before is one look-up."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

__all__ = ["Memory"]

_MOST_REMEMBERED = 1 << 16
"""Then the memory is emptied, so that a stream of new words cannot fill it."""

Asked = TypeVar("Asked", bound=Hashable)
Known = TypeVar("Known")


class Memory(dict[Asked, Known]):
    """`memory[word]` asks `find_out` about a word that is new to it."""

    def __init__(self, find_out: Callable[[Asked], Known], most: int = _MOST_REMEMBERED) -> None:
        super().__init__()
        self._find_out = find_out
        self._most = most

    def __missing__(self, word: Asked) -> Known:
        found = self._find_out(word)
        if len(self) >= self._most:
            self.clear()
        self[word] = found
        return found
