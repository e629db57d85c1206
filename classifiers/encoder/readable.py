"""What an encoder that reads codes is given of a post: some of its words, read as of men."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from classifiers.encoder.reading import Words, quietly, read_words
from classifiers.encoder.windows import FEWEST_ALONE, WHOLE, sentence_starts, sentences, words_alone
from classifiers.gender import men_of, one_gender
from classifiers.roster_names import NOBODY, RosterNames
from classifiers.spelling import Spelling
from hustings.text import locate

__all__ = ["ASIDES", "Readable"]

ASIDES = "🤔🧐🙂😊😉😀😃😄😁😅🥰😍🤗👋👍👏🙌🙏💪❤🧡💛💚💙💜💕💐🌹🌷🌸🌻🌞✨🎉🎊🎶☕"
"""Signs of who thinks, greets, thanks and cheers, which are not read: a face that thinks made a threat of an Arabic
invitation. Neither laughter, which mocks, nor what harms or likens."""
_UNREAD = re.compile(rf"\s*[{ASIDES}][\ufe0f\U0001f3fb-\U0001f3ff]*")  # in any colour of skin


class Readable:
    """The title and the text of a post, or one of them; nothing is done before somebody asks. Places are those of the
    tokens that are `said`. Whether a woman or a man is spoken of tells nothing: all is read as of men; nor does
    how often a mark is repeated, or what `spelling` undoes."""

    def __init__(self, *parts: str, language: str, spelling: Spelling, names: RosterNames = NOBODY) -> None:
        self._parts = parts
        self._spelling = spelling
        self._language = language
        self._names = names

    def text(self, begin: int, end: int) -> str:
        """What is read of the tokens from one place to another."""
        said = _UNREAD.sub("", self._words.text(begin, end)).lstrip()
        return one_gender(quietly(said), self._language)

    @cached_property
    def _words(self) -> Words:
        words = read_words(*self._parts, names=self._names)
        return words.respelt(self._spelling, men_of(self._language))

    def windows(self, tokens: Sequence[str], *, signs: bool = False) -> list[tuple[int, int]]:
        """What may be read of its tokens: all, or of more than `WHOLE` the sentences. Where hashtags stand around the
        words, or `signs`, these are read without them too: as much as tags may say, they make another text of a
        sentence."""
        many = len(tokens)
        found = [(0, many)] if many <= WHOLE else sentences(many, self._starts())
        first, last = words_alone(tokens, signs=signs)
        if last - first == many:
            return found
        words = ((max(begin, first), min(end, last)) for begin, end in found)
        return list(dict.fromkeys((*found, *(one for one in words if one[1] - one[0] >= FEWEST_ALONE))))

    def _starts(self) -> list[int]:
        """Places of the tokens with which sentences and lines begin."""
        seen = self._names.said(*(locate(part).tokens for part in self._parts))
        begins = np.searchsorted(np.array(seen.origins), np.array(sentence_starts(*self._parts), dtype=np.int64))
        found: list[int] = np.unique(begins).tolist()
        return found
