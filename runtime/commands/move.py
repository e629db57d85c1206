"""`hustings move`: from the laptop to a cluster (or back), one store at a time."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime.config import Config

__all__ = ["app"]

app = typer.Typer(
    name="move",
    help="Move a deployment to other stores, one at a time: log, index, desk. How it is done: docs/cluster.md.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Source = Annotated[Path, typer.Argument(help="the configuration that is left")]
Target = Annotated[Path, typer.Argument(help="the configuration that is moved to")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object")]


@app.command()
def log(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy the log, and how far it was read. The loops may run: run it again after they were stopped, it goes on.

    Example: hustings move log laptop.toml cluster.toml
    """
    import msgspec

    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.index import bars
    from runtime.commands.terminal import say
    from runtime.moving import move_log, topics

    left, moved_to = _pair(source, target)
    clock = SystemClock()
    with (
        closing(build.open_log(left, clock)) as here,
        closing(build.open_log(moved_to, clock)) as there,
        bars(shown=not as_json) as starts,
    ):
        entries = sum(sum(here.ends(topic).values()) for topic in topics())
        done = move_log(here, there, advance=starts("entries", entries))
    if as_json:
        say(msgspec.json.encode(done).decode())
        return
    for topic, count in done.copied.items():
        say(f"{topic}: {count:,} entries copied, {done.held[topic]:,} are there now")
    say("positions: " + ", ".join(f"{topic} read up to {offset:,}" for topic, offset in done.read_up_to.items()))


@app.command()
def index(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Fill the new index from the moved log, every assessment as it stands. The loops must be stopped.

    Example: hustings move index laptop.toml cluster.toml
    """
    import msgspec

    from classifiers.claims.shelf import ClaimShelf
    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.index import bars
    from runtime.commands.terminal import say
    from runtime.moving import move_index

    left, moved_to = _pair(source, target)
    with _stopped(left), ExitStack() as stack:
        there = stack.enter_context(closing(build.open_log(moved_to, SystemClock())))
        former = stack.enter_context(closing(build.open_index(left)))
        fresh = stack.enter_context(closing(build.open_index(moved_to)))
        engine = build.open_engine(left)
        stack.callback(engine.dispose)
        claims = ClaimShelf(build.open_memory(engine)).claims()
        pipeline = build.open_pipeline(left, story_memory=build.story_memory(former), claims=claims)
        starts = stack.enter_context(bars(shown=not as_json))
        done = move_index(there, former, fresh, pipeline.assess, starts=starts)
    if as_json:
        say(msgspec.json.encode(done).decode())
        return
    say(
        f"{done.taken_over:,} posts taken over, {done.assessed_again:,} former revisions assessed again, "
        f"{done.hits:,} hits; the books are the same: {', '.join(f'{n:,} {what}' for what, n in done.books.items())}"
    )


@app.command()
def desk(source: Source, target: Target, as_json: AsJson = False) -> None:
    """Copy every table of the desk in one transaction. The loops must be stopped.

    Example: hustings move desk laptop.toml cluster.toml
    """
    import msgspec

    from desk import audit
    from desk.database.connect import writing
    from hustings.clock import SystemClock
    from runtime import build
    from runtime.commands.index import bars
    from runtime.commands.terminal import say
    from runtime.moving import move_desk
    from runtime.rule_changes import ask_for_pasts

    left, moved_to = _pair(source, target)
    with _stopped(left), ExitStack() as stack:
        engines = [build.open_engine(left), build.open_engine(moved_to)]
        for engine in engines:
            stack.callback(engine.dispose)
        starts = stack.enter_context(bars(shown=not as_json))
        done = move_desk(*engines, advance=starts("rows", 0))
        ask_for_pasts(build.open_memory(engines[1]))  # the index was filled from the log, before or after this
        with writing(engines[1]) as connection:
            detail: audit.Detail = {table: count for table, count in done.rows.items() if count}
            audit.append(
                connection, at=SystemClock().now(), actor="operator", action="move", subject="desk", detail=detail
            )
        chain = audit.verify(engines[1])
    if as_json:
        say(msgspec.json.encode(done).decode())
        return
    moved = {table: count for table, count in done.rows.items() if count}
    say(", ".join(f"{count:,} of {table}" for table, count in moved.items()) + "; the same on both sides")
    say(f"the audit chain is unbroken there: {chain:,} rows, the last one says that it was moved")


def _pair(source: Path, target: Path) -> tuple[Config, Config]:
    """Both; the one that is moved to may have no data folder yet."""
    from runtime.config import load_config

    left, moved_to = load_config(source), load_config(target)
    left.require_data()
    moved_to.make_data()
    return left, moved_to


@contextmanager
def _stopped(config: Config) -> Iterator[None]:
    """Nothing is written to what is left while it is copied."""
    from runtime.only_one import only_one

    with only_one(config.data):
        yield
