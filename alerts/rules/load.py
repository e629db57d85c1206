"""Rule files to a rule set: read all, check all, and either everything is right or one report says what is not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from alerts.markings import Tlp
from alerts.rule import Rule, RuleSet
from alerts.rules.cases import Case, read_cases
from alerts.rules.checks import Surroundings, check_deployed, check_unique
from alerts.rules.positions import Place, Places
from alerts.rules.problems import Report
from alerts.rules.read import ReadRule, read_rule
from hustings.errors import RuleError
from hustings.query.vocabulary import Vocabulary, nearest

__all__ = ["TestedRule", "load_rules", "load_tests"]


class TestedRule(Struct, frozen=True, kw_only=True):
    """A rule with its own tests."""

    rule: Rule
    cases: tuple[Case, ...]


def load_rules(
    texts: Mapping[str, str],
    *,
    vocabulary: Vocabulary,
    now: datetime | None = None,
    required: bool = True,
    former: RuleSet | None = None,
    retention: timedelta | None = None,
    ceilings: Sequence[Tlp] = (),
) -> RuleSet:
    """The rules of all files (name → TOML). Raises `RuleError` with every problem found, in order of place.

    `required` asks for what a deployment needs (who, why, until when, tests that hold); without it, as for
    `rules run`, `state`, `expires` and the tests are not looked at. `now`, `former`, `retention` and `ceilings`
    make the checks possible that need them (E19, E18, E15, E22). What runs gives no `now`: a rule that has ended must
    not keep all others from starting.
    """
    report = Report()
    read = _read_files(texts, report, vocabulary=vocabulary, required=required)
    check_unique(read)
    ruleset = _ruleset(read, vocabulary)
    if required:
        around = Surroundings(now=now, former=former, retention=retention, ceilings=tuple(ceilings))
        is_sound = not report.errors  # the tests of a rule that is wrong would only repeat that it is
        for one in read:
            cases = read_cases(one.table, one.rule, vocabulary)
            check_deployed(one, cases, ruleset=ruleset, vocabulary=vocabulary, around=around, run_tests=is_sound)
    if report.errors:
        raise RuleError(report.errors)
    return RuleSet(rules=ruleset.rules, warnings=tuple(report.warnings), roster=ruleset.roster, phases=ruleset.phases)


def load_tests(texts: Mapping[str, str], *, vocabulary: Vocabulary) -> tuple[RuleSet, list[TestedRule]]:
    """The rules and their own tests, for `rules test`. Raises `RuleError` when rules or tests cannot be read; whether
    the tests hold is for the caller to find out."""
    report = Report()
    read = _read_files(texts, report, vocabulary=vocabulary, required=False)
    check_unique(read)
    tested = [TestedRule(rule=one.rule, cases=read_cases(one.table, one.rule, vocabulary)) for one in read]
    if report.errors:
        raise RuleError(report.errors)
    return _ruleset(read, vocabulary), tested


def _ruleset(read: Sequence[ReadRule], vocabulary: Vocabulary) -> RuleSet:
    return RuleSet(rules=tuple(one.rule for one in read), roster=vocabulary.roster, phases=vocabulary.phases)


def _read_files(texts: Mapping[str, str], report: Report, *, vocabulary: Vocabulary, required: bool) -> list[ReadRule]:
    read: list[ReadRule] = []
    for file, text in texts.items():
        places = Places(file, text)
        for number, values in enumerate(_tables(file, text, report)):
            read.append(
                read_rule(values, number, places=places, report=report, vocabulary=vocabulary, required=required)
            )
    return read


_AT = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


def _tables(file: str, text: str, report: Report) -> list[dict[str, Any]]:
    """The `[[rule]]` tables of a file."""
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        place = Place(file, *(int(number or 0) for number in found.groups())) if found else Place(file)
        report.add("E12", f"not TOML: {_AT.sub('', str(error)).strip()}", place=place)
        return []
    for key in parsed:
        if key != "rule":
            report.add("E01", f"no such key; {nearest(key, ['rule'])}", place=Places(file, text).of_top(key), key=key)
    tables = parsed.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        report.add("E12", "rules are tables [[rule]]", place=Place(file, 1, 1), key="rule")
        return []
    if not tables and "rule" not in parsed:
        report.add("E04", "required: no [[rule]] in this file", place=Place(file), key="rule")
    return tables
