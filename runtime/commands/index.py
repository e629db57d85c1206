"""`hustings index`: made, checked, made anew from the log, forgotten from."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import ConfigPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.differences import DifferenceReport
    from runtime.rescoring import Filled, Starts

__all__ = ["app", "bars", "show_differences"]

app = typer.Typer(
    name="index",
    help="The index: make it, check it, make it anew from the log. It is derived, so nothing is lost with it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="one JSON object")]


@app.command()
def create(config: ConfigPath, as_json: AsJson = False) -> None:
    """Make what is missing: for Elasticsearch templates, aliases and the index of positions. Changes nothing else.

    Example: hustings index create cluster.toml
    """
    import json

    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.index_sets import create_live

    made = create_live(load_config(config))
    say(json.dumps({"made": made}) if as_json else f"made {', '.join(made)}" if made else "everything is there")


@app.command()
def check(config: ConfigPath, as_json: AsJson = False) -> None:
    """Say what is not as it must be; exit status 1 when there is something.

    Example: hustings index check cluster.toml
    """
    import json

    from runtime.commands.terminal import complain, say
    from runtime.config import load_config
    from runtime.index_sets import problems_of_live

    problems = problems_of_live(load_config(config))
    if as_json:
        say(json.dumps({"problems": problems}))
    for problem in problems if not as_json else ():
        complain(problem)
    if not (problems or as_json):
        say("the index is as it must be")
    if problems:
        raise typer.Exit(1)


@app.command()
def migrate(config: ConfigPath, as_json: AsJson = False) -> None:
    """Bring the index of an older Hustings to this one's mapping: copied beside it, then put in its place.

    Writing waits meanwhile, reading goes on. A crash leaves the old one live; run it again.

    Example: hustings index migrate cluster.toml
    """
    import json

    from hustings.clock import SystemClock
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.stores import elastic_settings

    loaded = load_config(config)
    settings = elastic_settings(loaded)
    done = None
    if settings is not None:
        from index.elastic import migrate as copy

        done = copy(settings, clock=SystemClock())
    if as_json:
        say(json.dumps({"migrated": None if done is None else done._asdict()}))
    elif done is not None:
        say(f"copied {done.posts:,} posts and {done.hits:,} hits; {done.live!r} is live")
    elif settings is not None:
        say("the index has this version's mapping already")
    else:
        say("an index in the data folder is brought up to date when it is opened, or refused; nothing to do")


@app.command()
def rebuild(
    config: ConfigPath,
    name: Annotated[str, typer.Option("--into", help="name of the new index set; the date and time if not given")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="do not delete the former index")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the index anew from the log with the models that serve now, and put it in the place of the old one.

    On Elasticsearch the loops go on: workers read on where the new one ends. In the data folder they must be stopped.

    Example: hustings index rebuild my.toml
    """
    import msgspec

    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.index_sets import drop_set, switch_to
    from runtime.refill import Period
    from runtime.rescoring import fill_set

    loaded = load_config(config)
    loaded.require_data()
    name = name or _name_of_now()
    with bars(shown=not as_json) as starts:
        filled = fill_set(loaded, name, period=Period(), starts=starts)
    former = switch_to(loaded, name)
    if not keep:
        drop_set(loaded, former)
    if as_json:
        say(msgspec.json.encode(filled).decode())
        return
    _show(filled)
    say("it is live now; the former index " + (f"is kept as {former!r}" if keep else "was deleted"))


