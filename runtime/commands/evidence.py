"""`hustings evidence`: whether what was sealed is still as it was sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

if TYPE_CHECKING:
    from ingest.evidence import Erasure, Flaw
    from runtime.config import Config

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
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: packs, posts, flaws, erased")] = False,
) -> None:
    """Read every sealed capture and compare it with its SHA-256; then look for every capture that a post of the log
    names. Exit status 1 when one was changed or is missing. What `prune` took from the log names none any more. What
    `erase` took is counted, and is a flaw only where the audit chain knows nothing of it.

    Example: hustings evidence verify my.toml
    """
    import msgspec

    from hustings.clock import SystemClock, rfc3339
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
    erasures = evidence.erasures()
    flaws += _unknown(loaded, erasures) if erasures else []
    log = build.open_log(loaded, SystemClock())
    try:
        posts = posts_held(log)
        flaws += evidence.missing(evidence_named(log))
    finally:
        log.close()
    if as_json:
        found = {"packs": packs, "posts": posts, "flaws": flaws, "erased": erasures}
        say(msgspec.json.encode(found).decode())
        raise typer.Exit(1 if flaws else 0)
    for flaw in flaws:
        about = f"; posts {_some(flaw.keys)}" if flaw.keys else ""
        complain(printable(f"{flaw.path}: {flaw.problem}{about}"))
    for erasure in erasures:
        say(f"{rfc3339(erasure.at)}: {erasure.captures:,} captures of {erasure.pack} were erased")
    verdict = f"{len(flaws)} flaw(s)" if flaws else "each byte as it was sealed"
    say(f"{packs:,} packs, {verdict}; {posts:,} posts in the log were looked up")
    if flaws:
        raise typer.Exit(1)


def _unknown(config: Config, erasures: Sequence[Erasure]) -> list[Flaw]:
    """A flaw for each erasure that is in no row of the audit chain: anybody who can write a file can say that something
    was erased."""
    from ingest.evidence import Flaw
    from runtime import build
    from runtime.erase import packs_erased

    config.require_desk()
    engine = build.open_engine(config)
    try:
        recorded = packs_erased(engine)
    finally:
        engine.dispose()
    return [
        Flaw(path=erasure.pack, problem="captures of it are said to be erased, but no row of the audit chain says so")
        for erasure in erasures
        if erasure.pack not in recorded
    ]


def _some(keys: Sequence[str]) -> str:
    """Post keys as far as a line of the terminal can hold them; JSON has all."""
    more = len(keys) - MOST_KEYS
    return ", ".join(keys[:MOST_KEYS]) + (f" and {more:,} more" if more > 0 else "")
