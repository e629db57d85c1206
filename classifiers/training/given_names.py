"""Which words of sentences are only names: nothing is to be learnt from what an invented liar is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hustings.text import locate

__all__ = ["given_names"]

FEWEST = 2
"""Times that a name must stand inside a sentence."""
SHORTEST = 3
MOSTLY = 0.8
"""Share of them in which it begins with a capital letter."""
_BEFORE_A_SENTENCE = ".!?:;\n\"'«»“”‘’¡¿()*…-–—#@"


def given_names(texts: Iterable[str]) -> frozenset[str]:
    """The tokens that are written with a capital letter inside of sentences, in scripts that have them. Sentences that
    are shouted tell nothing."""
    capital: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for text in texts:
        if sum(map(str.isupper, text)) > sum(map(str.islower, text)):
            continue
        tokens, spans, _ = locate(text)
        for token, (start, _end) in zip(tokens, spans, strict=True):
            before = text[:start].rstrip(" ")[-1:]
            if before and before not in _BEFORE_A_SENTENCE and len(token) >= SHORTEST and token.isalpha():
                seen[token] += 1
                capital[token] += text[start].isupper()
    return frozenset(token for token, count in seen.items() if count >= FEWEST and capital[token] >= MOSTLY * count)
