"""Checks that look beyond one key: at other rules, at the former version, at partners, at the rule's own tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import prod

from msgspec import Struct

from alerts.markings import Tlp, tlp_within
from alerts.rule import RuleSet
from alerts.rules.cases import Case
from alerts.rules.durations import show_duration
from alerts.rules.read import ReadRule
from alerts.rules.table import Table
from alerts.rules.trial import differences
from hustings.query.fields import PEOPLE_FIELDS
from hustings.query.required_words import required_words
from hustings.query.tree import And, Is, Node, Not, Or
from hustings.query.vocabulary import Vocabulary

__all__ = ["Surroundings", "check_deployed", "check_unique"]


class Surroundings(Struct, frozen=True, kw_only=True):
    """What a deployment knows beside the rules. What is absent is not checked.

    `former` is the rule set that is active now, `retention` how long hits and posts are kept in the index, `ceilings`
    the markings up to which each partner is cleared."""

    now: datetime | None = None
    former: RuleSet | None = None
    retention: timedelta | None = None
    ceilings: tuple[Tlp, ...] = ()


def check_unique(rules: Sequence[ReadRule]) -> None:
    """E17: an id or name that an earlier rule has."""
    for key in ("id", "name"):
        seen: dict[str, Table] = {}
        for rule, table in rules:
            value = str(getattr(rule, key))
            if key in table and value in seen:
                table.problem("E17", key, f"{value!r} is used at {seen[value].place(key)} already")
            seen.setdefault(value, table)


def check_deployed(
    read: ReadRule,
    cases: Sequence[Case],
    *,
    ruleset: RuleSet,
    vocabulary: Vocabulary,
    around: Surroundings,
    run_tests: bool,
) -> None:
    """Everything that a rule has to meet before it may run in a deployment."""
    rule, table = read
    _check_expiry(read, around.now)
    _check_version(read, around.former)
    reach = rule.span + rule.lateness
    if around.retention is not None and reach > around.retention:
        kept = show_duration(around.retention)
        text = f"window, lateness and resolve_after are {show_duration(reach)} together; the index keeps {kept}"
        table.problem("E15", "window", text)
    if around.ceilings and not any(tlp_within(rule.route.tlp, ceiling) for ceiling in around.ceilings):
        cleared = ", ".join(dict.fromkeys(around.ceilings))
        table.problem("E22", "route.tlp", f"no partner is cleared for {rule.route.tlp}; partners are for {cleared}")
    _check_groups(read, vocabulary)
    _check_people(read, vocabulary)
    if "where" in table and required_words(rule.query) is None:
        table.problem("W05", "where", "no word is required, so the rule is looked at for every post")
    _check_cases(table)
    for case in cases if run_tests else ():
        for difference in differences(case, rule, ruleset):
            table.problem("E21", f"test.{case.number}", f"{case.name!r} fails: {difference}")


def _check_expiry(read: ReadRule, now: datetime | None) -> None:
    rule, table = read
    if now is not None and rule.ends is not None and rule.ends < now and rule.state in ("shadow", "active"):
        table.problem("E19", "expires", f"{rule.expires} is past; a {rule.state} rule has to end later or be retired")


def _check_version(read: ReadRule, former: RuleSet | None) -> None:
    rule, table = read
    before = next((old for old in former.rules if old.id == rule.id), None) if former is not None else None
    if before is not None and before.logic != rule.logic and rule.version <= before.version:
        text = f"the logic changed since version {before.version}; raise it to {before.version + 1}"
        table.problem("E18", "version", text)


def _check_groups(read: ReadRule, vocabulary: Vocabulary) -> None:
    """E23, where the roster tells how many groups there can be."""
    rule, table = read
    if rule.limits.max_groups is None or vocabulary.roster is None or not rule.group_by:
        return
    sizes: list[int] = []
    for field in rule.group_by:
        people, dot, attribute = field.partition(".")
        if people not in PEOPLE_FIELDS:
            return
        named = vocabulary.roster.people
        sizes.append(len({person.attributes.get(attribute) for person in named} - {None}) if dot else len(named))
    estimate = prod(sizes)
    if estimate > rule.limits.max_groups:
        table.problem(
            "E23", "limits.max_groups", f"the roster makes {estimate} groups; at most {rule.limits.max_groups}"
        )


def _check_people(read: ReadRule, vocabulary: Vocabulary) -> None:
    """E24: a rule watches roster ids, never somebody who is not listed; without review it names nobody at all."""
    rule, table = read
    if vocabulary.roster is not None:
        ids = vocabulary.roster.ids()
        for author in _authors(rule.query.node):
            if author not in ids:
                text = f"selects the author {author!r}, who is not in the roster: a private person is never watched"
                table.problem("E24", "where", text)
    named = [field for field in rule.group_by if field.partition(".")[0] in (*PEOPLE_FIELDS, "author", "mention")]
    if rule.review == "none" and named:
        text = f'"none" is for rules that name nobody; group_by {", ".join(named)} names people'
        table.problem("E24", "review", text)


def _authors(node: Node) -> list[str]:
    match node:
        case Is("author", values):
            return list(values)
        case And(nodes) | Or(nodes):
            return [author for inner in nodes for author in _authors(inner)]
        case Not(inner):
            return _authors(inner)
        case _:
            return []


def _check_cases(table: Table) -> None:
    """E20: a test that fires shows that the rule can, one that does not shows that it does not always."""
    found = table.values.get("test", [])
    cases = [case for case in found if isinstance(case, dict)] if isinstance(found, list) else []
    if not any(case.get("expect") for case in cases):
        table.problem("E20", "test", "no firing test: one [[rule.test]] has to expect something")
    if not any(case.get("expect") == [] for case in cases):
        table.problem("E20", "test", "no non-firing test: one [[rule.test]] has to say expect = []")
