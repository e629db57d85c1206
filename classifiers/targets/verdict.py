"""Decides from a reading whom the abuse is about, reason by reason.

A reason is a word that the rules know as an insult or a harm, or, where there is none, a word for which the post was
flagged. It is about nobody where it is argued against, reported or denied; else it is about what stands nearest as its
subject: a name, a pronoun, "you", a group, somebody else. Whom any reason is about is attacked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from classifiers.targets.places import Places
from classifiers.targets.reading import Reading
from classifiers.targets.shields import Shields
from classifiers.targets.subjects import Spot, Subjects
from hustings.types import Role

__all__ = ["CERTAINTY", "Because", "Verdict", "decide", "reasons"]

Because = Literal[
    "parsed",
    "beside",
    "addressed",
    "subject",
    "pronoun",
    "only",
    "third person",
    "unclear",
    "others",
    "chosen",
    "contrast",
    "reported",
    "speaker",
    "denied",
    "defended",
]
"""By which rule somebody is attacked, or is not; docs/targets.md explains each."""

CERTAINTY: Mapping[Because, float] = {
    "parsed": 0.95,
    "beside": 0.95,
    "addressed": 0.9,
    "subject": 0.85,
    "pronoun": 0.75,
    "only": 0.6,
    "third person": 0.4,
    "unclear": 0.35,
    "others": 0.25,
    "chosen": 0.2,
    "contrast": 0.15,
    "reported": 0.15,
    "speaker": 0.1,
    "denied": 0.1,
    "defended": 0.05,
}
"""An order, strongest first; no probability. Ours, chosen before anything was measured."""

_MOST_REASONS = 64
"""Of one post: the rest of a flood of insults tells nothing new."""
_INSULTS: tuple[Literal["insult", "insults"], ...] = ("insult", "insults")
_NEAR_OBJECT = 4
"""Words between a verb of harm and its object, at most."""


class Verdict(NamedTuple):
    """The role of a person, and by which rule they are attacked, or are not."""

    role: Role
    because: Because


class _About(NamedTuple):
    """Whom a reason is about: these people; nobody of the roster where there are none."""

    people: frozenset[str]
    because: Because


_NOBODY: frozenset[str] = frozenset()


def decide(
    reading: Reading,
    people: Sequence[str],
    *,
    is_threat: bool,
    is_answer: bool = False,
    is_of_group: bool = False,
    genders: Mapping[str, str] | None = None,
) -> dict[str, Verdict]:
    """A verdict on each of `people`, who are all that the post names. In a threat, the family of somebody stands for
    them; who answers abuse attacks nobody; nor is it known of hate of a group that somebody is meant who is merely the
    only one named. `genders` says "woman" or "man" of those of whom the roster does: it tells whom "she" or "he" can
    mean."""
    places = Places(reading)
    shields = Shields(places)
    subjects = Subjects(places, genders or {}, shields, is_threat=is_threat)
    if is_answer:
        found = [_About(_NOBODY, "defended")]
    else:
        judge = _Judge(people, places, subjects, shields, is_threat, is_of_group)
        found = [judge.about(reason) for reason in reasons(places, is_threat=is_threat)] or [judge.about_all()]
    spoken_to = subjects.listeners(None)
    return {person: _verdict(person, found, subjects, is_spoken_to=person in spoken_to) for person in people}


def reasons(places: Places, *, is_threat: bool) -> list[int]:
    """Words known as insults or harms, one for each cue, harms beside insults only in threats ("Ana beat Jon, that
    clown"); without any, the words of the flags, names and words of grammar aside."""
    insults = {cue.end - 1 for kind in _INSULTS for cue in places.cues(kind)}
    harms = {cue.end - 1 for cue in places.cues("harm")}
    known = insults | harms if is_threat or not insults else insults
    if known:
        return sorted(known)[:_MOST_REASONS]
    grammar = {cue.start for cue in places.reading.cues if cue.end - cue.start == 1}
    own = [at for at in places.reading.reasons if places.is_word(at) and at not in places.names and at not in grammar]
    return own[:_MOST_REASONS]


def _verdict(person: str, found: Sequence[_About], subjects: Subjects, *, is_spoken_to: bool) -> Verdict:
    for_it = [one.because for one in found if person in one.people]
    if for_it:
        return Verdict("aimed_at", _plainest(for_it))
    role: Role = "addressed" if is_spoken_to else "mentioned"
    spared = subjects.spared_as(person)
    return Verdict(role, spared or _plainest([one.because for one in found if not one.people] or ["unclear"]))


class _Judge:
    """One post."""

    def __init__(
        self,
        people: Sequence[str],
        places: Places,
        subjects: Subjects,
        shields: Shields,
        is_threat: bool,
        is_of_group: bool,
    ) -> None:
        self._people = people
        self._places = places
        self._subjects = subjects
        self._shields = shields
        self._is_threat = is_threat
        self._is_of_group = is_of_group
        self._parsed = dict(places.reading.subjects)

    def about(self, reason: int) -> _About:
        """Whom a reason is about."""
        if self._shields.is_defended(reason):
            return _About(_NOBODY, "defended")
        if self._shields.is_reported(reason):
            return _About(_NOBODY, "reported")
        if self._shields.is_denied(reason):
            return _About(_NOBODY, "denied")
        parsed = self._parsed.get(reason)
        if parsed in self._places.names and parsed not in self._subjects.spared:
            return _About(self._subjects.together(parsed), "parsed")
        if parsed is not None and parsed not in self._places.names:
            return _About(_NOBODY, "others")
        beside = self._subjects.beside(reason)
        if beside is not None:
            return _About(self._subjects.together(beside), "beside")
        spot = self._subjects.behind(reason, within=_NEAR_OBJECT) if self._places.is_a(reason, "harm") else None
        spot = spot or self._subjects.nearest(reason)
        return self._meant(spot, reason) if spot else self._whoever()

    def about_all(self) -> _About:
        """When nothing tells which words are the abuse: whoever is spoken to, else the only one who is spoken of."""
        if self._shields.defended:
            return _About(_NOBODY, "defended")
        kinds = self._subjects.kinds
        if "second_person" in kinds:
            listeners = self._subjects.listeners(None)
            if listeners or len(self._people) > 1 or self._places.reading.strangers:
                return _About(listeners, "addressed" if listeners else "others")
        if len(self._people) > 1:
            return _About(_NOBODY, "unclear")
        if "person" not in kinds and not self._places.names and kinds:
            return _About(_NOBODY, "third person" if kinds & {"she", "he", "pronoun"} else "others")
        return self._whoever()

    def _meant(self, spot: Spot, reason: int) -> _About:
        if spot.kind == "person":
            together = self._subjects.together(spot.at)
            if self._places.is_of_many(reason) and len(together) == 1 and spot.at > reason:
                return _About(_NOBODY, "others")
            return _About(together, "subject")
        if spot.kind == "kin" and self._is_threat:
            return _About(frozenset({spot.person}), "subject")
        if spot.kind == "second_person":
            listeners = self._subjects.listeners(reason) or self._named_first()
            return _About(listeners, "addressed" if listeners else "others")
        if spot.kind in ("she", "he", "pronoun"):
            person = self._subjects.antecedent(spot)
            if person:
                return _About(frozenset({person}), "pronoun")
            return self._whoever() if self._is_threat else _About(_NOBODY, "third person")
        return _About(_NOBODY, "others")

    def _named_first(self) -> frozenset[str]:
        """In a threat, the only one whom the post names, if it begins with the name: people who threaten leave out the
        comma ("Ana I know where you live"), and a threat that is told to nobody is the dearer error."""
        first = self._places.names.get(0)
        if not self._is_threat or first is None or set(self._places.names.values()) != {first}:
            return _NOBODY
        return frozenset({first}) if self._subjects.may_be_meant(first) else _NOBODY

    def _whoever(self) -> _About:
        """Nothing says whom it is about: whoever the post greets, or is the only one that it names."""
        greeted = self._places.reading.greeted
        if greeted:
            return _About(frozenset(greeted), "addressed" if len(self._people) > 1 else "only")
        if self._is_of_group:
            return _About(_NOBODY, "others")
        if len(self._people) == 1 and self._subjects.may_be_meant(self._people[0]):
            return _About(frozenset(self._people), "only")
        return _About(_NOBODY, "unclear")


def _plainest(reasons: Iterable[Because]) -> Because:
    return max(reasons, key=CERTAINTY.__getitem__)
