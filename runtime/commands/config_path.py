"""The argument that most commands share: which deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ConfigPath"]

ConfigPath = Annotated[Path, typer.Argument(help="the configuration file", envvar="HUSTINGS_CONFIG")]
