"""Whom a word is about: what may be its subject, and which people of the roster that means."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from classifiers.targets.places import Places
from classifiers.targets.reading import Cue, CueKind
from classifiers.targets.shields import Shields

__all__ = ["Spared", "Spot", "Subjects"]

Spared = Literal["others", "chosen", "contrast", "speaker", "defended"]
"""Why a mention is no subject: its group is, it is voted for, set against another, the speaker, or taken in defence."""

_SPARED_BY: Sequence[tuple[CueKind, Spared]] = (
    ("chooses", "chosen"),
    ("contrasts", "contrast"),
    ("passes_on", "speaker"),
    ("followers", "others"),
)
_PRONOUNS: Sequence[CueKind] = ("second_person", "she", "he", "pronoun", "others", "anyone")
_VOTERS: Sequence[CueKind] = ("second_person", "anyone", "others", "insults")
_GENDERS: Mapping[str, str] = {"she": "woman", "he": "man"}
_SHORT = 3
"""Letters of an article or the like, which may stand between a name and what it is called."""
_AND = "و"
"""In Arabic "and" is written together with the next name."""


class Spot(NamedTuple):
    """What may be the subject of a word: where it stands, what it is, and for "person" and "kin" whose."""

    at: int
    kind: CueKind | Literal["person"]
    person: str = ""


class Subjects:
    """The possible subjects of a post, and `kinds`, what there is among them. `genders` says "woman" or "man" of those
    of whom the roster does; in a threat the family of somebody stands for them."""

    def __init__(self, places: Places, genders: Mapping[str, str], shields: Shields, *, is_threat: bool) -> None:
        self._places = places
        self._genders = genders
        self._is_threat = is_threat
        self.spared = self._find_spared(shields)
        self._spots = self._find_spots()
        self.kinds = frozenset(spot.kind for spot in self._spots)

    def nearest(self, place: int) -> Spot | None:
        """The nearest subject in front within the clause, else behind; then the same within the sentence; then whoever
        was named last in the sentences before, and at last who is named first behind. "Whoever" is one only in front.
        """
        for start, end in (self._places.clause(place), self._places.sentence(place)):
            near = [spot for spot in self._spots if start <= spot.at < end and spot.at != place]
            before = [spot for spot in near if spot.at < place]
            near = [spot for spot in near if spot.kind != "anyone" or spot.at < place]
            if near:
                return before[-1] if before else near[0]
        named = [spot for spot in self._spots if spot.kind == "person"]
        before = [spot for spot in named if spot.at < place]
        return before[-1] if before else named[0] if named else None

    def behind(self, place: int, *, within: int) -> Spot | None:
        """The first subject behind the word in its clause, at most so many words away: the object of a verb."""
        last = min(self._places.clause(place)[1], place + within + 1)
        return next((spot for spot in self._spots if place < spot.at < last), None)

    def beside(self, place: int) -> int | None:
        """Where somebody is named right beside the word, as in "that cow Ana" or "Ana the cow"."""
        start, end = self._places.clause(place)
        for other in (place + 1, place - 1, place + 2, place - 2):
            if not (start <= other < end and other in self._places.names):
                continue
            if other > place and self._places.is_of_many(place):
                continue
            if other in self.spared and not (other > place and self.spared[other] == "chosen"):
                continue  # "who voted for that cow Ana" means Ana, "who votes for Ana is a cow" does not
            if all(self._is_small(between) for between in range(min(place, other) + 1, max(place, other))):
                return other
        return None

    def together(self, place: int) -> frozenset[str]:
        """The person named there and those joined to them: "Ana and Jon", "Ana, Jon & Rosa"."""
        order = sorted(self._places.names.keys() - self.spared.keys() | {place})
        first = last = order.index(place)
        while first > 0 and self._are_joined(order[first - 1], order[first]):
            first -= 1
        while last + 1 < len(order) and self._are_joined(order[last], order[last + 1]):
            last += 1
        words = range(order[first], order[last] + 1)
        if not any(self._is_and(word) for word in words):
            return frozenset({self._places.names[place]})
        return frozenset(self._places.names[at] for at in order[first : last + 1])

    def listeners(self, place: int | None) -> frozenset[str]:
        """Who is spoken to: people called in the sentence of the word, else those greeted in front, else whoever is
        called anywhere, unless the post begins by speaking to somebody else."""
        reading = self._places.reading
        called = self._called()
        here = {person for at, person in called.items() if place is not None and self._in_sentence(at, place)}
        if here:
            return frozenset(here)
        if reading.greeted or reading.strangers:
            return frozenset(reading.greeted)
        return frozenset(called.values())

    def antecedent(self, pronoun: Spot) -> str:
        """Whom "she" or "he" means: the person named last before it whom its gender fits, else the first behind; nobody
        behind "whoever"."""
        start, _ = self._places.sentence(pronoun.at)
        if any(start <= cue.start < pronoun.at for cue in self._places.cues("anyone")):
            return ""
        wanted = _GENDERS.get(pronoun.kind)
        fitting = [
            mention
            for mention in self._places.reading.mentions
            if (wanted is None or self._genders.get(mention.person, wanted) == wanted)
            and self.spared.get(mention.at) != "contrast"
        ]
        before = [mention for mention in fitting if mention.at < pronoun.at]
        return before[-1].person if before else fitting[0].person if fitting else ""

    def may_be_meant(self, person: str) -> bool:
        """Whether anything in the post lets the person be its subject; true of who is only listed by the source."""
        places = [mention.at for mention in self._places.reading.mentions if mention.person == person]
        return not places or any(place not in self.spared for place in places)

    def spared_as(self, person: str) -> Spared | None:
        """Why the person cannot be the subject of anything; None if they can."""
        if self.may_be_meant(person):
            return None
        return next(spared for place, spared in self.spared.items() if self._places.names[place] == person)

    # ── found once ──

    def _find_spared(self, shields: Shields) -> dict[int, Spared]:
        by: list[tuple[CueKind, Spared]] = [*_SPARED_BY]
        if not self._is_threat:
            by.append(("kin", "others"))
        found: dict[int, Spared] = {
            place: spared
            for kind, spared in by
            for cue in self._places.cues(kind)
            for place in self._places.named_within(cue)
        }
        about_voters = self._sentences_about_voters()
        for place, spared in list(found.items()):
            if spared == "chosen" and self._places.sentence(place) not in about_voters:
                del found[place]
        for cue in shields.says:
            found |= dict.fromkeys(self._places.named_within(cue), "speaker")
        named = sorted(self._places.names)
        for start, end in shields.defended:
            found |= dict.fromkeys(named[bisect_left(named, start) : bisect_left(named, end)], "defended")
        return found

    def _sentences_about_voters(self) -> set[tuple[int, int]]:
        """Those in which anybody else is spoken of, or to, than who is voted for."""
        cues = (cue for kind in _VOTERS for cue in self._places.cues(kind))
        return {self._places.sentence(place) for cue in cues for place in range(cue.start, cue.end)}

    def _find_spots(self) -> list[Spot]:
        places = self._places
        taken: set[int] = set()
        spots: set[Spot] = set()
        for kind in ("followers", "kin", "somebody"):
            for cue in places.cues(kind):
                owners = [places.names[place] for place in places.named_within(cue)]
                if kind == "kin" and self._is_threat and not owners:
                    continue  # whose child is threatened, the pronoun within says
                if kind == "somebody" and (owners or self._says_more(cue)):
                    continue
                spots.add(Spot(cue.end - 1, kind, owners[0] if owners else ""))
                taken |= set(range(cue.start, cue.end))
        for cue in places.cues("likens"):
            taken |= set(range(cue.start, cue.end)) - places.names.keys()
        for place, person in places.names.items():
            if place not in self.spared and place not in taken:
                spots.add(Spot(place, "person", person))
        for kind in _PRONOUNS:
            spots |= {Spot(cue.start, kind) for cue in places.cues(kind) if cue.start not in taken}
        return sorted(spots)

    def _called(self) -> dict[int, str]:
        """People called by name, by place: by a rule, or because the name alone fills its clause ("…, Ana, …")."""
        places = self._places
        by_rule = {place for cue in places.cues("calls") for place in places.named_within(cue)}
        return {
            place: person
            for place, person in places.names.items()
            if place not in self.spared and (place in by_rule or places.is_alone(place))
        }

    # ── places ──

    def _are_joined(self, one: int, other: int) -> bool:
        """Whether nothing but commas and words like "and" stand between two names."""
        if other == one + 1:
            return self._is_and(other)
        between = range(one + 1, other)
        return all(self._places.reading.words[place] == "," or self._is_and(place) for place in between)

    def _is_and(self, place: int) -> bool:
        if place in self._places.names:
            return self._places.reading.words[place].startswith(_AND)
        return self._places.is_a(place, "joins")

    def _says_more(self, cue: Cue) -> bool:
        """Whether "the … is" holds a pronoun or the insult itself, and so is no subject of it."""
        places = self._places
        return any(
            places.is_a(place, "insult", "insults", "harm", *_PRONOUNS) or place in places.reading.reasons
            for place in range(cue.start, cue.end)
        )

    def _in_sentence(self, one: int, other: int) -> bool:
        return self._places.sentence(one) == self._places.sentence(other)

    def _is_small(self, place: int) -> bool:
        word = self._places.reading.words[place]
        is_subject = any(spot.at == place for spot in self._spots)
        return (
            self._places.is_word(place)
            and len(word) <= _SHORT
            and not is_subject
            and not self._places.is_a(place, "denies", "joins")
        )
