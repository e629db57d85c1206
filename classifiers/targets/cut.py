"""A text as words and signs, the words as the analyser folds them: what spaCy's documents are made of.

The analyser's tokens, because names and reasons were found in them, and because they see through disguises. What lies
between them (signs, blanks, web addresses) becomes words of its own, so that nothing of the text is lost.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hustings.text import locate

__all__ = ["QUOTE", "Word", "cut"]

QUOTE = '"'
"""What every kind of quotation mark is folded to."""

_BETWEEN = re.compile(r"(?:https?://|www\.)\S+|\n|\s|\w+|[^\w\s]")
_APOSTROPHES = "'’ʼ"
_SIGNS = dict.fromkeys("«»“”„‟‹›「」『』″〝〞", QUOTE) | {"،": ",", "؛": ";", "：": ":", "，": ",", "；": ";"}


class Word(NamedTuple):
    """`text` as it is written, from `start` on; `folded` is the analyser's token, a sign, or "" for blanks and web
    addresses."""

    text: str
    folded: str
    start: int


def cut(text: str) -> list[Word]:
    """All of the text, in order: the words' texts joined are the text."""
    words: list[Word] = []
    done = 0
    located = locate(text)
    for token, (start, end) in zip(located.tokens, located.spans, strict=True):
        if start < done:  # a part of a tag, which stands whole already
            continue
        if start == done + 1 and text[done] in _APOSTROPHES and words:
            last = words[-1]
            words[-1] = Word(last.text + text[done], last.folded, last.start)
        elif start > done:
            words += _between(text, done, start)
        words.append(Word(text[start:end], token, start))
        done = end
    words += _between(text, done, len(text))
    return words


def _between(text: str, start: int, end: int) -> list[Word]:
    found = []
    for match in _BETWEEN.finditer(text, start, end):
        written = match[0]
        folded = "\n" if written == "\n" else "" if written.isspace() or len(written) > 1 else written
        found.append(Word(written, _SIGNS.get(folded, folded), match.start()))
    return found
