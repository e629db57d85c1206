"""A reading, indexed: which cue stands where, who is named where, where a clause or sentence ends."""

from __future__ import annotations

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

    def up_to_but(self, end: int) -> int:
        """Where the sentence of the word before `end` ends, or a "but" turns it."""
        last = self.sentence(end - 1)[1]
        return next((place for place in range(end, last) if self.is_a(place, "but")), last)
