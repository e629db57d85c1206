"""`hustings loop NAME CONFIG`: one loop in this process; `hustings run` starts these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["loop"]


def loop(
    name: Annotated[str, typer.Argument(help="collect, analyze, watch, deliver or desk")],
    config: Annotated[Path, typer.Argument(help="the configuration file")],
    parent: Annotated[int | None, typer.Option(help="end when this process is no longer the parent")] = None,
) -> None:
    """Run one loop in the foreground; what ends it is told as one log line.

    Example: hustings loop analyze my.toml
    """
    from hustings.errors import HustingsError
    from runtime.config import load_config
    from runtime.events import open_events
    from runtime.start import START

    if name not in START:
        raise typer.BadParameter(f"no such loop {name!r}; known are {', '.join(START)}")
    style = load_config(config).logging.format
    try:
        START[name](config, parent)
    except HustingsError as error:
        open_events(loop=name, style=style).error("loop_failed", error=type(error).__name__, detail=str(error))
        raise typer.Exit(2) from None
