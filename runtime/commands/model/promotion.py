"""`hustings model promote` and `hustings model rollback`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Models, loaded, store_of, where

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from runtime.config import Config
    from runtime.promotion import Changed

__all__ = ["promote", "rollback"]

By = Annotated[str, typer.Option("--by", help="who does it, as the record shall say")]


def promote(
    name: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    version: Annotated[str, typer.Option("--version", help="the version that shall serve")],
    reason: Annotated[str, typer.Option("--reason", help="why, where a gate failed or an encoder falls silent")] = "",
    by: By = "operator",
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into service. Running workers take it over before their next batch.

    Refused when the version is not signed by somebody whom the configuration trusts, and when a gate failed, or an
    encoder falls silent by it, and no reason is given. With --config it stands in the audit chain.

    Example: hustings model promote G-en --version 2 --config my.toml
    """
    from classifiers.signing import shipped_signers
    from hustings.clock import SystemClock
    from runtime import build
    from runtime.promotion import promote as put_into_service

    configuration = loaded(config)
    store = store_of(models, configuration)
    with _engine(configuration) as engine:
        changed = put_into_service(
            store,
            store.find(name, version),
            signers=build.model_signers(configuration) if configuration else shipped_signers(),
            by=by,
            reason=reason,
            clock=SystemClock(),
            engine=engine,
            where=where(models, config),
        )
    _tell(changed, as_json)


def rollback(
    name: Annotated[str, typer.Argument(help="name of a model, such as G-en")],
    reason: Annotated[str, typer.Option("--reason", help="why")] = "",
    by: By = "operator",
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put back the version that served before the last promotion. Running workers see it before their next batch.
    Where an encoder falls silent by it, a reason is needed.

    Example: hustings model rollback G-en --config my.toml --reason "flags satire"
    """
    from hustings.clock import SystemClock
    from runtime.promotion import rollback as put_back

    configuration = loaded(config)
    store = store_of(models, configuration)
    with _engine(configuration) as engine:
        changed = put_back(
            store, name, by=by, reason=reason, clock=SystemClock(), engine=engine, where=where(models, config)
        )
    _tell(changed, as_json)


@contextmanager
def _engine(config: Config | None) -> Iterator[Engine | None]:
    """The desk's database of a deployment; there is none without a configuration."""
    if config is None:
        yield None
        return
    from runtime import build

    engine = build.open_engine(config)
    try:
        yield engine
    finally:
        engine.dispose()


def _tell(changed: Changed, as_json: bool) -> None:
    import json

    from runtime.commands.terminal import say

    if as_json:
        say(json.dumps(changed._asdict()))
        return
    now = f"version {changed.now} serves" if changed.now else "no version serves"
    before = f"version {changed.before} did before" if changed.before else "none did before"
    say(f"{changed.name}: {now}; {before}")
    if changed.failed:
        say(f"{len(changed.failed)} failed gate check(s) were passed over with the reason given")
    for line in changed.silenced:
        say(line)
