"""`hustings run`: the five loops, supervised."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["run"]


def run(config: Annotated[Path, typer.Argument(help="the configuration file")]) -> None:
    """Run collect, analyze, watch, deliver and the desk until Ctrl-C; a loop that dies is started again.

    Example: hustings check my.toml && hustings run my.toml
    """
    from runtime.check import check_everything
    from runtime.config import load_config
    from runtime.events import open_events
    from runtime.stop import Stop
    from runtime.supervisor import Supervisor

    loaded = load_config(config)
    check_everything(loaded)
    events = open_events(loop="supervisor", style=loaded.logging.format, level=loaded.logging.level)
    Supervisor.of_loops(config.resolve(), events=events).run(Stop().on_signals())
