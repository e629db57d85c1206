"""`hustings people`: the way back into the desk for somebody who has forgotten their password."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.commands.config_path import ConfigArgument, ConfigOption, the_configuration

__all__ = ["app"]

app = typer.Typer(
    name="people",
    help="Let somebody back into the desk.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def people() -> None:
    """Let somebody back into the desk."""


@app.command("link")
def link(
    login: Annotated[str, typer.Argument(help="the login of somebody who has an account")],
    config: ConfigArgument = None,
    named: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object: login, role, link, expires_at")] = False,
) -> None:
    """Make a one-time link with which somebody who has an account chooses a new password.

    For whoever has forgotten theirs, or is kept waiting by a stranger who guesses at it. The link works once, within a
    day, and ends the one made before; the password and the open sessions end when it is used. Give it to nobody else:
    whoever opens it is that person. The audit records that it was made.

    Example: hustings people link oda my.toml
    """
    import msgspec

    from desk import people as accounts
    from hustings.clock import SystemClock, rfc3339
    from runtime import build
    from runtime.commands.terminal import say
    from runtime.config import load_config

    loaded = load_config(the_configuration(config, named))
    loaded.require_desk()
    clock = SystemClock()
    expires_at = rfc3339((clock.now() + accounts.LINK_LASTS).replace(microsecond=0))
    engine = build.open_engine(loaded)
    try:
        token, person = accounts.password_link(engine, login=login, by="operator", clock=clock)
    finally:
        engine.dispose()
    address = f"{loaded.base_url}/new-password/{token}"
    if as_json:
        told = {"login": person.login, "role": person.role, "link": address, "expires_at": expires_at}
        say(msgspec.json.encode(told).decode())
        return
    say(f"A new password for {person.login} ({person.role}), once, until {expires_at}:")
    say(f"  {address}")
