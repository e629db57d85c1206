"""The values of a post that rules group by and count: every keyword field, roster attributes, the phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from alerts.rule import Rule, RuleSet
from hustings.query.fields import FIELDS, PEOPLE_FIELDS, keyword_values
from hustings.roster import Phase, Roster, phase_at
from hustings.types import Assessment

__all__ = ["MISSING", "Grouping", "Reader", "value_reader"]

Reader = Callable[[Assessment], tuple[str, ...]]

MISSING = ""
"""The group of posts without a value, where the rule says `on_missing_group = "bucket"`."""


def value_reader(field: str, *, roster: Roster | None, phases: Sequence[Phase]) -> Reader:
    """How the distinct values of a field are read from a post. Raises `KeyError` for a field that has none."""
    if field == "phase":
        return lambda assessment: tuple(filter(None, [phase_at(phases, assessment.post.published_at)]))
    people, dot, attribute = field.partition(".")
    if dot and people in PEOPLE_FIELDS:
        values = {
            person.id: person.attributes[attribute]
            for person in (roster.people if roster is not None else ())
            if person.attributes.get(attribute)
        }
        return lambda assessment: tuple(
            dict.fromkeys(values[person] for person in keyword_values(assessment, people) if person in values)
        )
    if not FIELDS[field].groupable:
        raise KeyError(field)
    return lambda assessment: keyword_values(assessment, field)


class Grouping:
    """Which groups of a rule a post belongs to: one for each combination of its values."""

    def __init__(self, rule: Rule, ruleset: RuleSet) -> None:
        self._fields = rule.group_by
        self._readers = [value_reader(name, roster=ruleset.roster, phases=ruleset.phases) for name in rule.group_by]
        self._buckets = rule.on_missing_group == "bucket"
        self._by_story = rule.kind == "match" and not {"story", "key"} & set(rule.group_by)

    def groups(self, assessment: Assessment) -> list[tuple[tuple[str, str], ...]]:
        """The groups in order of appearance; none when a value is missing and the rule skips such posts."""
        member: tuple[tuple[str, str], ...] = ()
        if self._by_story:  # one episode per story, else per post
            member = (("story", assessment.story) if assessment.story else ("key", assessment.key),)
        if not self._fields:
            return [member]
        values = [reader(assessment) or ((MISSING,) if self._buckets else ()) for reader in self._readers]
        return [(*zip(self._fields, combination, strict=True), *member) for combination in product(*values)]
