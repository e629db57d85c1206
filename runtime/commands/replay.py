"""`hustings replay`: what would be flagged if the models of today had been there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from runtime.commands.config_path import ConfigPath

__all__ = ["replay"]


def replay(
    config: ConfigPath,
    into: Annotated[str, typer.Option("--into", help="name of the new index set")],
    start: Annotated[str, typer.Option("--from", help="collected from this time on, e.g. 2027-03-14T06:00:00Z")] = "",
    end: Annotated[str, typer.Option("--to", help="collected before this time")] = "",
    switch: Annotated[bool, typer.Option("--switch", help="put it in the place of the live index; whole log")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Rescore a period from the log into a fresh index beside the live one, and say which flags differ.

    Live work goes on; nothing is sent to partners and no alert changes. Without --from and --to it is the whole log,
    and --switch may then put the new index in the place of the live one. `hustings index drop` deletes it.

    Example: hustings replay my.toml --from 2027-03-14T06:00:00Z --to 2027-03-14T18:00:00Z --into new-models
    """
    import msgspec

    from hustings.errors import ConfigError
    from runtime.commands.index import bars, show_differences
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.index_sets import switch_to
    from runtime.refill import Period
    from runtime.rescoring import fill_set

    period = Period(_moment(start, "--from"), _moment(end, "--to"))
    if period.start is not None and period.end is not None and period.end <= period.start:
        raise ConfigError(f"--to {end} is not after --from {start}")
    if switch and not period.is_everything:
        raise ConfigError("--switch needs the whole log: an index of a period alone would lose the rest")
    loaded = load_config(config)
    loaded.require_data()
    with bars(shown=not as_json) as starts:
        filled = fill_set(loaded, into, period=period, starts=starts)
    former = switch_to(loaded, into) if switch else ""
    if as_json:
        say(msgspec.json.encode(filled).decode())
        return
    posts = filled.posts
    say(f"{into}: {posts.written:,} of {posts.read:,} posts written, {posts.dead:,} are dead letters")
    show_differences(filled.differences)
    if switch:
        say(f"{into!r} is live now; the former index is kept as {former!r}")


def _moment(text: str, option: str) -> datetime | None:
    from datetime import UTC

    from hustings.errors import ConfigError

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: {text!r} is no time; for example 2027-03-14T06:00:00Z") from None
    if moment.tzinfo is None:
        raise ConfigError(f"{option}: {text!r} needs a time zone, for example {text}Z")
    return moment.astimezone(UTC)
