"""`hustings rules`: check rule files, run their own tests, run them over a file of assessments."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from alerts.replay import Replayed

__all__ = ["app"]

app = typer.Typer(
    name="rules",
    help="Alert rules: check them, run their own tests, run them over assessments.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Files = Annotated[list[Path], typer.Argument(help="rule files (TOML)", exists=True, dir_okay=False, readable=True)]
Configuration = Annotated[
    Path | None, typer.Option("--config", help="configuration: its roster and calendar", exists=True, dir_okay=False)
]


class ReplayClock(StrEnum):
    """When posts come in."""

    AS_COLLECTED = "as-collected"
    AS_POSTED = "as-posted"


@app.command("check")
def check(files: Files, config: Configuration = None) -> None:
    """Check rule files as a deployment would: every problem in one report, with file, line, rule and code.

    Exit status 1 on an error. Example: hustings rules check rules/*.toml --config my.toml
    """
    from alerts.rules import load_rules
    from hustings.clock import SystemClock
    from hustings.errors import RuleError
    from runtime.build import vocabulary
    from runtime.commands.terminal import say

    try:
        ruleset = load_rules(_texts(files), vocabulary=vocabulary(config), now=SystemClock().now())
    except RuleError as error:
        for problem in error.problems:
            say(problem)
        say(f"{len(error.problems)} problem(s)")
        raise typer.Exit(1) from None
    for warning in ruleset.warnings:
        say(warning)
    say(f"{len(ruleset.rules)} rule(s) check")


@app.command("test")
def run_tests(files: Files, config: Configuration = None) -> None:
    """Run the rules' own tests on a virtual clock. Exit status 1 when one fails.

    Example: hustings rules test rules/pile-on.toml
    """
    from alerts.rules.load import load_tests
    from alerts.rules.trial import differences
    from hustings.errors import RuleError
    from runtime.build import vocabulary
    from runtime.commands.terminal import complain, say

    try:
        ruleset, tested = load_tests(_texts(files), vocabulary=vocabulary(config))
    except RuleError as error:
        complain(str(error))
        raise typer.Exit(1) from None
    passed, failed = 0, 0
    for one in tested:
        for case in one.cases:
            found = differences(case, one.rule, ruleset)
            passed, failed = passed + (not found), failed + bool(found)
            say(f"{'FAIL' if found else 'ok':<4}  {one.rule.name}: {case.name}")
            for line in found:
                say(f"        {line}")
    say(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


@app.command("run")
def run(
    files: Files,
    assessments: Annotated[
        Path, typer.Option(help="JSON lines, one assessment each", exists=True, dir_okay=False, readable=True)
    ],
    clock: Annotated[
        ReplayClock, typer.Option(help="as-posted takes each post as collected when it was published")
    ] = ReplayClock.AS_COLLECTED,
    until: Annotated[
        str | None, typer.Option(help="stop the clock here (RFC 3339); default: when every episode has settled")
    ] = None,
    config: Configuration = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Run rules over a file of assessments, with the evaluator of production and a virtual clock.

    Rules need no owner, tests or `expires` for this. Exit status 1 when a rule or a line cannot be used.

    Example: hustings rules run rules/*.toml --assessments week.jsonl --json
    """
    import json

    from alerts.replay import replay
    from alerts.replay_input import DeadLine, read_assessments
    from alerts.replay_json import replayed_to_json
    from alerts.rules import load_rules
    from hustings.clock import SystemClock
    from hustings.errors import RuleError
    from runtime.build import vocabulary
    from runtime.commands.terminal import complain, say

    stop = None if until is None else _time(until)
    try:
        ruleset = load_rules(_texts(files), vocabulary=vocabulary(config), now=SystemClock().now(), required=False)
        with assessments.open("rb") as lines:
            posts = read_assessments(lines, name=str(assessments))
    except (RuleError, DeadLine) as error:
        for problem in error.problems:
            complain(problem)
        raise typer.Exit(1) from None
    replayed = replay(ruleset, posts, clock=clock.value, until=stop)
    if as_json:
        say(json.dumps(replayed_to_json(replayed), ensure_ascii=False))
    else:
        _show(replayed)


def _texts(files: list[Path]) -> dict[str, str]:
    """The rule files by name; a problem with one is told as one of the rules is."""
    from hustings.errors import RuleError

    texts: dict[str, str] = {}
    problems: list[str] = []
    for path in files:
        try:
            texts[str(path)] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path}: cannot be read: {error}")
    if problems:
        raise RuleError(problems)
    return texts


def _time(text: str) -> datetime:
    """A time of the command line; without a zone it is UTC."""
    from datetime import UTC

    from hustings.strict_value import YEARS

    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time; write for example 2026-10-01T12:00:00Z", param_hint="--until"
        ) from None
    if found.year not in YEARS:
        raise typer.BadParameter(
            f"{text!r} is not in the years {YEARS[0]} to {YEARS[-1]}, as every post is", param_hint="--until"
        )
    return found


def _show(replayed: Replayed) -> None:
    """What was told, for people."""
    from hustings.clock import rfc3339
    from runtime.commands.terminal import say, table

    rows = [
        (
            rfc3339(alert.opened_at),
            alert.rule_name,
            " ".join(f"{field}={value}" for field, value in alert.group) or "-",
            alert.state,
            f"{alert.value:g}",
            len(alert.evidence),
            " ".join(notice.kind for notice in alert.notices),
        )
        for alert in replayed.alerts
    ]
    table(f"{len(rows)} alert(s)", ("opened (UTC)", "rule", "group", "state", "value", "posts", "notices"), rows)
    for amendment in replayed.amendments:
        group = " ".join(f"{field}={value}" for field, value in amendment.group)
        say(
            f"late: {amendment.post} would have made {amendment.value:g} at {rfc3339(amendment.anchor)}"
            f" for {amendment.rule_name} {group}".rstrip()
        )
    if replayed.queue:
        say(f"{len(replayed.queue)} post(s) for the review queue")
    say(" · ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in replayed.counters.items()))
    if replayed.as_of is not None:
        say(f"as of {rfc3339(replayed.as_of)}")
