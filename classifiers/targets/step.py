"""The step of the pipeline that says who is attacked: it raises roles of people whom the roster's links found.

Only posts that need it are read: those that a flag of abuse, threat or incitement was given and that name somebody.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from classifiers.targets.parse import Parsers
from classifiers.targets.reader import Reader
from classifiers.targets.settings import TargetSettings
from classifiers.targets.verdict import Verdict, decide
from hustings.codebook import matches
from hustings.roster import Roster
from hustings.types import Assessment, Flag, Role, Target

__all__ = ["HARMS", "Targets"]

HARMS = ("G", "A", "N-PART-THREAT", "N-INCITE")
"""Codes of posts in which somebody may be attacked. A false claim about somebody is no attack by itself."""
_THREATS = ("G-THR", "A-THREAT", "N-PART-THREAT", "N-INCITE")
_OF_GROUPS = "A-OTHERGROUND"
"""Mostly hate of a minority, in a post that may name whoever stands up for it: its words are about no person."""
_ANSWER = "X-COUNTER"
"""Who answers abuse attacks nobody, whatever words are repeated."""

_RANK: dict[Role, int] = {"mentioned": 0, "addressed": 1, "aimed_at": 2}


class Targets:
    """Raises the role of a target to `addressed` or `aimed_at`. The only step that changes what an earlier one wrote,
    and only so. spaCy is imported when the first post needs it."""

    name = "targets"

    def __init__(self, roster: Roster | None = None, parsers: Parsers | None = None) -> None:
        people = roster.people if roster else ()
        self._genders = {person.id: person.attributes.get("gender", "") for person in people}
        self._genders = {person: gender for person, gender in self._genders.items() if gender in ("woman", "man")}
        self._parsers = parsers or Parsers({})
        self._reader: Reader | None = None
        self.version = "+".join(filter(None, ("rules-2", self._parsers.label)))

    @classmethod
    def open(cls, roster: Roster, settings: TargetSettings, *, former: Targets | None = None) -> Targets:
        """With the models that are configured; what the step that this one takes over from had loaded of them, and of
        the rules, goes on. Raises `ModelError` for a model that cannot serve."""
        if former is not None and former._parsers.are(settings.spacy_model):
            return former.for_roster(roster)
        return cls(roster, Parsers.open(settings.spacy_model))

    def for_roster(self, roster: Roster) -> Targets:
        """The same rules and models for other people."""
        step = Targets(roster, self._parsers)
        step._reader = self._reader
        return step

    def needs(self, assessment: Assessment) -> bool:
        """Whether the post is read at all: it names somebody, and a flag says that somebody may be attacked."""
        return bool(assessment.targets) and _is_harmful(assessment.flags)

    def load(self) -> None:
        """Import spaCy now, rather than with the first post that needs it."""
        self._opened()

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        needed = [place for place, one in enumerate(assessments) if self.needs(one)]
        done = list(assessments)
        if needed:
            reader = self._opened()
            with reader.zone():
                for place in needed:
                    done[place] = self._raised(assessments[place], reader)
        return done

    def verdicts(self, assessment: Assessment) -> dict[str, Verdict]:
        """Whom the post attacks, and by which rule that is said, for each of its people."""
        reader = self._opened()
        with reader.zone():
            return self._verdicts(assessment, reader)

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = Reader.open()
        return self._reader

    def _raised(self, assessment: Assessment, reader: Reader) -> Assessment:
        verdicts = self._verdicts(assessment, reader)
        return replace(assessment, targets=tuple(_risen(one, verdicts[one.id].role) for one in assessment.targets))

    def _verdicts(self, assessment: Assessment, reader: Reader) -> dict[str, Verdict]:
        harms = [flag for flag in assessment.flags if _is_harmful((flag,))]
        of_people = [flag for flag in harms if not matches(flag.code, _OF_GROUPS)]
        reading = reader.read(assessment, [span for flag in of_people for span in flag.spans])
        is_threat = any(matches(flag.code, code) for flag in harms for code in _THREATS)
        return decide(
            self._parsers.parsed(reading, assessment.lang, is_threat=is_threat),
            list(dict.fromkeys(target.id for target in assessment.targets)),
            is_threat=is_threat,
            is_answer=any(matches(flag.code, _ANSWER) for flag in assessment.flags),
            is_of_group=not of_people,
            genders=self._genders,
        )


def _risen(target: Target, role: Role) -> Target:
    return replace(target, role=role) if _RANK[role] > _RANK[target.role] else target


def _is_harmful(flags: Sequence[Flag]) -> bool:
    return any(matches(flag.code, code) for flag in flags for code in HARMS)
