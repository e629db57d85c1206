"""`hustings assess`: posts in, assessments out, by the same code as the analyze loop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["assess"]


def assess(
    file: Annotated[Path, typer.Argument(help="JSON lines, one post each, plain or gzip; - for standard input")],
    config: Annotated[Path | None, typer.Option(help="configuration: its roster, languages and models")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="exit with 1 when a line was unusable")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines even on a terminal")] = False,
) -> None:
    """Assess posts from a file, one JSON object a line.

    A minimal post is {"source", "native_id", "text", "published_at", "collected_at"}. An unusable line gives
    {"line": N, "dead_letter": {"reason", "detail"}} and the next line goes on.

    Example: hustings assess posts.jsonl | jq '.flags'
    """
    import sys

    from hustings.clock import SystemClock
    from runtime.assess import assess_lines, opened
    from runtime.build import open_pipeline
    from runtime.commands.terminal import complain, printable, say
    from runtime.config import load_config

    loaded = load_config(config) if config else None
    unusable = 0
    show_table = sys.stdout.isatty() and not as_json
    with opened(file, standard_input=sys.stdin.buffer) as stream:
        pipeline = open_pipeline(loaded, story_memory=())
        for line in assess_lines(stream, pipeline, clock=SystemClock()):
            unusable += line.dead
            if show_table:
                say(printable(line.readable))
            else:
                sys.stdout.buffer.write(line.raw + b"\n")
    sys.stdout.flush()
    if unusable:
        complain(f"{unusable} unusable line(s)")
    if unusable and strict:
        raise typer.Exit(1)
