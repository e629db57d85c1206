"""`hustings model promote` and `hustings model rollback`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.model.options import AsJson, ConfigFile, Models, loaded, split_name, store_of, where

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from runtime.config import Config
    from runtime.promotion import Changed

__all__ = ["promote", "rollback"]

By = Annotated[str, typer.Option("--by", help="who does it, as the record shall say")]


def promote(
    name: Annotated[str, typer.Argument(help="a model, NAME@VERSION, or NAME with --version")],
    version: Annotated[str | None, typer.Option("--version", help="the version that shall serve")] = None,
    reason: Annotated[str, typer.Option("--reason", help="why, where a gate failed or an encoder falls silent")] = "",
    by: By = "operator",
    models: Models = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a version into service. Running workers take it over before their next batch.

    Refused when the version is not signed by somebody whom the configuration trusts, and when a gate failed, or an
    encoder falls silent by it, and no reason is given. With --config it stands in the audit chain. Models that serve
    and cannot be read are named; they do not stand in the way of the others, nor of their own cure.

    Examples: hustings model promote G-en --version VERSION --config my.toml ·
    hustings model promote G-en@VERSION --config my.toml (VERSION: as training printed it)
    """
    from classifiers.signing import shipped_signers
    from hustings.clock import SystemClock
    from hustings.errors import ConfigError
    from runtime import build
    from runtime.commands.terminal import complain, printable
    from runtime.promotion import promote as put_into_service

    configuration = loaded(config)
    store = store_of(models, configuration)
    own, number = split_name(name, version)
    if number is None:
        known = ", ".join(one.manifest.version for one in store.versions(own)) or "none"
        raise ConfigError(f"{own}: name the version that shall serve, {own}@VERSION; there are {known}")
    stored = store.find(own, number)
    for bad in store.survey().unreadable:
        if bad.serves or bad.name == own:
            complain(printable(f"{bad.name}: refused: {bad.problem}"))
    with _engine(configuration) as engine:
        changed = put_into_service(
            store,
            stored,
            signers=build.model_signers(configuration) if configuration else shipped_signers(),
            by=by,
            reason=reason,
            clock=SystemClock(),
            engine=engine,
            where=where(models, config),
        )
    _tell(changed, as_json)


def rollback(
    name: Annotated[str, typer.Argument(help="a model, NAME, or NAME@VERSION for that version only")],
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
    from hustings.errors import ConfigError
    from runtime.promotion import rollback as put_back

    configuration = loaded(config)
    store = store_of(models, configuration)
    own, number = split_name(name, None)
    if number is not None and (serving := store.promoted(own)) != number:
        raise ConfigError(f"{own}: version {number} was not promoted last; {serving or 'none'} was")
    with _engine(configuration) as engine:
        changed = put_back(
            store, own, by=by, reason=reason, clock=SystemClock(), engine=engine, where=where(models, config)
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
