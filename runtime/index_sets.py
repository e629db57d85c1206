"""Index sets of a deployment: the one that is live, and others beside it that a rebuild or a replay fills.

On Elasticsearch a set is a group of indices and the live one stands behind an alias: everybody goes over to another in
one step. In the data folder a set is a folder, `index` the live one, `index@NAME` another; the loops must not run while
it is put in the place of the live one.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hustings.clock import SystemClock
from hustings.errors import ConfigError, StoreError
from runtime.config import Config
from runtime.only_one import only_one
from runtime.rule_changes import ask_for_pasts
from runtime.stores import elastic_settings, open_engine, open_memory

if TYPE_CHECKING:
    from hustings.contracts import Index

__all__ = ["create_live", "drop_set", "make_set", "open_set", "problems_of_live", "switch_to"]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


def create_live(config: Config) -> list[str]:
    """Make what the live set needs, for an operator; returns what was made, in words."""
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import create

        return create(settings, clock=SystemClock())
    from index.sqlite import SqliteIndex

    existed = (config.data / "index").is_dir()
    config.make_data()
    SqliteIndex(config.data / "index").open().close()
    return [] if existed else [str(config.data / "index")]


def problems_of_live(config: Config) -> list[str]:
    """What is not as it must be, a line each."""
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import problems

        return problems(settings, clock=SystemClock())
    return [] if (config.data / "index").is_dir() else [f"{config.data / 'index'}: no such folder"]


def make_set(config: Config, name: str) -> None:
    """An empty set. Raises `StoreError` when there is one of that name."""
    _check(name)
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import create, settings_of

        create(settings_of(settings, name), clock=SystemClock())
        return
    folder = _folder(config, name)
    if folder.exists():
        raise StoreError(f"{folder}: there is an index set of that name; `hustings index drop {name}` deletes it")
    from index.sqlite import SqliteIndex

    SqliteIndex(folder).open().close()


def open_set(config: Config, name: str) -> Index:
    """A set beside the live one, opened."""
    _check(name)
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import ElasticIndex, settings_of

        return ElasticIndex(settings_of(settings, name), clock=SystemClock()).open()
    folder = _folder(config, name)
    if not folder.is_dir():
        raise StoreError(f"{folder}: there is no index set of that name")
    from index.sqlite import SqliteIndex

    return SqliteIndex(folder).open()


def switch_to(config: Config, name: str) -> str:
    """Put the set, which was filled from the log, in the place of the live one; returns the name of the set that was
    live. Raises `ConfigError` when the live one lies in the data folder and the loops run."""
    former = _switch(config, name)
    engine = open_engine(config)
    try:
        ask_for_pasts(open_memory(engine))
    finally:
        engine.dispose()
    return former


def drop_set(config: Config, name: str) -> None:
    """Delete a set that is not live, with all that is in it."""
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import drop

        drop(settings, name, clock=SystemClock())
        return
    _check(name)
    folder = _folder(config, name)
    if not folder.is_dir():
        raise StoreError(f"{folder}: there is no index set of that name")
    shutil.rmtree(folder)


def _switch(config: Config, name: str) -> str:
    _check(name)
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import switch

        return switch(settings, to=name, clock=SystemClock())
    folder, live = _folder(config, name), config.data / "index"
    if not folder.is_dir():
        raise StoreError(f"{folder}: there is no index set of that name")
    with only_one(config.data):
        former = f"before-{name}"
        if _folder(config, former).exists():
            raise StoreError(f"{_folder(config, former)}: is in the way; `hustings index drop {former}` deletes it")
        live.rename(_folder(config, former))
        folder.rename(live)
    return former


def _folder(config: Config, name: str) -> Path:
    return config.data / f"index@{name}"


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be the name of an index set: small letters, digits, `.`, `_` and `-` only")
