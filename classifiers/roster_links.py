"""Who of the roster is named in a post, where, and in which role. Only posts with a name are located in the original
text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec.structs import replace

from classifiers.roster_names import Found, RosterNames, bare
from classifiers.vocatives import Vocatives
from hustings.roster import Person, Roster
from hustings.text import locate
from hustings.types import Assessment, Post, Role, Span, Target

__all__ = ["RosterLinks", "outermost"]


class RosterLinks:
    """Adds `targets`, in the order in which they are named.

    Roles given here: `addressed` for a person whose handle stands in the post (unless it is passed on: "RT @…"), who is
    called by name, or whom the source lists as mentioned; else `mentioned`. `aimed_at` is decided after the heads, in
    `classifiers.targets`.
    """

    name = "roster-links"

    def __init__(self, roster: Roster, names: RosterNames | None = None) -> None:
        """`names` are those of the roster, where somebody has made them before."""
        self.version = roster.version or "1"
        self._by_mention = _by_mention(roster.people)
        self._names = names or RosterNames(roster)
        self._vocatives = Vocatives()

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [self._linked(assessment) for assessment in assessments]

    def _linked(self, assessment: Assessment) -> Assessment:
        post = assessment.post
        title = self._names.people(assessment.title_tokens) if post.title else []
        text = self._names.people(assessment.tokens)
        listed = self._listed(post) if post.mentions else []
        if not title and not text and not listed:
            return assessment
        targets = [Target(id=person, role="addressed") for person in listed]
        targets = [*self._targets(title, post.title, "title"), *self._targets(text, post.text, "text"), *targets]
        return replace(assessment, targets=(*assessment.targets, *_merged(targets)))

    def _targets(self, people: Sequence[tuple[str, Found]], text: str, part: Literal["text", "title"]) -> list[Target]:
        if not people:
            return []
        located = locate(text)
        targets = []
        for person, (first, last, name) in people:
            span = Span(start=located.spans[first][0], end=located.spans[last][1], part=part)
            before = located.tokens[first - 1] if first else ""
            if name.is_handle:
                is_addressed = self._vocatives.is_spoken_to(before)
            else:
                is_addressed = self._vocatives.is_called(text, span, before)
            targets.append(Target(id=person, role="addressed" if is_addressed else "mentioned", spans=(span,)))
        return targets

    def _listed(self, post: Post) -> list[str]:
        wanted = (self._by_mention.get(mention.lstrip("@").casefold()) for mention in post.mentions)
        return [person for person in wanted if person is not None]


def _by_mention(people: Sequence[Person]) -> dict[str, str]:
    """Whom a source means by what it lists among a post's mentions: an id, a handle, or one without its platform where
    only one of the people is called that: another's is not theirs."""
    owners: dict[str, set[str]] = {}
    for person in people:
        for handle in person.handles:
            owners.setdefault(bare(handle).casefold(), set()).add(person.id)
    meant = {handle: person for handle, (person, *others) in owners.items() if not others}
    for person in people:
        meant |= dict.fromkeys((handle.casefold() for handle in person.handles), person.id)
    return meant | {person.id.casefold(): person.id for person in people}


def _merged(targets: Sequence[Target]) -> list[Target]:
    """One target a person, with all spans but those inside others, and the stronger role."""
    by_person: dict[str, list[Target]] = {}
    for target in targets:
        by_person.setdefault(target.id, []).append(target)
    merged = []
    for person, same in by_person.items():
        role: Role = "addressed" if any(target.role == "addressed" for target in same) else "mentioned"
        spans = [span for target in same for span in target.spans]
        merged.append(Target(id=person, role=role, spans=outermost(spans)))
    return merged


def outermost(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans without those inside another one of the same part: a hashtag is found whole and as its parts. Where
    they are in order, the longer first, whatever is inside another ends no later than one before it does: one look at
    each is enough, however often a post says a name."""
    kept = dict.fromkeys(spans)
    furthest = {"title": -1, "text": -1}
    for span in sorted(kept, key=lambda span: (span.start, -span.end)):
        if span.end <= furthest[span.part]:
            del kept[span]
        furthest[span.part] = max(furthest[span.part], span.end)
    return tuple(kept)
