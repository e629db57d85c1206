"""The rules of a language as matchers of spaCy, each run only on posts that hold the words it cannot do without.

A matcher looks at each word with each of its patterns; of some hundred rules a post can meet a handful, and which, a
look at its words tells at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from classifiers.targets.reading import CueKind
from classifiers.targets.rules import Piece, Rules

if TYPE_CHECKING:
    from spacy.matcher import Matcher
    from spacy.tokens import Doc
    from spacy.vocab import Vocab

__all__ = ["PERSON", "Matching"]

PERSON = "PERSON"
"""The entity type of a word that names somebody of the roster."""


class _Pattern(NamedTuple):
    """A rule that needs a word of each of `needed`."""

    kind: CueKind
    needed: tuple[frozenset[str], ...]
    matcher: Matcher


class Matching:
    """Finds the cues of one language in a document whose names are marked."""

    def __init__(self, vocab: Vocab, rules: Rules) -> None:
        self.rules = rules
        self._patterns: list[_Pattern] = []
        self._by_word: dict[str, list[int]] = {}
        for kind, patterns in rules.patterns.items():
            for pieces in patterns:
                needed = tuple(piece.words for piece in pieces if piece.words and not piece.optional)
                for word in min(needed, key=len):
                    self._by_word.setdefault(word, []).append(len(self._patterns))
                self._patterns.append(_Pattern(kind, needed, _matcher(vocab, pieces)))

    def find(self, doc: Doc, order: Sequence[str]) -> Iterator[tuple[CueKind, int, int]]:
        """Kind and range of words of every match, of single words too; `order` holds the document's words."""
        for place, word in enumerate(order):
            for kind in self.rules.words.get(word, ()):
                if doc[place].ent_type_ != PERSON:
                    yield kind, place, place + 1
        words = set(order)
        for place in sorted({place for word in words & self._by_word.keys() for place in self._by_word[word]}):
            kind, needed, matcher = self._patterns[place]
            if not any(words.isdisjoint(one) for one in needed):
                for _, start, end in matcher(doc):
                    yield kind, start, end


def _matcher(vocab: Vocab, pieces: tuple[Piece, ...]) -> Matcher:
    from spacy.matcher import Matcher

    written = []
    for piece in pieces:
        place: dict[str, object] = {}
        if piece.words:
            place["NORM"] = next(iter(piece.words)) if len(piece.words) == 1 else {"IN": sorted(piece.words)}
        if piece.person:
            place["ENT_TYPE"] = PERSON
        if piece.optional:
            place["OP"] = "?"
        if piece.first:
            place["IS_SENT_START"] = True
        written.append(place)
    matcher = Matcher(vocab)
    matcher.add("rule", [written])
    return matcher
