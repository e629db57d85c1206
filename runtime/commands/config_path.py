"""Which deployment: the argument that most commands share, and the two forms that some take it in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ConfigArgument", "ConfigOption", "ConfigPath", "the_configuration"]

VARIABLE = "HUSTINGS_CONFIG"

ConfigPath = Annotated[Path, typer.Argument(help="the configuration file", envvar=VARIABLE)]
ConfigArgument = Annotated[
    Path | None,
    typer.Argument(help=f"the configuration file; or --config FILE, or the environment's {VARIABLE}"),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="the configuration file, named as an option")]


def the_configuration(argument: Path | None, option: Path | None) -> Path:
    """The file that was named, in whichever form; that of the environment when none was. For commands that are used
    beside others which take `--config`. Raises `ConfigError` when no file is named, or two."""
    import os

    from hustings.errors import ConfigError

    if argument is not None and option is not None and argument != option:
        raise ConfigError(f"{argument} and --config {option} are two configurations; name one")
    named = argument or option
    if named is not None:
        return named
    if found := os.environ.get(VARIABLE):
        return Path(found)
    raise ConfigError(f"which configuration? Name its file, FILE or --config FILE, or set {VARIABLE}")
