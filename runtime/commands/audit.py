"""`hustings audit`: whether the chain of who did what is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

__all__ = ["app"]

app = typer.Typer(
    name="audit",
    help="Check the chain of who did what.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def audit() -> None:
    """Check the chain of who did what."""


@app.command("verify")
def verify(
    config: ConfigArgument = None,
    named: ConfigOption = None,
    lodged: Annotated[str, typer.Option(help="a checkpoint noted earlier, ROW:HASH; shows a chain cut short")] = "",
) -> None:
    """Compute the whole chain again and print its end. Note that down elsewhere: a chain alone cannot show that its
    end was cut off and grown again. Exit status 1 when a row was changed, moved or removed; 2 when there is no database
    to look at.

    Example: hustings audit verify my.toml --lodged 1204:5be1…
    """
    from desk import audit as chain
    from hustings.errors import ConfigError, StoreError
    from runtime import build
    from runtime.commands.terminal import complain, say
    from runtime.config import load_config

    row, _, sealed = lodged.partition(":")
    if lodged and not (row.isascii() and row.isdigit() and sealed):
        raise ConfigError(f"--lodged: {lodged!r} is no checkpoint; it is ROW:HASH as this command prints it")
    checkpoint = chain.Checkpoint(sequence=int(row), hash=sealed) if lodged else None
    loaded = load_config(the_configuration(config, named))
    loaded.require_desk()  # an empty one would have a whole chain
    engine = build.open_engine(loaded)
    try:
        rows = chain.verify(engine, lodged=checkpoint)
        end = chain.checkpoint(engine)
    except StoreError as error:
        complain(str(error))
        raise typer.Exit(1) from None
    finally:
        engine.dispose()
    say(f"{rows:,} rows, unbroken; checkpoint {end.sequence}:{end.hash}")
