"""Opens the three places where state lives: in the data folder, or on the servers that the configuration names.

No loop knows which. Whoever opens a store closes it; `open_stores` does both, for who needs them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from hustings.clock import Clock, SystemClock
from runtime.component_settings import checked, resolved
from runtime.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from hustings.contracts import Index, Log, Memory
    from index.elastic import ElasticSettings
    from ingest.log_kafka import KafkaSettings

__all__ = [
    "elastic_settings",
    "kafka_settings",
    "open_engine",
    "open_index",
    "open_log",
    "open_memory",
    "open_stores",
]


@contextmanager
def open_stores(config: Config, clock: Clock) -> Iterator[tuple[Engine, Memory, Log, Index]]:
    """The desk's database, what is remembered in it, the log and the index; closed again whatever happens."""
    with ExitStack() as closing:
        engine = open_engine(config)
        closing.callback(engine.dispose)
        log = open_log(config, clock)
        closing.callback(log.close)
        index = open_index(config)
        closing.callback(index.close)
        yield engine, open_memory(engine), log, index


def kafka_settings(config: Config) -> KafkaSettings | None:
    """`[kafka]`, checked; None when the log lies in the data folder."""
    if config.kafka is None:
        return None
    from ingest.log_kafka import KafkaSettings

    return checked(KafkaSettings, resolved(config, config.kafka), where=f"{config.path}: kafka")


def elastic_settings(config: Config) -> ElasticSettings | None:
    """`[elasticsearch]`, checked; None when the index lies in the data folder."""
    if config.elasticsearch is None:
        return None
    from index.elastic import ElasticSettings

    return checked(ElasticSettings, resolved(config, config.elasticsearch), where=f"{config.path}: elasticsearch")


def open_log(config: Config, clock: Clock, *, worker: str | None = None) -> Log:
    """The durable stream. With a worker's name, its readers share partitions with the workers of other names where the
    log is one of many machines; without, they have all partitions to themselves."""
    partitions = {"posts_partitions": config.log.posts_partitions, "hits_partitions": config.log.hits_partitions}
    settings = kafka_settings(config)
    if settings is not None:
        from ingest.log_kafka import KafkaLog

        return KafkaLog(settings, clock=clock, worker=worker, **partitions).open()
    from ingest.log_sqlite import SqliteLog

    return SqliteLog(config.data / "log", clock=clock, **partitions).open()


def open_index(config: Config) -> Index:
    """What is known so far."""
    settings = elastic_settings(config)
    if settings is not None:
        from index.elastic import ElasticIndex

        return ElasticIndex(settings, clock=SystemClock()).open()
    from index.sqlite import SqliteIndex

    return SqliteIndex(config.data / "index").open()


def open_engine(config: Config) -> Engine:
    """The desk's database, migrated."""
    from desk.database.connect import open_database

    if not config.desk.database_url:
        config.make_data()
    file = config.desk.database_password_file
    return open_database(config.database_url, config.resolve(file) if file else None)


def open_memory(engine: Engine) -> Memory:
    """Cursors, health, heartbeats: tables of the desk's database."""
    from desk.memory import DeskMemory

    return DeskMemory(engine)
