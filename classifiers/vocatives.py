"""Is somebody called by name, rather than spoken of?"""

from __future__ import annotations

import re

from classifiers.phrases import Phrases
from hustings.types import Span

__all__ = ["Vocatives"]

_BEFORE_THE_NAME = re.compile(r"[\s\"'«“¡¿!?.:;,،-]*\Z")
_AFTER_A_CALLED_NAME = re.compile(r"\s{0,3}[,،:!?¡—–-]")
_END = re.compile(r"\s{0,3}(?:[!?.؟…]|\Z)")


class Vocatives:
    """Knows the words with which people are called."""

    def __init__(self) -> None:
        self._calls = Phrases("calls").words
        self._passing_on = Phrases("passed_on").words

    def is_called(self, text: str, span: Span, before: str) -> bool:
        """Whether the name at `span` of `text` is a call: "Hey Ana", "Ana, you …", "… , Ana!". `before` is the token
        in front of the name, "" at the beginning."""
        if before in self._calls:
            return True
        head, rest = text[max(0, span.start - 40) : span.start], text[span.end : span.end + 8]
        if not before and _BEFORE_THE_NAME.match(head) and _AFTER_A_CALLED_NAME.match(rest):
            return True
        return head.rstrip()[-1:] in {",", "،"} and bool(_END.match(rest))

    def is_spoken_to(self, before: str) -> bool:
        """Whether the owner of a handle is spoken to; not when it stands there as the author of what is passed on."""
        return before not in self._passing_on
