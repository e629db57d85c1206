"""Who of the roster is named in a post: names, aliases and handles as tokens, found by one automaton.

The automaton runs over the analyser's tokens, joined by blanks, so a hit is always whole tokens; Han has one token per
character and needs no word boundary. Only posts with a hit are located in the original text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import ahocorasick
from msgspec.structs import replace

from classifiers.inflections import inflected
from classifiers.vocatives import Vocatives
from hustings.roster import Person, Roster
from hustings.text import analyse, locate
from hustings.types import Assessment, Post, Role, Span, Target

__all__ = ["CONTEXT_TOKENS", "RosterLinks"]

CONTEXT_TOKENS = 12
"""An ambiguous alias needs one of the person's context words at most so many tokens away."""


class _Name(NamedTuple):
    """Who a spelling may mean. Where it is `ambiguous` it needs context; a handle is how one talks to somebody."""

    people: tuple[str, ...]
    ambiguous: frozenset[str]
    is_handle: bool


class _Found(NamedTuple):
    """A spelling at the tokens first … last."""

    first: int
    last: int
    name: _Name


class RosterLinks:
    """Adds `targets`, in the order in which they are named.

    Roles given here: `addressed` for a person whose handle stands in the post (unless it is passed on: "RT @…"), who is
    called by name, or whom the source lists as mentioned; else `mentioned`. `aimed_at` is decided after the heads, in
    `classifiers.targets`.
    """

    name = "roster-links"

    def __init__(self, roster: Roster) -> None:
        self.version = roster.version or "1"
        self._context = {p.id: tuple(" ".join(analyse(word).tokens) for word in p.context) for p in roster.people}
        self._by_mention = {mention: person.id for person in roster.people for mention in _mentions(person)}
        self._automaton = _automaton(_names(roster.people))
        self._vocatives = Vocatives()

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [self._linked(assessment) for assessment in assessments]

    def _linked(self, assessment: Assessment) -> Assessment:
        post = assessment.post
        title = self._people(assessment.title_tokens) if post.title else []
        text = self._people(assessment.tokens)
        listed = self._listed(post) if post.mentions else []
        if not title and not text and not listed:
            return assessment
        targets = [Target(id=person, role="addressed") for person in listed]
        targets = [*self._targets(title, post.title, "title"), *self._targets(text, post.text, "text"), *targets]
        return replace(assessment, targets=(*assessment.targets, *_merged(targets)))

    def _people(self, tokens: tuple[str, ...]) -> list[tuple[str, _Found]]:
        """(person, where) for each spelling that means exactly one person here."""
        joined = " " + " ".join(tokens) + " "
        found = []
        for end, (length, count, name) in self._automaton.iter(joined):
            start = end - length + 1
            if joined[start - 1] == " ":
                first = joined.count(" ", 0, start) - 1
                found.append(_Found(first, first + count - 1, name))
        return _resolved(_longest(found), tokens, self._context) if found else []

    def _targets(self, people: Sequence[tuple[str, _Found]], text: str, part: Literal["text", "title"]) -> list[Target]:
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


def _names(people: Iterable[Person]) -> dict[tuple[str, ...], _Name]:
    """Every spelling of everybody. One that several people share is ambiguous for all of them."""
    owners: dict[tuple[str, ...], dict[str, bool]] = {}
    handles: set[tuple[str, ...]] = set()
    for person in people:
        ambiguous = {analyse(alias).tokens for alias in person.ambiguous}
        for spelling in (person.name, *person.names, *person.aliases, *person.ambiguous):
            tokens = analyse(spelling).tokens
            if not tokens:
                continue
            forms = [*inflected(tokens)]
            if len(tokens) > 1:
                forms.append(("#" + "".join(tokens),))
            for form in forms:
                mine = owners.setdefault(form, {})
                mine[person.id] = mine.get(person.id, True) and tokens in ambiguous
        for handle in person.handles:
            form = analyse("@" + _bare(handle)).tokens[:1]  # the whole mention, without its parts
            if not form:
                continue
            handles.add(form)
            owners.setdefault(form, {})[person.id] = False
    return {
        form: _Name(
            people=tuple(sorted(mine)),
            ambiguous=frozenset(mine) if len(mine) > 1 else frozenset(p for p, unclear in mine.items() if unclear),
            is_handle=form in handles,
        )
        for form, mine in owners.items()
    }


def _mentions(person: Person) -> list[str]:
    """How a source may list the person among a post's mentions."""
    return [mention.casefold() for mention in (person.id, *person.handles, *map(_bare, person.handles))]


def _bare(handle: str) -> str:
    """`name@host` of `platform:@name@host`."""
    return handle.split(":", 1)[-1].lstrip("@")


def _automaton(names: dict[tuple[str, ...], _Name]) -> Any:
    automaton = ahocorasick.Automaton()
    for tokens, name in names.items():
        pattern = " ".join(tokens) + " "
        automaton.add_word(pattern, (len(pattern), len(tokens), name))
    automaton.add_word("\n", (0, 0, None))  # no token holds a line feed; an automaton without words cannot be asked
    automaton.make_automaton()
    return automaton


def _longest(found: Sequence[_Found]) -> list[_Found]:
    """Without those inside a longer one: "Ana Ruiz" is not also "Ruiz"."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.first, -one.last)):
        if not kept or one.last > kept[-1].last:
            kept.append(one)
    return kept


def _resolved(
    found: Sequence[_Found], tokens: tuple[str, ...], context: dict[str, tuple[str, ...]]
) -> list[tuple[str, _Found]]:
    """An ambiguous spelling means the one person who is named clearly elsewhere or has context nearby, else nobody."""
    clear = {one.name.people[0] for one in found if not one.name.ambiguous}
    resolved = []
    for one in found:
        meant = list(one.name.people)
        if one.name.ambiguous:
            near = tokens[max(0, one.first - CONTEXT_TOKENS) : one.last + 1 + CONTEXT_TOKENS]
            window = " " + " ".join(near) + " "
            meant = [p for p in meant if p in clear or any(f" {word} " in window for word in context[p])]
        if len(meant) == 1:
            resolved.append((meant[0], one))
    return resolved


def _merged(targets: Sequence[Target]) -> list[Target]:
    """One target a person, with all spans but those inside others, and the stronger role."""
    by_person: dict[str, list[Target]] = {}
    for target in targets:
        by_person.setdefault(target.id, []).append(target)
    merged = []
    for person, same in by_person.items():
        role: Role = "addressed" if any(target.role == "addressed" for target in same) else "mentioned"
        spans = [span for target in same for span in target.spans]
        merged.append(
            Target(id=person, role=role, spans=tuple(dict.fromkeys(span for span in spans if not _inside(span, spans))))
        )
    return merged


def _inside(span: Span, spans: Iterable[Span]) -> bool:
    """Whether another span of the same part holds this one: a hashtag is found whole and as its parts."""
    return any(
        other != span and other.part == span.part and other.start <= span.start and span.end <= other.end
        for other in spans
    )
