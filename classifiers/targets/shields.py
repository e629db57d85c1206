"""When a harsh word is no attack: somebody argues against it, denies it, or tells that another said it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from classifiers.targets.cut import QUOTE
from classifiers.targets.places import Places
from classifiers.targets.reading import Cue

__all__ = ["Shields"]

_BEFORE_A_SPEAKER = frozenset({",", "!", "?", "…", "–", "—", "-", ".", QUOTE})
"""Behind one of these "said Ana" tells who said what stands in front of it."""

_NEAR_DENIAL = 4
"""Words from a denial to what it denies, at most."""


class Shields:
    """Which words of a post are not the author's attack. `says` are the cues of speakers, without those of hearsay:
    "everybody says" is no distance. `defended` are ranges apart from each other, in order."""

    def __init__(self, places: Places) -> None:
        self._places = places
        hearsay = {places.sentence(cue.start) for cue in places.cues("hearsay")}
        self.says = [cue for cue in places.cues("says") if places.sentence(cue.start) not in hearsay]
        self.defended = _joined(self._defended())
        self._told = tuple(self._telling())

    def is_defended(self, place: int) -> bool:
        return any(start <= place < end for start, end in self.defended)

    def is_reported(self, place: int) -> bool:
        return any(start <= place < end for start, end in self._told)

    def is_denied(self, place: int) -> bool:
        """ "Ana is no cow": an insult right behind a denial in its clause (in some languages in front of it), or
        whatever stands where "no such" denies the very next word; unless that concedes: "not only a cow"."""
        places = self._places
        follows = places.reading.negation_follows
        for cue in places.cues("denies_that"):
            if (cue.start == place + 1 if follows else cue.end == place) and not self._concedes(cue):
                return True
        if not places.is_a(place, "insult", "insults"):
            return False
        start, end = places.clause(place)
        for cue in places.cues("denies"):
            between = cue.start - place if follows else place - cue.end + 1
            if start <= cue.start < end and 0 < between <= _NEAR_DENIAL and not self._concedes(cue):
                return True
        return False

    def _concedes(self, denial: Cue) -> bool:
        return any(one.start < denial.end and denial.start < one.end for one in self._places.cues("concedes"))

    def _defended(self) -> Iterator[tuple[int, int]]:
        """From the beginning of a sentence that speaks against abuse up to a "but" behind the cue."""
        for cue in self._places.cues("defends"):
            yield self._places.sentence(cue.start)[0], self._places.up_to_but(cue.end)

    def _telling(self) -> Iterator[tuple[int, int]]:
        """What another said, or was told to have done: quotations with a speaker in the same sentence, what follows
        "she said", what stands in front of "…, said she", and the words of the telling themselves."""
        places = self._places
        tells = [*self.says, *places.cues("reports")]
        told_in = {places.sentence(cue.start) for cue in tells}
        for start, end in places.reading.quotes:
            if places.sentence(start) in told_in or places.sentence(end - 1) in told_in:
                yield start, end
        for cue in tells:
            yield cue.start, self._end_of_telling(cue)
        for cue in self.says:
            if cue.start and places.reading.words[cue.start - 1] in _BEFORE_A_SPEAKER:
                yield places.sentence(cue.start)[0], cue.start

    def _end_of_telling(self, cue: Cue) -> int:
        """The end of the sentence; earlier where the author turns against the speaker: "… , what a liar"."""
        return self._places.up_to_exclaim(cue.end, self._places.up_to_but(cue.end))


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same places in as few ranges as hold them: a flood of cues in one sentence is one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)