@app.command()
def verify(config: ConfigPath, as_json: AsJson = False) -> None:
    """Compare the index with the log, entry by entry; exit status 1 when something is missing. Changes nothing.

    Example: hustings index verify my.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.terminal import complain, say
    from runtime.config import load_config
    from runtime.verify_index import verify_index

    loaded = load_config(config)
    loaded.require_data()
    with (
        closing(build.open_log(loaded, SystemClock())) as log,
        closing(build.open_index(loaded)) as index,
        bars(shown=not as_json) as starts,
    ):
        entries = sum(log.ends("posts").values()) + sum(log.ends("hits").values())
        found = verify_index(log, index, advance=starts("comparing", entries))
    if as_json:
        say(msgspec.json.encode(found).decode())
    else:
        say(
            f"compared {found.posts:,} posts and {found.hits:,} hits with the log; "
            f"{found.dead_letters:,} dead letters, {found.unread:,} not read yet"
        )
        for problem in found.problems:
            complain(problem)
        if found.missing_posts or found.missing_hits:
            complain(
                f"missing: {found.missing_posts:,} posts and {found.missing_hits:,} hits, such as "
                f"{', '.join(found.examples[:5])}; `hustings index rebuild` makes the index anew"
            )
        if found.sound:
            say("nothing is missing, and the books balance")
    if not found.sound:
        raise typer.Exit(1)


@app.command()
def prune(config: ConfigPath, as_json: AsJson = False) -> None:
    """Forget posts and hits that are older than log.keep_days, in the index alone. `hustings prune` does the log too.

    Example: hustings index prune my.toml
    """
    import json

    from hustings.clock import SystemClock, rfc3339
    from runtime import build
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.prune import cutoff_of

    loaded = load_config(config)
    loaded.require_data()
    before = cutoff_of(loaded, SystemClock().now())
    with closing(build.open_index(loaded)) as index:
        removed = index.prune(before=before)
    when = rfc3339(before)
    say(json.dumps({"before": when, "posts": removed}) if as_json else f"forgot {removed:,} posts from before {when}")


@app.command()
def drop(
    name: Annotated[str, typer.Argument(help="name of an index set that is not live")], config: ConfigPath
) -> None:
    """Delete an index set that a rebuild kept or a replay made.

    Example: hustings index drop june-models my.toml
    """
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.index_sets import drop_set

    drop_set(load_config(config), name)
    say(f"deleted {name!r}")


@app.command()
def keys(
    config: ConfigPath,
    out: Annotated[Path, typer.Option("--out", help="folder that the keys are written to, a file each")],
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="how long they are good")] = 365,
    as_json: AsJson = False,
) -> None:
    """Make an API key for each loop that needs one, with the rights of that loop and no more.

    The configuration must hold the login of somebody who may make keys. Each machine's `[elasticsearch] api_key_file`
    then names the key of the loop that runs there: the desk's, for example, cannot write posts.

    Example: hustings index keys cluster.toml --out secrets
    """
    import json
    import os

    from hustings.clock import SystemClock
    from hustings.errors import ConfigError
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.stores import elastic_settings

    loaded = load_config(config)
    settings = elastic_settings(loaded)
    if settings is None:
        raise ConfigError(f"{loaded.path}: elasticsearch: the index lies in the data folder and needs no keys")
    from index.elastic import create_keys

    out.mkdir(parents=True, exist_ok=True)
    made = {}
    for loop, encoded in create_keys(settings, days=days, clock=SystemClock()).items():
        path = out / f"elasticsearch-{loop}.key"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(encoded + "\n")
        made[loop] = str(path)
    if as_json:
        say(json.dumps({"keys": made, "days": days}))
        return
    for loop, name in made.items():
        say(f"{loop}: {name}, good for {days} days")


@contextmanager
def bars(*, shown: bool) -> Iterator[Starts]:
    """A bar for each part of the work, on a terminal."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not (shown and sys.stderr.isatty())
    ) as progress:

        def starts(what: str, total: int) -> Callable[[int], None]:
            task = progress.add_task(what, total=total)
            return lambda entries: progress.advance(task, entries)

        yield starts


def show_differences(report: DifferenceReport) -> None:
    """The report of a replay, for people."""
    from runtime.commands.terminal import say, table

    say(
        f"compared {report.compared:,} posts with what is live: {report.changed:,} are flagged otherwise; "
        f"{report.only_in_replay:,} have no counterpart there"
    )
    if report.codes:
        table(
            "Flags",
            ["code", "both", "no longer", "new", "posts that lost it", "posts that gained it"],
            [
                [one.code, one.both, one.lost, one.gained, " ".join(one.lost_examples), " ".join(one.gained_examples)]
                for one in report.codes
            ],
        )


def _show(filled: Filled) -> None:
    from runtime.commands.terminal import say

    posts = filled.posts
    say(
        f"{filled.set}: {posts.written:,} of {posts.read:,} posts written, {posts.dead:,} are dead letters; "
        f"{filled.hits:,} hits"
    )
    show_differences(filled.differences)


def _name_of_now() -> str:
    from hustings.clock import SystemClock

    return SystemClock().now().strftime("r%Y%m%d-%H%M%S")
