"""`hustings check`: every problem of configuration, roster, rules and models in one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["check"]


def check(
    config: Annotated[Path, typer.Argument(help="the configuration file")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: ok, problems, warnings")] = False,
) -> None:
    """Check everything that an operator wrote; nothing is started, nothing is written. Exit status 1 on a problem.

    Example: hustings check my.toml
    """
    import json

    from runtime.check import find_problems
    from runtime.commands.terminal import complain, say

    report = find_problems(config)
    if as_json:
        say(json.dumps({"ok": not report.problems, "problems": report.problems, "facts": report.facts}))
    else:
        for fact in report.facts:
            say(fact)
        for problem in report.problems:
            complain(problem)
        say(f"{len(report.problems)} problem(s)" if report.problems else "everything checks")
    if report.problems:
        raise typer.Exit(1)
