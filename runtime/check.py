"""What an operator wrote, checked as a whole: configuration, charter, roster, rules, sources, partners, models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hustings.clock import SystemClock
from hustings.errors import ConfigError, HustingsError
from runtime import build
from runtime.config import Config, load_config, missing_in_charter

__all__ = ["Report", "check_everything", "find_problems"]


class Report(NamedTuple):
    """Ready lines: what is wrong, and what was found."""

    problems: list[str]
    facts: list[str]


def check_everything(config: Config) -> None:
    """Raises `ConfigError` with every problem; returns when there is none."""
    report = _report(config)
    if report.problems:
        raise ConfigError("\n".join(report.problems))


def find_problems(path: Path) -> Report:
    """The same as a report; a file that does not even load gives the problems of loading."""
    try:
        config = load_config(path)
    except ConfigError as error:
        return Report(str(error).splitlines(), [])
    return _report(config)


def _report(config: Config) -> Report:
    problems: list[str] = []
    facts: list[str] = []
    missing = missing_in_charter(config.charter)
    if missing:
        problems.append(
            f"{config.path}: charter: missing or empty: {', '.join(missing)}; collect refuses to start without them"
        )
    words: Any = None

    def attempt(name: str, work: Callable[[], str]) -> None:
        try:
            facts.append(f"{name}: {work()}")
        except HustingsError as error:
            problems.extend(str(error).splitlines())

    def check_words() -> str:
        nonlocal words
        words = build.vocabulary_of(config)
        codes = words.codebook.codes
        unknown = [phase.code for phase in words.phases if phase.code not in codes]
        if unknown:
            raise ConfigError(f"{config.path}: phase: no such code {unknown[0]!r} in the codebook")
        people = len(words.roster.people) if words.roster else 0
        return f"{people} people, {len(words.phases)} phases, {len(codes)} codes"

    attempt("roster", check_words)
    if words is not None:
        attempt("rules", lambda: f"{len(build.rule_set(config, words, SystemClock()).rules)} rules")
    attempt("sources", lambda: f"{len(build.source_tables(config))} sources")
    attempt("egress", lambda: "guarded" if build.egress(config) else "")
    attempt("partners", lambda: f"{len(build.partners(config))} partners")
    attempt("models", lambda: build.describe_models(config))
    return Report(problems, facts)
