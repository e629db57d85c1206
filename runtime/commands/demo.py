"""`hustings demo`: the synthetic election through the whole pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="where it runs; made anew each time")] = Path("demo-run"),
    exit_when_through: Annotated[
        bool, typer.Option("--exit", help="end when through instead of keeping the desk open")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
    with_score: Annotated[bool, typer.Option("--score", help="show how it compares with the truth file")] = False,
    seed: Annotated[int, typer.Option(help="another seed gives another election")] = 76_176,
    posts: Annotated[int, typer.Option(min=2_000, help="size of the election")] = 20_000,
    port: Annotated[int, typer.Option(help="the desk's port; 0 takes a free one")] = 0,
    config: Annotated[
        Path | None,
        typer.Option(help="run over the servers of this configuration, under names of the demo's own"),
    ] = None,
) -> None:
    """Run a fictional election through the pipeline.

    Collect, analyze, watch, deliver, and the desk in the browser until Ctrl-C. Exit status 1 when books or counts do
    not balance.

    With --config it takes stores, partitions and workers from a configuration. What it makes on the servers (topics,
    indices, a database, all named hustings_demo_…) it deletes at its end.

    Examples: hustings demo · hustings demo --exit --json · hustings demo --exit --score --config cluster.toml
    """
    import sys
    import webbrowser
    from contextlib import ExitStack

    import msgspec

    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.demo.run import Demo
    from runtime.demo.show import following, show_result, show_score
    from runtime.stop import Stop

    stop = Stop().on_signals()
    with ExitStack() as closing:
        if not as_json:
            say("Generating the election of Velmara …")
        servers = load_config(config) if config else None
        running = Demo(folder, seed=seed, posts=posts, desk_port=port, closing=closing, servers=servers)
        with following(quiet=as_json) as tell:
            running.run(stop=stop, tell=tell)
        result = running.result()
        if not as_json:
            show_result(result)
            if with_score:
                show_score(result.score)
        if not exit_when_through and not stop.asked:
            link = running.invite()
            say(f"\nThe desk is open at {result.desk} — sign in as lead with the one-time link:\n  {link}")
            say("Ctrl-C ends it.")
            sys.stdout.flush()  # a file or a pipe would have the link when the demo is over
            if sys.stdout.isatty() and _has_display():
                webbrowser.open(link)
            while not stop.wait(0.2):
                running.supervisor.look()
        if as_json:
            say(msgspec.json.encode(result).decode())
        if not result.balanced:
            raise typer.Exit(1)


def _has_display() -> bool:
    """Without a display `webbrowser` may start a text browser in this very terminal."""
    import os
    import sys

    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
