"""How a template becomes sentences.

`{place}` is filled from the word list `place`; `{place2}` from the same list with another word; `{she|he}` is the first
on the first side of a swap and the second on the other. A function and its pair fill equal slots with equal words, so
that their n-th sentences are a minimal pair. Nothing is left to chance: a word is a function of template, slot and n.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from hustings.errors import ConfigError

__all__ = ["fill", "slots"]

_HOLE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"([a-z_]+)([2-9]?)")


def slots(template: str) -> tuple[str, ...]:
    """The slots of a template, in order, without alternations."""
    return tuple(hole for hole in _HOLE.findall(template) if "|" not in hole)


def fill(template: str, words: Mapping[str, Sequence[str]], *, seed: str, nth: int, side: int | None = None) -> str:
    """The `nth` sentence of a template. `seed` names the template; equal seeds choose equal words. `side` is 0 or 1 for
    a swap. Raises `ConfigError` for a slot without words, or an alternation where nothing is swapped."""

    def word(hole: re.Match[str]) -> str:
        inside = hole[1]
        if "|" in inside:
            sides = inside.split("|")
            if side is None or len(sides) != 2:
                raise ConfigError(f"{template!r}: {{{inside}}} needs a function with `swap`, and two sides")
            return sides[side]
        slot = _SLOT.fullmatch(inside)
        if slot is None or slot[1] not in words:
            raise ConfigError(f"{template!r}: no words for {{{inside}}}; known are {', '.join(sorted(words))}")
        ordered = _shuffled(len(words[slot[1]]), f"{seed}/{slot[1]}")
        return words[slot[1]][ordered[(nth + int(slot[2] or 1) - 1) % len(ordered)]]

    text = _HOLE.sub(word, template)
    return text[:1].upper() + text[1:] if template.startswith("{") else text


def _shuffled(count: int, seed: str) -> list[int]:
    return sorted(range(count), key=lambda place: hashlib.sha256(f"{seed}/{place}".encode()).digest())
