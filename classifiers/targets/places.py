"""A reading, indexed: which cue stands where, who is named where, where a clause or sentence ends."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from classifiers.targets.reading import Cue, CueKind, Reading

__all__ = ["Places"]


class Places:
    """Questions about places of a reading that all rules ask."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.names = {mention.at: mention.person for mention in reading.mentions}
        self._cues: dict[CueKind, list[Cue]] = {}
        self._kinds: dict[int, set[CueKind]] = {}
        for cue in reading.cues:
            self._cues.setdefault(cue.kind, []).append(cue)
            for place in range(cue.start, cue.end):
                self._kinds.setdefault(place, set()).add(cue.kind)
        self._sentences: dict[int, tuple[int, int]] = {}
        self._clauses: dict[int, tuple[int, int]] = {}
        for numbers, ranges in ((reading.sentences, self._sentences), (reading.clauses, self._clauses)):
            for place, number in enumerate(numbers):
                ranges[number] = (ranges.get(number, (place, 0))[0], place + 1)
        # Looked up for each cue of a flood of them: sorted once, so that no cue walks through the whole sentence.
        self._turns = sorted(place for place, kinds in self._kinds.items() if "but" in kinds)
        self._exclaims = sorted(cue.start for cue in self.cues("exclaims"))
        self._words_of_clause = Counter(number for place, number in enumerate(reading.clauses) if self.is_word(place))

    def cues(self, kind: CueKind) -> Sequence[Cue]:
        return self._cues.get(kind, ())

    def is_a(self, place: int, *kinds: CueKind) -> bool:
        """Whether a cue of one of these kinds covers the word."""
        return not self._kinds.get(place, set()).isdisjoint(kinds)

    def is_of_many(self, place: int) -> bool:
        """Whether the word is an insult of several people and never of one."""
        return self.is_a(place, "insults") and not self.is_a(place, "insult")

    def sentence(self, place: int) -> tuple[int, int]:
        """The range of the sentence in which the word stands."""
        return self._sentences[self.reading.sentences[place]]

    def clause(self, place: int) -> tuple[int, int]:
        return self._clauses[self.reading.clauses[place]]

    def is_word(self, place: int) -> bool:
        """Whether it is a word and no sign; vowel signs and the like make no difference."""
        return any(letter.isalnum() for letter in self.reading.words[place])

    def named_within(self, cue: Cue) -> list[int]:
        """Where within the cue people are named."""
        return [place for place in range(cue.start, cue.end) if place in self.names]

    def is_alone(self, place: int) -> bool:
        """Whether no other word stands in its clause."""
        return self._words_of_clause[self.reading.clauses[place]] == self.is_word(place)

    def up_to_but(self, end: int) -> int:
        """Where the sentence of the word before `end` ends, or a "but" turns it."""
        return _first(self._turns, end, self.sentence(end - 1)[1])

    def up_to_exclaim(self, start: int, end: int) -> int:
        """Where between the two the author first exclaims something; `end` if nowhere."""
        return _first(self._exclaims, start, end)


def _first(places: Sequence[int], start: int, end: int) -> int:
    """The first of the sorted places from `start` on; `end` where it is not in front of that."""
    at = bisect_left(places, start)
    return places[at] if at < len(places) and places[at] < end else end
