"""The stories of several analyze workers that must agree: one order of all flagged posts, kept in a ledger.

Each worker reads the ledger into a memory of its own. Who has posts that are not in it takes the ledger's turn, reads
what others told meanwhile, names its own as one worker alone would, and appends them. Nobody waits for a turn while
nothing new is flagged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from msgspec.structs import replace

from classifiers.stories import Stories
from hustings.contracts import StoryLedger, Telling
from hustings.types import Assessment

__all__ = ["SharedStories"]

PAGE = 5_000
"""Tellings that are read or sown at once."""
DROP_EVERY = 1_000
"""How often, counted in tellings, the ledger is told what nobody remembers any more."""


class _Tellings(Protocol):
    def since(self, place: int, *, limit: int) -> list[Telling]: ...


class SharedStories:
    """Writes `story` for flagged posts, as `Stories` does, under a ledger. Not for several threads."""

    name = Stories.name
    version = Stories.version

    def __init__(self, ledger: StoryLedger) -> None:
        self._ledger = ledger
        self._memory = Stories()
        self._place = 0
        self._is_torn = False

    @classmethod
    def following(cls, ledger: StoryLedger, seed: Iterable[Assessment] = ()) -> SharedStories:
        """With the memory that the ledger holds. An empty ledger begins with the stories of `seed`, stored assessments
        as they were collected, oldest first; it is not looked at otherwise."""
        shared = cls(ledger)
        shared._read(ledger)
        if not shared._place:
            shared._sow(seed)
        return shared

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        flagged = [assessment for assessment in assessments if assessment.flags]
        if not flagged:
            return list(assessments)
        stories = iter(self._stories_of(flagged))
        return [replace(one, story=next(stories)) if one.flags else one for one in assessments]

    def _stories_of(self, flagged: Sequence[Assessment]) -> list[str]:
        if self._is_torn:
            self._forget()
        self._read(self._ledger)
        known = [self._memory.known(assessment) for assessment in flagged]
        if None not in known:
            return [story for story in known if story is not None]
        return self._tell(flagged)

    def _tell(self, flagged: Sequence[Assessment]) -> list[str]:
        """The stories of these posts; those that are not in the ledger are named and appended."""
        stories: list[str] = []
        new: list[Telling] = []
        with self._ledger.turn() as turn:
            self._read(turn)
            # Asked before anything is told: the memory knows a post at its last revision only, the ledger at each.
            known = {_name(one): story for one in flagged if (story := self._memory.known(one)) is not None}
            told = turn.told([_name(one) for one in flagged if _name(one) not in known]) | known
            self._is_torn = True  # until the turn has ended well, the memory is ahead of the ledger
            for assessment in flagged:
                story = told.get(_name(assessment))
                if story is None:
                    telling = self._memory.tell(assessment, place=self._place + len(new) + 1)
                    new.append(telling)
                    story = told[_name(assessment)] = telling.story
                stories.append(story)
            place = turn.append(new, after=self._place, drop_before=self._droppable(len(new))) if new else self._place
        self._is_torn, self._place = False, place
        return stories

    def _sow(self, seed: Iterable[Assessment]) -> None:
        with self._ledger.turn() as turn:
            self._read(turn)
            if self._place:
                return
            self._is_torn = True
            place = 0
            told = (one for one in seed if one.story)
            while page := list(islice(told, PAGE)):
                new = [self._memory.adopt(one, place=number) for number, one in enumerate(page, start=place + 1)]
                place = turn.append(new, after=place)
        self._is_torn, self._place = False, place

    def _read(self, tellings: _Tellings) -> None:
        while True:
            found = tellings.since(self._place, limit=PAGE)
            if found and self._place and found[0].place != self._place + 1:
                self._forget()  # what lies between was dropped; these are all that anybody remembers
            for telling in found:
                self._memory.remember(telling)
                self._place = telling.place
            if len(found) < PAGE:
                return

    def _forget(self) -> None:
        self._memory, self._place, self._is_torn = Stories(), 0, False

    def _droppable(self, count: int) -> int:
        is_time = self._place // DROP_EVERY != (self._place + count) // DROP_EVERY
        return self._memory.oldest_place if is_time else 0


def _name(assessment: Assessment) -> tuple[str, int]:
    return assessment.key, assessment.post.revision
