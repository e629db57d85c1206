"""`hustings evidence`: whether what was sealed is still as it was sealed."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

__all__ = ["app"]

app = typer.Typer(
    name="evidence",
    help="Check that what was sealed is as it was sealed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def evidence() -> None:
    """Check that what was sealed is as it was sealed."""


@app.command("verify")
def verify(
    config: ConfigArgument = None,
    named: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: packs, flaws")] = False,
) -> None:
    """Read every sealed capture and compare it with its SHA-256. Exit status 1 when one was changed.

    Example: hustings evidence verify my.toml
    """
    import msgspec

    from ingest.evidence import EvidenceFolder
    from runtime import build
    from runtime.commands.terminal import complain, say
    from runtime.config import load_config

    folder = load_config(the_configuration(config, named)).require_data() / "evidence"
    packs = len(list(folder.glob("*/*.evidence")))
    flaws = list(EvidenceFolder(folder, code_version=build.CODE_VERSION).verify())
    if as_json:
        say(msgspec.json.encode({"packs": packs, "flaws": flaws}).decode())
    else:
        for flaw in flaws:
            complain(f"{flaw.path}: {flaw.problem}" + (f"; posts {', '.join(flaw.keys)}" if flaw.keys else ""))
        say(f"{packs:,} packs, {len(flaws)} flaw(s)" if flaws else f"{packs:,} packs, each byte as it was sealed")
    if flaws:
        raise typer.Exit(1)
