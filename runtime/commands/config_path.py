"""Which deployment a command works on: the file that is named, else the one that the environment's `HUSTINGS_CONFIG`
names, else, for commands of every day, `hustings.toml` in the folder where one stands.

Commands that work without a deployment (`model`, `rules`, `assess`, `corpus list`, `demo`) read a configuration only
where it is named: without one they mean something else, such as the shipped models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "HERE",
    "VARIABLE",
    "ConfigArgument",
    "ConfigHere",
    "ConfigNamed",
    "ConfigOption",
    "ConfigPath",
    "of_environment",
    "the_configuration",
]

VARIABLE = "HUSTINGS_CONFIG"
HERE = Path("hustings.toml")
"""The default of `ConfigHere`."""

ConfigPath = Annotated[Path, typer.Argument(help="the configuration file", envvar=VARIABLE)]
ConfigHere = Annotated[Path, typer.Option("--config", help="the configuration file", envvar=VARIABLE)]
ConfigNamed = Annotated[Path, typer.Option("--config", help="the configuration of the deployment", envvar=VARIABLE)]
ConfigArgument = Annotated[
    Path | None,
    typer.Argument(help=f"the configuration file; or --config FILE, or the environment's {VARIABLE}"),
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="the configuration file, named as an option")]


def of_environment() -> Path | None:
    """The file that the environment names, if it does."""
    import os

    found = os.environ.get(VARIABLE)
    return Path(found) if found else None


def the_configuration(argument: Path | None, option: Path | None) -> Path:
    """The file that was named, in whichever form; that of the environment when none was. For commands that are used
    beside others which take `--config`. Raises `ConfigError` when no file is named, or two."""
    from hustings.errors import ConfigError

    if argument is not None and option is not None and argument != option:
        raise ConfigError(f"{argument} and --config {option} are two configurations; name one")
    if found := argument or option or of_environment():
        return found
    raise ConfigError(f"which configuration? Name its file, FILE or --config FILE, or set {VARIABLE}")
