"""`hustings source`: lets a source go on that was stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import HERE, ConfigHere

__all__ = ["app"]

app = typer.Typer(
    name="source",
    help="Let a stopped source go on.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def source() -> None:
    """Let a stopped source go on."""


@app.command("lift")
def lift(
    name: Annotated[str, typer.Argument(help="the stopped source, as `hustings status` names it")],
    config: ConfigHere = HERE,
) -> None:
    """Let a source go on that was stopped because too much of it could not be used. Look at its dead letters first.

    Example: hustings source lift town-square --config my.toml
    """
    import msgspec

    from desk import audit
    from desk.database.connect import writing
    from hustings.clock import SystemClock
    from hustings.errors import ConfigError
    from ingest.dead_letters import Brake
    from runtime import build
    from runtime.commands.terminal import say
    from runtime.config import load_config

    loaded = load_config(config)
    loaded.require_data()
    engine = build.open_engine(loaded)
    try:
        memory = build.open_memory(engine)
        stopped = memory.entries(Brake.TABLE)
        if name not in stopped:
            raise ConfigError(f"{name!r} is not stopped; stopped are: {', '.join(sorted(stopped)) or 'none'}")
        Brake(memory, name).lift()
        detail = msgspec.json.decode(stopped[name], type=dict[str, str])
        with writing(engine) as connection:
            audit.append(
                connection, at=SystemClock().now(), actor="operator", action="lift_brake", subject=name, detail=detail
            )
    finally:
        engine.dispose()
    say(f"{name} goes on at its next poll; it had been stopped because {detail['reason']}")
