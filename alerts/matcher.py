"""From assessments to hits: which rules a post meets, and what a revision of it takes back.

Each rule is found through words without which it cannot match; rules that have none are looked at
for every post.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from alerts.grouping import Grouping, value_reader
from alerts.rule import Rule, RuleSet
from alerts.shown import scored
from alerts.terms import Terms
from hustings.query.fields import number_value
from hustings.query.predicate import Check, Reading, check
from hustings.query.required_words import required_words
from hustings.types import Alert, Assessment, Hit, hash_id

__all__ = ["AHEAD", "Matched", "Matcher", "event_time", "partition_key", "withdrawals"]

AHEAD = timedelta(minutes=2)
"""How far a published time may lie after the collection before it is not believed."""


class Matched(NamedTuple):
    """What a post did: its hits, and the ids of rules that it meets but in which it has no group."""

    hits: tuple[Hit, ...]
    no_group: tuple[str, ...]


class Matcher:
    """The rules of a set that run (shadow and active ones), compiled. Holds nothing of the posts that went through."""

    def __init__(self, ruleset: RuleSet) -> None:
        self._compiled = [_Compiled(rule, ruleset) for rule in ruleset.evaluated]
        self._terms = {rule.id: Terms(rule) for rule in ruleset.evaluated}
        self._by_word: dict[str, list[int]] = {}
        self._always: list[int] = []
        for number, compiled in enumerate(self._compiled):
            words = required_words(compiled.rule.query)
            if words is None:
                self._always.append(number)
            for word in words or ():
                self._by_word.setdefault(word, []).append(number)

    def match(self, assessments: Iterable[Assessment]) -> list[Hit]:
        """The hits of all posts, in the order of the posts and of the rules. A deleted post has none."""
        return [hit for assessment in assessments for hit in self.match_one(assessment).hits]

    def match_one(self, assessment: Assessment) -> Matched:
        """The hits of one post, and the rules that it meets without having a group in them."""
        if assessment.post.deleted:
            return Matched((), ())
        reading = Reading(assessment)
        hits: list[Hit] = []
        no_group: list[str] = []
        for number in self._candidates(reading):
            compiled = self._compiled[number]
            if not (compiled.meets(reading) and compiled.concerns(assessment)):
                continue
            found = compiled.hits(assessment)
            hits += found
            if not found:
                no_group.append(compiled.rule.id)
        return Matched(tuple(hits), tuple(no_group))

    def revise(self, assessment: Assessment, former: Iterable[Hit]) -> list[Hit]:
        """Everything that has to be appended for a post that was seen before: its hits, and withdrawals of those that
        it had (`former`, of the highest revision before) and has no longer.

        A revision that comes too late adds nothing, but what it leaves as it was still counts:
        such a hit keeps the time since which it stands, and of its values those that it had before.
        """
        before = {hit.id: hit for hit in former if not hit.withdrawn}
        current = [_carried(hit, before.get(hit.id), self._terms[hit.rule]) for hit in self.match([assessment])]
        return [*current, *withdrawals(list(before.values()), current, assessment)]

    def _candidates(self, reading: Reading) -> Sequence[int]:
        if not self._by_word:
            return self._always
        words = reading.words(of_title=False) | reading.words(of_title=True)
        found = {number for word in words for number in self._by_word.get(word, ())}
        return sorted(found.union(self._always)) if found else self._always


def withdrawals(former: Sequence[Hit], current: Sequence[Hit], assessment: Assessment) -> list[Hit]:
    """For each former hit of this post that its new revision no longer gives: the hit that takes it back."""
    kept = {hit.id for hit in current}
    return [
        replace(hit, revision=assessment.post.revision, revised_at=assessment.post.collected_at, withdrawn=True)
        for hit in former
        if not hit.withdrawn and hit.id not in kept
    ]


def partition_key(hit: Hit | Alert) -> str:
    """The key on the hits log, and of the partition where an alert's window lives: everything of one rule and group
    goes the same way."""
    return "|".join([hit.rule, *(f"{field}={value}" for field, value in hit.group)])


def event_time(assessment: Assessment) -> datetime:
    """When the post happened: its published time, or its first collection where that lies implausibly far ahead."""
    published, ingested = assessment.post.published_at, assessment.ingested_at
    return ingested if published > ingested + AHEAD else published


def _carried(hit: Hit, before: Hit | None, terms: Terms) -> Hit:
    """A hit of a new revision, which keeps the standing of the former one where it comes too late to add anything."""
    if before is None or before.t != hit.t or not terms.is_late(hit):
        return hit
    if terms.is_late(before):  # it never counted: there is no standing to keep
        return hit
    kept = tuple(value for value in hit.of if value in before.of)
    if hit.of and not kept:
        return hit
    added = tuple(value for value in hit.of if value not in before.of)
    since = before.revised_at if before.revision else before.g
    return replace(hit, of=kept, late_of=added, revised_at=since, edited_at=hit.revised_at)


class _Compiled:
    """One rule, ready to be asked about posts."""

    def __init__(self, rule: Rule, ruleset: RuleSet) -> None:
        self.rule = rule
        self.meets: Check = check(rule.query)
        self._ends = rule.ends
        self._grouping = Grouping(rule, ruleset)
        self._of = None if rule.of is None else value_reader(rule.of, roster=ruleset.roster, phases=ruleset.phases)
        self._scores = scored(rule.query.node)

    def concerns(self, assessment: Assessment) -> bool:
        """Is the post within the time of the rule and, where the rule takes a sample, in it?

        The rule ends with the first collection, which no edit changes: what it found before still stands afterwards."""
        rule = self.rule
        if rule.active_from is not None and event_time(assessment) < rule.active_from:
            return False
        if self._ends is not None and assessment.ingested_at > self._ends:
            return False
        return rule.outcome == "alert" or _is_sampled(rule, assessment.key)

    def hits(self, assessment: Assessment) -> list[Hit]:
        """One hit for each group of the post; for the review queue, one for the post."""
        if self.rule.outcome == "review":
            return [self._hit(assessment, (("key", assessment.key),))]
        return [self._hit(assessment, group) for group in self._grouping.groups(assessment)]

    def _hit(self, assessment: Assessment, group: tuple[tuple[str, str], ...]) -> Hit:
        scores = [score for field in self._scores if (score := number_value(assessment, field)) is not None]
        return Hit(
            rule=self.rule.id,
            logic=self.rule.logic,
            group=group,
            key=assessment.key,
            revision=assessment.post.revision,
            t=event_time(assessment),
            g=assessment.ingested_at,
            revised_at=assessment.post.collected_at,
            of=() if self._of is None else self._of(assessment),
            score=max(scores, default=None),
            author=assessment.post.author,
        )


def _is_sampled(rule: Rule, key: str) -> bool:
    """Whether a post belongs to the slice that a review rule shows: a function of rule and key, so that every worker
    and every redo chooses the same."""
    return int(hash_id(rule.id, key), 16) < rule.sample * 2**128
