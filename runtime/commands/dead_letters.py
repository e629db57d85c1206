"""`hustings dead-letters`: what could not be used, why, and how it goes in after all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import HERE, ConfigHere

if TYPE_CHECKING:
    from hustings.contracts import Log
    from hustings.types import DeadLetter
    from runtime.config import Config

__all__ = ["app"]

app = typer.Typer(
    name="dead-letters",
    help="List, show and replay what could not be used.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

LetterId = Annotated[str, typer.Argument(help="the id of a dead letter, or its beginning")]


@app.command("list")
def list_letters(
    config: ConfigHere = HERE,
    reason: Annotated[str, typer.Option(help="only those with this reason")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, original bytes in base64")] = False,
) -> None:
    """Every dead letter once, oldest first. The audit chain says that their bytes were printed (--json).

    Example: hustings dead-letters list --config my.toml --reason missing_key
    """
    from hustings import wire
    from hustings.clock import rfc3339
    from ingest.dead_letters import read_dead_letters
    from runtime.commands.terminal import say, table
    from runtime.config import load_config

    loaded = load_config(config)
    log = _log(loaded)
    try:
        found = [letter for letter in read_dead_letters(log) if reason in ("", letter.reason)]
    finally:
        log.close()
    if as_json:
        _record(loaded, "dead-letters", letters=len(found))
        for letter in found:
            say(wire.encode(letter).decode())
        return
    rows = [
        [letter.id[:12], rfc3339(letter.at), letter.stage, letter.reason, letter.origin, letter.detail[:80]]
        for letter in found
    ]
    table(f"{len(found)} dead letters", ["id", "at", "stage", "reason", "from", "detail"], rows)


@app.command("show")
def show_letter(letter_id: LetterId, config: ConfigHere = HERE) -> None:
    """One dead letter with its original bytes, which may name people: look at it where nobody else looks on. The audit
    chain says that somebody looked.

    Example: hustings dead-letters show 3f2a --config my.toml
    """
    from hustings.clock import rfc3339
    from runtime.commands.terminal import printable, say
    from runtime.config import load_config

    loaded = load_config(config)
    log = _log(loaded)
    try:
        letter = _one(log, letter_id)
    finally:
        log.close()
    _record(loaded, letter.id, letters=1)
    for name, value in (
        ("id", letter.id),
        ("at", rfc3339(letter.at)),
        ("stage", letter.stage),
        ("reason", letter.reason),
        ("detail", letter.detail),
        ("from", letter.origin),
        ("code", letter.code_version),
        ("bytes", str(len(letter.original))),
    ):
        say(f"{name:7} {printable(value)}")
    say()
    say(printable(letter.original.decode("utf-8", "backslashreplace")))


@app.command("replay")
def replay_letter(
    letter_id: LetterId,
    config: ConfigHere = HERE,
    repaired: Annotated[
        Path | None, typer.Option(help="file with the repaired post (wire form) to use in place of the original bytes")
    ] = None,
) -> None:
    """Append the post to the posts log again; exit status 2 and nothing appended when the bytes still are no post.

    Example: hustings dead-letters replay 3f2a --config my.toml --repaired post.json
    """
    from contextlib import ExitStack

    from hustings.errors import ConfigError
    from hustings.roster import Roster
    from ingest.dead_letters import replay_dead_letter
    from ingest.names import Names
    from runtime import build
    from runtime.commands.terminal import say
    from runtime.config import load_config

    loaded = load_config(config)
    try:
        given = None if repaired is None else repaired.read_bytes()
    except OSError as error:
        raise ConfigError(f"{repaired}: cannot be read: {error.strerror}") from error
    with ExitStack() as closing:
        log = _log(loaded)
        closing.callback(log.close)
        engine = build.open_engine(loaded)
        closing.callback(engine.dispose)
        names = Names(build.pseudonyms(loaded, log), build.roster(loaded) or Roster())
        letter = _one(log, letter_id)
        post = replay_dead_letter(
            log,
            letter,
            names=names,
            memory=build.open_memory(engine),
            platform=_platform(loaded, letter),
            repaired=given,
        )
    say(f"appended {post.key}")


def _record(config: Config, subject: str, *, letters: int) -> None:
    """The look in the audit chain, before anything is shown, as the desk records it: the bytes are not redacted. Where
    no desk has run yet there is no chain, and nobody whom it could tell."""
    if config.has_desk:
        from runtime.audited import append_as_operator

        append_as_operator(config, "dead-letter-read", subject=subject, detail={"letters": letters})


def _platform(config: Config, letter: DeadLetter) -> str:
    """The name space of accounts at the source that the letter is of, where it is not that of the posts."""
    from runtime import build

    for table in build.source_tables(config):
        if letter.origin.startswith(f"{table.name}: "):
            return getattr(table.component, "platform", "")
    return ""


def _log(config: Config) -> Log:
    from hustings.clock import SystemClock
    from runtime import build

    config.require_data()
    return build.open_log(config, SystemClock())


def _one(log: Log, letter_id: str) -> DeadLetter:
    """The letter whose id begins like this. Raises `ConfigError` when none or several do."""
    from hustings.errors import ConfigError
    from ingest.dead_letters import read_dead_letters

    found = [letter for letter in read_dead_letters(log) if letter.id.startswith(letter_id)]
    if len(found) != 1:
        raise ConfigError(f"{letter_id!r} names {len(found)} dead letters; see `hustings dead-letters list`")
    return found[0]
