"""What the encoder gets to read of a post: its words as the analyser repaired them, with the marks between them.

The raw text would let a disguise (`b1tch`, zero-width characters) hide from the encoder what the linear heads see, the
bare tokens would lose punctuation. Handles become `user`, as they are in the corpora, and the people and parties who
are watched become `they`, so that no name speaks for or against anybody. Web addresses give nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from classifiers.gender import Men
from classifiers.roster_names import NAME, NOBODY, RosterNames
from classifiers.spelling import NOTHING, Spelling
from hustings.text import locate

__all__ = ["ENDS", "MARKS", "MOST_WORDS", "SOMEBODY", "Words", "marks_once", "read_words"]

MOST_WORDS = 40
"""Longer posts are read in part: that many words round the place where the linear head sees most. Padding a post with
friendly words, or hiding the insult at its end, therefore changes little."""

SOMEBODY = "they"
"""Of six words tried in place of names, this one and "she" cost the fewest functions of the abuse suite."""
ENDS = ".,;:!?…؟،؛।"
"""Marks with which sentences and their parts end, in Latin, Arabic and Devanagari."""
MARKS = ENDS + "'\"’‘“”()&%$-–—/"
"""Those that are read."""
_MOST_MARKS = 3
_AGAIN = re.compile(rf"([{ENDS}])\1+")


class Words(NamedTuple):
    """The analyser's tokens, and for each what the encoder reads in its place: the word with the marks after it, `user`
    for a handle, nothing for a tag whose parts follow; and whether a sign cuts it off the next one, without a blank."""

    tokens: tuple[str, ...]
    read: tuple[str, ...]
    cut: tuple[bool, ...]

    def text(self, begin: int = 0, end: int | None = None) -> str:
        """What is read of the tokens in [begin, end)."""
        return " ".join(word for word in self.read[begin:end] if word)

    def respelt(self, spelling: Spelling, men: Men) -> Words:
        """The same with careless and hidden spellings undone; a word that agrees with a gender is one."""
        joined = spelling.rejoin(self.tokens, self.cut)
        found = list(self.read)
        for place, (token, word) in enumerate(zip(self.tokens, joined, strict=True)):
            marks = found[place][len(token) :]
            if word == NOTHING:
                found[place - 1 : place + 1] = joined[place - 1] + marks, NOTHING
            elif found[place].startswith(token):
                right = spelling.word(word) if men.word(word) == word else word
                found[place] = right + marks
        return self._replace(read=tuple(found))


def read_words(*parts: str, names: RosterNames = NOBODY) -> Words:
    """The words of a title and a text, in that order; an empty part has none. Each of the `names` is one token."""
    read: list[tuple[str, str, bool]] = []  # a word, the marks after it, and whether they cut it off the next one
    cut: list[tuple[str, ...]] = []
    for part in parts:
        located = locate(part)
        cut.append(located.tokens)
        next_starts = [*(start for start, _ in located.spans[1:]), len(part)]
        inside, parts_are_read = 0, True
        for token, (start, end), next_start in zip(located.tokens, located.spans, next_starts, strict=False):
            word = token
            if len(token) > 1 and token[0] in "#@":  # its parts follow, within its span
                inside, parts_are_read = end, token[0] == "#"
                word = "" if parts_are_read else "user"
            elif start < inside and not parts_are_read:
                word = ""
            between = part[end:next_start] if word else ""
            is_cut = bool(between) and next_start < len(part) and not any(map(str.isspace, between))
            read.append((word, _marks(between), is_cut))
    seen = names.without(*cut)
    found = [read[last] for last in seen.origins]
    pairs = zip(seen.tokens, found, strict=True)
    words = tuple((SOMEBODY if token == NAME else word) + marks for token, (word, marks, _) in pairs)
    return Words(seen.tokens, words, tuple(is_cut for _, _, is_cut in found))


def marks_once(text: str) -> str:
    """The same with repeated marks once: what reads codes is not told how loud somebody is."""
    return _AGAIN.sub(r"\1", text)


def _marks(between: str) -> str:
    """The first few marks between two words. A chunk with letters in it is an address, which gives no token."""
    chunks = (chunk for chunk in between.split() if not any(map(str.isalnum, chunk)))
    return "".join(mark for chunk in chunks for mark in chunk if mark in MARKS)[:_MOST_MARKS]
