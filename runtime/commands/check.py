"""`hustings check`: every problem of configuration, roster, rules and models in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["check"]


def check(
    config: Annotated[Path, typer.Argument(help="the configuration file")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: ok, problems, warnings, facts")] = False,
) -> None:
    """Name every problem of a configuration at once.

    Configuration, charter, roster, rules with their tests, sources, partners, models; nothing is started, nothing is
    written. Exit status 1 on a problem.

    Example: hustings check my.toml
    """
    import json

    from hustings.clock import SystemClock
    from runtime.check import find_problems
    from runtime.commands.terminal import complain, say

    report = find_problems(config, clock=SystemClock())
    if as_json:
        say(json.dumps({"ok": not report.problems, **report._asdict()}, ensure_ascii=False))
    else:
        for fact in report.facts:
            say(fact)
        for warning in report.warnings:
            say(f"note: {warning}")
        for problem in report.problems:
            complain(problem)
        say(f"{len(report.problems)} problem(s)" if report.problems else "everything checks")
    if report.problems:
        raise typer.Exit(1)
