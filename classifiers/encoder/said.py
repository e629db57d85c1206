"""What an encoder that reads codes is given of a post: a window of its words, read as of men."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from classifiers.encoder.reading import read_words
from classifiers.gender import one_gender
from classifiers.roster_names import NOBODY, RosterNames

__all__ = ["MOST_READ", "STEP", "WHOLE", "WINDOW", "Said", "most_telling_window", "said", "windows"]

WHOLE = 36
"""Words up to which a post is read as a whole; a longer one is read by windows, so that chatter dilutes nothing."""
WINDOW = 24
STEP = 8
MOST_READ = 240
"""Words; what stands behind them is not read."""

Said = Callable[[int, int], str]
"""What an encoder reads of the tokens from one place to another."""


def said(*parts: str, language: str, names: RosterNames = NOBODY) -> Said:
    """The title and the text of a post, or one of them, for an encoder to read; cut only if it is asked. Whether a
    woman or a man is spoken of tells nothing: all is read as of men."""
    return lambda begin, end: one_gender(read_words(*parts, names=names).text(begin, end), language)


def windows(many: int, begin: int = 0) -> list[tuple[int, int]]:
    """What may be read of the words from `begin` on of a post with so many: all of them, or of more than `WHOLE` their
    windows."""
    end = min(many, MOST_READ)
    if end - begin <= WHOLE:
        return [(begin, end)]
    return [(first, min(first + WINDOW, end)) for first in range(begin, end - WINDOW + STEP, STEP)]


def most_telling_window(
    tokens: Sequence[str], most_telling: Callable[[Sequence[Sequence[str]]], int]
) -> tuple[int, int]:
    """The window that is `most_telling` among those that it is given."""
    places = windows(len(tokens))
    return places[most_telling([tokens[begin:end] for begin, end in places])]
