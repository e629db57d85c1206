"""`hustings backup` and `hustings restore`: the embedded stores, copied while loops run, checked by reading back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import HERE, ConfigHere

if TYPE_CHECKING:
    from runtime.backup import Manifest
    from runtime.config import Config

__all__ = ["backup", "restore"]


def backup(
    folder: Annotated[Path, typer.Argument(help="a new or empty folder")],
    config: ConfigHere = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="print the manifest")] = False,
) -> None:
    """Copy all stores while loops run, and read back.

    Log, index, desk, evidence and keys, consistent with each other whatever is written meanwhile. The copy holds keys
    and what people said: guard it. Your configuration, roster and rules are not in it.

    Example: hustings backup /media/stick/2027-03-14 --config my.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from hustings.errors import HustingsError
    from runtime.backup import back_up
    from runtime.commands.terminal import complain, say

    loaded = _embedded(config)
    manifest = back_up(loaded.data, folder, deployment=loaded.deployment.name, clock=SystemClock())
    if as_json:
        say(msgspec.json.encode(manifest).decode())
    else:
        say(f"{len(manifest.files)} files, {manifest.bytes:,} bytes, verified: {folder}")
    try:
        _record(loaded, "backup", folder, manifest)
    except HustingsError as error:  # a disk that fails is when a copy is needed most
        complain(f"hustings: the copy is whole, but the audit chain does not say that it was made: {error}")
        raise typer.Exit(1) from None


def restore(
    folder: Annotated[Path, typer.Argument(help="a folder that `backup` wrote")],
    config: ConfigHere = HERE,
) -> None:
    """Put a verified backup into an empty data folder.

    The loops must not run. What `erase` took away on this machine since is erased again; of what it took away on
    another, nobody knows here (docs/erasing.md). Exit status 1 when that fails, or when the books of what was restored
    do not balance.

    Example: hustings restore /media/stick/2027-03-14 --config my.toml
    """
    from hustings.errors import HustingsError
    from runtime.backup import restore as put_back
    from runtime.build import deployment_status
    from runtime.commands.terminal import complain, say

    loaded = _embedded(config)
    manifest = put_back(folder, loaded.data)
    books = deployment_status(loaded).books
    say(
        f"{len(manifest.files)} files of {manifest.at} restored to {loaded.data}; "
        f"{books.log:,} posts in the log, books {'balanced' if books.balanced else 'NOT BALANCED'}"
    )
    is_whole = _erased_again(loaded, manifest)
    try:
        _record(loaded, "restore", folder, manifest)
    except HustingsError as error:
        complain(f"hustings: restored, but the audit chain does not say so: {error}")
        raise typer.Exit(1) from None
    if not (is_whole and books.balanced):
        raise typer.Exit(1)


def _erased_again(config: Config, manifest: Manifest) -> bool:
    """Erase what was erased here after the backup, and say what cannot be known; False when that failed."""
    from hustings.clock import SystemClock
    from hustings.errors import HustingsError
    from runtime.commands.erase import told
    from runtime.commands.terminal import complain, say
    from runtime.erase import erase_again
    from runtime.erasures_noted import notes_of, read_notes

    path = notes_of(config.data)
    try:
        notes = read_notes(config.data)
        done = erase_again(config, notes, SystemClock()) if notes.erasures else []
    except HustingsError as error:
        complain(
            f"hustings: restored, but what was erased after {manifest.at} is back: {error}; start no loop before"
            f" {config.data} is emptied and restored again, or the posts are erased again"
        )
        return False
    for erased in done:
        say(f"erased before, as {path} says, so erased again:")
        for line in told(erased, then="`hustings prune` takes the last traces then"):
            say(f"  {line}")
    if notes.unread:
        complain(f"hustings: {path}: {notes.unread:,} lines cannot be read; what they say was erased may be back")
    if notes.erasures:
        say(
            f"what was erased on another machine after {manifest.at} is not known here: if anything was, erase it again"
        )
    else:
        say(f"no {path}: if anything was erased after {manifest.at}, it is back; erase it again (docs/erasing.md)")
    return not notes.unread


def _record(config: Config, action: str, folder: Path, manifest: Manifest) -> None:
    """In the audit chain, that a copy was made: it holds what is later erased, so somebody has to know that it exists;
    or that one was put back, in the chain that came with it: what was done after it is not there any more."""
    from runtime.audited import append_as_operator

    append_as_operator(
        config,
        action,
        subject=str(folder.absolute()),
        detail={"at": manifest.at, "files": len(manifest.files), "bytes": manifest.bytes},
    )


def _embedded(path: Path) -> Config:
    """The configuration, if all of its stores lie in its data folder. Raises `ConfigError`."""
    from hustings.errors import ConfigError
    from runtime.config import load_config

    loaded = load_config(path)
    servers = [table for table in ("kafka", "elasticsearch") if getattr(loaded, table) is not None]
    if servers:
        raise ConfigError(
            f"{path}: {' and '.join(servers)}: stores of this deployment are on servers, so a copy of the data folder"
            " would not be whole; copy them with their own tools, the desk's database first, and the data folder last"
        )
    if loaded.desk.database_url:
        raise ConfigError(
            f"{path}: desk.database_url: the desk's database is elsewhere, so a copy of the data folder would not be"
            " whole; copy that database with its own tools, and the data folder after it"
        )
    return loaded
