"""`hustings evidence`: whether what was sealed is still as it was sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

__all__ = ["app"]

MOST_KEYS = 20
"""Posts that are named with a flaw."""

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
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: packs, posts, flaws")] = False,
) -> None:
    """Read every sealed capture and compare it with its SHA-256; then look for every capture that a post of the log
    names. Exit status 1 when one was changed or is missing. What `prune` took from the log names none any more.

    Example: hustings evidence verify my.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from ingest.evidence import EvidenceFolder
    from runtime import build
    from runtime.commands.terminal import complain, printable, say
    from runtime.config import load_config
    from runtime.named_evidence import evidence_named, posts_held

    loaded = load_config(the_configuration(config, named))
    folder = loaded.require_data() / "evidence"
    packs = len(list(folder.glob("*/*.evidence")))
    evidence = EvidenceFolder(folder, code_version=build.CODE_VERSION)
    flaws = list(evidence.verify())
    log = build.open_log(loaded, SystemClock())
    try:
        posts = posts_held(log)
        flaws += evidence.missing(evidence_named(log))
    finally:
        log.close()
    if as_json:
        say(msgspec.json.encode({"packs": packs, "posts": posts, "flaws": flaws}).decode())
        raise typer.Exit(1 if flaws else 0)
    for flaw in flaws:
        about = f"; posts {_some(flaw.keys)}" if flaw.keys else ""
        complain(printable(f"{flaw.path}: {flaw.problem}{about}"))
    found = f"{len(flaws)} flaw(s)" if flaws else "each byte as it was sealed"
    say(f"{packs:,} packs, {found}; {posts:,} posts in the log were looked up")
    if flaws:
        raise typer.Exit(1)


def _some(keys: Sequence[str]) -> str:
    """Post keys as far as a line of the terminal can hold them; JSON has all."""
    more = len(keys) - MOST_KEYS
    return ", ".join(keys[:MOST_KEYS]) + (f" and {more:,} more" if more > 0 else "")
