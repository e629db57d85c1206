"""`hustings check`: every problem of configuration, roster, rules and models in one report."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

__all__ = ["check"]


def check(
    config: ConfigArgument = None,
    named: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: ok, problems, warnings, facts")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="ask no server")] = False,
) -> None:
    """Name every problem of a configuration at once.

    Configuration, charter, roster, rules with their tests, sources, partners, models, and what Kafka, Elasticsearch and
    PostgreSQL say where they are configured; nothing is started, nothing is written. Exit status 1 on a problem.

    Examples: hustings check my.toml · hustings check --config my.toml --offline
    """
    import json

    from hustings.clock import SystemClock
    from runtime.check import find_problems
    from runtime.commands.terminal import complain, say
    from runtime.servers import ask_servers

    path, clock = the_configuration(config, named), SystemClock()
    report = find_problems(path, clock=clock) if offline else find_problems(path, clock=clock, ask=ask_servers)
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
