"""`hustings collect`, `analyze`, `watch`, `deliver`, `desk`: one loop in this process, for machines that run one each;
`hustings run` starts them all as `hustings loop NAME CONFIG`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.commands.config_path import ConfigPath

__all__ = ["analyze", "collect", "deliver", "desk", "loop", "watch"]

Worker = Annotated[
    str, typer.Option(help="the name of this worker, such as analyze-2: its own among all, and the same at each start")
]


def loop(
    name: Annotated[str, typer.Argument(help="collect, analyze, watch, deliver or desk")],
    config: ConfigPath,
    parent: Annotated[int | None, typer.Option(help="end when this process is no longer the parent")] = None,
    worker: Worker = "",
) -> None:
    """Run one loop in the foreground; what ends it is told as one log line.

    Example: hustings loop analyze my.toml
    """
    from runtime.start import START

    if name not in START:
        raise typer.BadParameter(f"no such loop {name!r}; known are {', '.join(START)}")
    _run(name, config, parent=parent, worker=worker)


def collect(config: ConfigPath) -> None:
    """Run the collect loop alone: sources → posts log.

    Example: hustings collect my.toml
    """
    _run("collect", config)


def analyze(config: ConfigPath, worker: Worker = "") -> None:
    """Run one worker of the analyze loop: posts log → hits log and index.

    On Kafka workers of any number and on any machines share the partitions; each needs a name of its own.

    Example: hustings analyze my.toml --worker analyze-2
    """
    _run("analyze", config, worker=worker)


def watch(config: ConfigPath, worker: Worker = "") -> None:
    """Run one worker of the watch loop: hits log → alerts at the desk.

    On Kafka workers of any number and on any machines share the partitions; each needs a name of its own.

    Example: hustings watch my.toml --worker watch-2
    """
    _run("watch", config, worker=worker)


def deliver(config: ConfigPath) -> None:
    """Run the deliver loop alone: what was released → partners.

    Example: hustings deliver my.toml
    """
    _run("deliver", config)


def desk(config: ConfigPath) -> None:
    """Run the desk's web server alone.

    Example: hustings desk my.toml
    """
    _run("desk", config)


def _run(name: str, config: Path, *, parent: int | None = None, worker: str = "") -> None:
    from hustings.errors import HustingsError
    from runtime.config import load_config
    from runtime.events import open_events
    from runtime.start import START

    style = load_config(config).logging.format
    try:
        START[name](config, parent, worker)
    except HustingsError as error:
        events = open_events(loop=worker or name, style=style)
        events.error("loop_failed", error=type(error).__name__, detail=str(error))
        raise typer.Exit(2) from None
