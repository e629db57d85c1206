"""`hustings erase`: takes away what was collected of certain posts, because somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import HERE, ConfigHere

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from hustings.contracts import Log
    from runtime.config import Config
    from runtime.erase import Erased

__all__ = ["erase", "told"]

WAIT_S = 60.0
"""How long analyze may take to read up to the posts: it works in batches of seconds, and may lag behind."""
MOST_LETTERS = 20
"""Dead letters that are named; JSON has all."""


def erase(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[POST_KEY]...", help="keys, as SOURCE:ID")] = None,
    config: ConfigHere = HERE,
    author: Annotated[
        str, typer.Option(help="all posts of an account: PLATFORM:HANDLE as in the roster, or its pseudonym")
    ] = "",
    reason: Annotated[str, typer.Option(help="why, for the audit chain; name nobody in it")] = "",
    by: Annotated[str, typer.Option(help="who does it, as the record shall say")] = "operator",
    shared: Annotated[
        bool, typer.Option("--shared", help="also captures that hold other posts too, which stay without them")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Erase posts, by key or by author: from the index, the evidence and the desk.

    Loops may run. The posts are not collected again. What cannot be taken away is said: the log and the dead letters
    keep their words until `prune` takes them, and backups, exports and what partners were told stay as they are. Read
    docs/erasing.md first. Exit status 1 when something that can go is still there.

    Example: hustings erase net:1234 --reason "asked by its author, letter of 3 March" --config my.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from hustings.errors import ConfigError
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.erase import eraser_of
    from runtime.status import loops_of
    from runtime.stores import open_stores

    if bool(keys) == bool(author):
        raise ConfigError("name posts by their keys, or an account with --author; one of the two")
    if not dry_run and not reason.strip():
        raise ConfigError("say why with --reason: it stands in the audit chain, the words of the posts do not")
    loaded, clock = load_config(config), SystemClock()
    if loaded.is_replay:
        raise ConfigError(
            f"{config}: deployment.clock: a replay is made of archives; take the posts out of them and replay anew"
        )
    loaded.require_desk()
    with open_stores(loaded, clock) as (engine, memory, log, index):
        eraser = eraser_of(loaded, engine, memory, log, index, clock)
        wanted = set(keys or eraser.keys_of(_account(loaded, log, author)))
        if not wanted:
            raise ConfigError(f"--author: no post of {author!r} is known; is it spelled as its source spells it?")
        found = eraser.find(wanted)
        if dry_run:
            done = eraser.would_erase(wanted, found, shared=shared)
        else:
            _note(loaded, wanted, shared=shared, at=clock.now())
            reads = any(loop.loop == "analyze" and loop.alive for loop in loops_of(memory, clock))
            done = eraser.erase(
                wanted, found, shared=shared, by=by, reason=reason.strip(), wait_s=WAIT_S if reads else 0.0
            )
    if as_json:
        say(msgspec.json.encode(done).decode())
    else:
        for line in told(done, then="Run this command again then"):
            say(line)
    if not dry_run and not done.is_whole:
        raise typer.Exit(1)


def _account(config: Config, log: Log, author: str) -> str:
    """The pseudonym of an account. Raises `ConfigError` for a listed person, whose posts are the reason of the whole:
    they are erased one by one."""
    from hustings.errors import ConfigError
    from hustings.roster import Roster
    from ingest.names import Names
    from runtime import build

    roster = build.roster(config) or Roster()
    platform, named, handle = author.partition(":")
    if not named:
        platform, handle = "", author
    account = Names(build.pseudonyms(config, log), roster).of(platform, handle)
    if account in roster.ids():
        raise ConfigError(f"--author: {author!r} is {account} of the roster; name the posts by their keys")
    if not named and account != author:
        raise ConfigError(f"--author: {author!r} is no pseudonym; name the account as PLATFORM:HANDLE")
    return account


def _note(config: Config, keys: Collection[str], *, shared: bool, at: datetime) -> None:
    """Where a restore finds it. A disk that does not take it keeps nobody from being forgotten."""
    from hustings.errors import StoreError
    from ingest.erased import mark_of
    from runtime.commands.terminal import complain
    from runtime.erasures_noted import Noted, note

    try:
        note(config.data, Noted(at=at, posts=sorted(mark_of(key) for key in keys), shared=shared))
    except StoreError as error:
        complain(f"hustings: {error}; a restore of an older backup will not know of this erasure")


def told(done: Erased, *, then: str) -> list[str]:
    """What went and what did not, a line each; `then` is what to do when analyze has read on."""
    did = "would erase" if done.dry_run else "erased"
    lines = [
        f"{did} {done.posts:,} posts: {done.captures:,} captures of the evidence, excerpts in {done.messages:,}"
        f" messages of the outbox, {done.tips:,} tips of the desk"
    ]
    if done.still_in_index and not done.dry_run:
        lines.append(
            f"STILL THERE: {done.still_in_index:,} posts in the index, until analyze has read on; is it running? {then}"
        )
    if done.captures_kept:
        lines.append(
            f"STILL THERE: {done.captures_kept:,} captures that hold other posts too, such as the page of a feed;"
            " --shared takes them, and those posts stay without their capture"
        )
    lines += [f"STILL THERE, perhaps: {path} could not be looked through" for path in done.not_looked_through]
    if done.log_entries:
        lines.append(f"stays until `hustings prune` after {done.log_until}: {done.log_entries:,} entries of the log")
    if done.dead_letters:
        more = len(done.dead_letters) - MOST_LETTERS
        ids = ", ".join(letter[:12] for letter in done.dead_letters[:MOST_LETTERS])
        lines.append(
            f"stays until `hustings prune` takes it: dead letters {ids}" + (f" and {more:,} more" if more > 0 else "")
        )
    lines.append(
        "stays: backups, exports and corpora made before, what partners were told, and, without the words of the posts,"
        " alerts, reviews with their notes, and the audit chain (docs/erasing.md)"
    )
    return lines
