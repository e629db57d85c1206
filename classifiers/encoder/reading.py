"""What the encoder gets to read of a post: its words as the analyser repaired them, with the marks between them.

The raw text would let a disguise (`b1tch`, zero-width characters) hide from the encoder what the linear heads see, the
bare tokens would lose punctuation. The people and parties who are watched become `they`, as do handles among the words,
so that no name speaks for or against anybody; whom a post answers is not read. Web addresses give nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from classifiers.gender import Men
from classifiers.letter_rows import Gap
from classifiers.roster_names import NAME, NOBODY, RosterNames
from classifiers.spelling import IN_A_TAG, SET_APART, Spelling
from hustings.text import locate
from hustings.text.repair import MAX_TOKEN

__all__ = ["ENDS", "MARKS", "MOST_WORDS", "SOMEBODY", "Word", "Words", "quietly", "read_words"]

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
_GAP = re.compile(r"[\s.\-_*|/~'·•‧∙⋅・‐‑‒–—―−’‘]")
_FEWEST_GAPS = 2
"""In a token whose letters were set apart."""
_LOUD = re.compile("!+")
_OTHER_ENDS = ENDS.replace("!", "")
_LOUD_BESIDE = re.compile(rf"(?<=[{_OTHER_ENDS}])!+|!+(?=[{_OTHER_ENDS}])")
"""Beside another mark."""
_AGAIN = re.compile(rf"([{ENDS}])\1+")


class Word(NamedTuple):
    """What the encoder reads in place of a token: the word, nothing for a tag whose parts follow;
    the marks after it, and what the gap is to the next one; and how short the words are at least if it is several, as
    part of a tag or as letters that were set apart: 0 where it is one."""

    text: str
    marks: str
    gap: Gap
    of_several: int


class Words(NamedTuple):
    """The analyser's tokens, and what is read of each."""

    tokens: tuple[str, ...]
    read: tuple[Word, ...]

    def text(self, begin: int = 0, end: int | None = None) -> str:
        """What is read of the tokens in [begin, end)."""
        return " ".join(word.text + word.marks for word in self.read[begin:end] if word.text)

    def respelt(self, spelling: Spelling, men: Men) -> Words:
        """The same with careless and hidden spellings undone; a word that agrees with a gender is one. Names and
        handles are no part of any word."""
        said = [NAME if word.text == SOMEBODY else word.text for word in self.read]
        joined = spelling.rejoin(said, [word.gap for word in self.read])
        found: list[Word] = []
        last = 0
        for word, text in zip(self.read, joined, strict=True):
            if text == NAME:
                text = word.text
            elif text:
                text = _right(text, word.of_several, spelling, men)
            elif word.text:  # it went into one before it
                found[last] = found[last]._replace(marks=word.marks)
            last = len(found) if text else last
            found.append(word if text == word.text else word._replace(text=text))
        return self._replace(read=tuple(found))


def _right(word: str, of_several: int, spelling: Spelling, men: Men) -> str:
    if of_several and (parts := spelling.split(word, of_several)):
        return " ".join(parts)
    return word if men.word(word) != word else spelling.word(word)


def read_words(*parts: str, names: RosterNames = NOBODY) -> Words:
    """The words of a title and a text, in that order; an empty part has none. Each of the `names` is one token, and of
    handles there is what is said (`RosterNames.said`)."""
    read: list[Word] = []
    tokens: list[tuple[str, ...]] = []
    for part in parts:
        located = locate(part)
        tokens.append(located.tokens)
        next_starts = [*(start for start, _ in located.spans[1:]), len(part)]
        inside = 0  # to where the parts of a tag or a handle follow it …
        is_read = True  # … which are read of a tag
        before = len(part)  # where the last token ended
        for token, (start, end), next_start in zip(located.tokens, located.spans, next_starts, strict=False):
            word, of_several = token, IN_A_TAG if start < inside else 0
            if len(token) > 1 and token[0] in "#@":
                inside, is_read = end, token[0] == "#"
                word = "" if is_read else SOMEBODY
            elif start < inside and not is_read:
                word = ""
            elif not part[start:end].isalnum() and len(_GAP.findall(part, start, end)) >= _FEWEST_GAPS:
                of_several = SET_APART
                begun = read[-1].text if start == before + 1 and part[before] == part[start + 1] else ""
                if len(begun) == 1 and begun.isalpha():
                    # Of `#f r a u d` the analyser took `#f` for a tag, of `l'h.o.m.m.e` it left the `h`.
                    word, of_several = (begun + token)[:MAX_TOKEN], IN_A_TAG if before == inside else SET_APART
                    read[-1] = read[-1]._replace(text="", marks="")
            before = end
            between = part[end:next_start] if word else ""
            read.append(Word(word, _marks(between), _gap(between, next_start == len(part)), of_several))
    seen = names.said(*tokens)
    pairs = zip(seen.tokens, seen.origins, strict=True)
    return Words(
        seen.tokens,
        tuple(read[last]._replace(text=SOMEBODY) if token == NAME else read[last] for token, last in pairs),
    )


def _gap(between: str, is_last: bool) -> Gap:
    if between == " " and not is_last:
        return "blank"
    has_blank = any(map(str.isspace, between))
    if is_last or (has_blank and any(not sign.isspace() for sign in between)):
        return "end"
    return "sign" if between and not has_blank else "blank"


def quietly(text: str) -> str:
    """The same with repeated marks once and a full stop for an exclamation mark: what reads codes is not told how loud
    somebody is. (On held-out posts in German and French exclamation marks told it nothing: average precision .9285 and
    .9351 with them, .9281 and .9346 without.) Of abuse the marks at the end are not read at all: see
    `classifiers.meaning.reading.FINAL`."""
    return _AGAIN.sub(r"\1", _LOUD.sub(".", _LOUD_BESIDE.sub("", text)))


def _marks(between: str) -> str:
    """The first few marks between two words. A chunk with letters in it is an address, which gives no token."""
    if between == " ":
        return ""
    chunks = (chunk for chunk in between.split() if not any(map(str.isalnum, chunk)))
    return "".join(mark for chunk in chunks for mark in chunk if mark in MARKS)[:_MOST_MARKS]
