"""Which words of a long post are read at once, so that chatter around them dilutes nothing: of some thousand characters
a few sentences, or windows over sentences that do not end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from classifiers.roster_names import marked, words_between
from hustings.text import locate

__all__ = ["FEWEST_ALONE", "MOST_READ", "WHOLE", "sentence_starts", "sentences", "windows", "words_alone"]

WHOLE = 36
"""Words up to which a post is read as a whole."""
_WINDOW = 24
_STEP = 8
MOST_READ = 240
"""Words; what stands behind them is not read."""
_FEWEST_WORDS = 3
"""A sentence with fewer goes with the next one, or the one before."""
FEWEST_ALONE = 5
"""Of fewer, hashtags around them may be what a post says ("tell everybody: #VoteOnMonday")."""
_END = re.compile(r"[।؟]|[.!?…]\S*\s|\n")
"""A point without a blank behind it stands in figures, addresses and short forms; a danda never does."""


def words_alone(tokens: Sequence[str], *, signs: bool) -> tuple[int, int]:
    """From where to where the tokens are words, hashtags before and behind them left out, and `signs` too (faces,
    flags), if enough are left: else, and without any, all of them."""
    around = {place for place, token in enumerate(tokens) if signs and not any(map(str.isalnum, token))}
    if any(token[:1] == "#" for token in tokens):
        around |= marked(tokens, "#")
    if not around:
        return 0, len(tokens)  # most posts
    begin, end = words_between(tokens, around)
    return (begin, end) if end - begin >= FEWEST_ALONE else (0, len(tokens))


def windows(many: int, begin: int = 0) -> list[tuple[int, int]]:
    """What may be read of the words from `begin` on of a post with so many: all of them, or of more than `WHOLE` their
    windows."""
    end = min(many, MOST_READ)
    if end - begin <= WHOLE:
        return [(begin, end)]
    return [(first, min(first + _WINDOW, end)) for first in range(begin, end - _WINDOW + _STEP, _STEP)]


def sentences(many: int, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Of a post with so many words its sentences, which begin at `starts`; of a sentence longer than `WHOLE` its
    windows."""
    many = min(many, MOST_READ)
    begins = [0]
    for start in sorted(starts):
        if start - begins[-1] >= _FEWEST_WORDS and start <= many - _FEWEST_WORDS:
            begins.append(start)
    pairs = zip(begins, [*begins[1:], many], strict=True)
    return [window for begin, end in pairs for window in windows(end, begin)]


def sentence_starts(*parts: str) -> list[int]:
    """Places, among the tokens of all parts, of those that begin a sentence or a line; a part begins one."""
    found, before = [], 0
    for part in parts:
        located = locate(part)
        end = -1
        for place, (start, stop) in enumerate(located.spans):
            if end < 0 or (start >= end and _END.search(part, end, start)):
                found.append(before + place)
            end = max(end, stop)
        before += len(located.tokens)
    return found
