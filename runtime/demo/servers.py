"""The servers that a demo runs over: everything on them under names of its own, thrown away behind it."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import Any

from hustings.errors import ConfigError
from runtime import stores
from runtime.component_settings import resolved
from runtime.config import Config

__all__ = ["demo_tables"]

COPIED = ("log", "analyze", "watch")
"""Tables that the demo takes over as they are: partitions, workers, batches."""


def demo_tables(config: Config, closing: ExitStack) -> dict[str, dict[str, Any]]:
    """The tables of stores and workers for a demo over the servers of `config`. Topics, indices and a database of the
    demo's own are made here and deleted with `closing`. Raises `ConfigError` for what an operator must change."""
    name = f"hustings_demo_{secrets.token_hex(4)}"
    tables: dict[str, dict[str, Any]] = {table: getattr(config, table).model_dump(mode="json") for table in COPIED}
    if config.kafka is not None:
        given = dict(config.kafka)
        tables["kafka"] = resolved(config, given) | {"prefix": f"{given.get('prefix', '')}{name}."}
        _make_topics(config.model_copy(update={"kafka": tables["kafka"]}), closing)
    if config.elasticsearch is not None:
        given = dict(config.elasticsearch)
        tables["elasticsearch"] = resolved(config, given) | {"prefix": f"{given.get('prefix', '')}{name}-"}
        _make_indices(config.model_copy(update={"elasticsearch": tables["elasticsearch"]}), closing)
    if config.desk.database_url:
        tables["desk"] = _make_database(config, name, closing)
    return tables


def _make_topics(config: Config, closing: ExitStack) -> None:
    from ingest.log_kafka import create_topics, delete_topics

    settings = stores.kafka_settings(config)
    assert settings is not None  # noqa: S101 - the caller looked
    closing.callback(delete_topics, settings)
    create_topics(settings, posts_partitions=config.log.posts_partitions, hits_partitions=config.log.hits_partitions)


def _make_indices(config: Config, closing: ExitStack) -> None:
    from index.elastic import create
    from index.elastic.remove import remove

    settings = stores.elastic_settings(config)
    assert settings is not None  # noqa: S101 - the caller looked
    closing.callback(remove, settings)
    create(settings)


def _make_database(config: Config, name: str, closing: ExitStack) -> dict[str, Any]:
    url, file = config.database_url, config.desk.database_password_file
    if not url.startswith("postgresql"):
        raise ConfigError(f"{config.path}: desk.database_url: the demo makes databases on PostgreSQL only")
    from desk.database.scratch import create_database, drop_database

    password_file = config.resolve(file) if file else None
    made = create_database(url, name, password_file=password_file)
    closing.callback(drop_database, url, name, password_file=password_file)
    return {"database_url": made} | ({"database_password_file": str(password_file)} if password_file else {})
