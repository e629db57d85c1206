"""`hustings backup` and `hustings restore`: the embedded stores, copied while loops run, checked by reading back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["backup", "restore"]

CONFIG = typer.Option(help="the configuration file")


def backup(
    folder: Annotated[Path, typer.Argument(help="a new or empty folder")],
    config: Annotated[Path, CONFIG] = Path("hustings.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="print the manifest")] = False,
) -> None:
    """Copy log, index, desk, evidence and keys, then read everything back. The copy holds keys: guard it.

    Example: hustings backup /media/stick/2027-03-14 --config my.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from runtime.backup import back_up
    from runtime.commands.terminal import say
    from runtime.config import load_config

    loaded = load_config(config)
    manifest = back_up(loaded.data, folder, deployment=loaded.deployment.name, clock=SystemClock())
    if as_json:
        say(msgspec.json.encode(manifest).decode())
    else:
        size = sum(file.bytes for file in manifest.files)
        say(f"{len(manifest.files)} files, {size:,} bytes, verified: {folder}")


def restore(
    folder: Annotated[Path, typer.Argument(help="a folder that `backup` wrote")],
    config: Annotated[Path, CONFIG] = Path("hustings.toml"),
) -> None:
    """Verify a backup and put it into the (empty) data folder of the configuration; the loops must not run.

    Example: hustings restore /media/stick/2027-03-14 --config my.toml
    """
    from runtime.backup import restore as put_back
    from runtime.build import deployment_status
    from runtime.commands.terminal import say
    from runtime.config import load_config

    loaded = load_config(config)
    manifest = put_back(folder, loaded.data)
    books = deployment_status(loaded).books
    say(
        f"{len(manifest.files)} files of {manifest.at} restored to {loaded.data}; "
        f"{books.log:,} posts in the log, books {'balanced' if books.balanced else 'NOT BALANCED'}"
    )
    if not books.balanced:
        raise typer.Exit(1)
