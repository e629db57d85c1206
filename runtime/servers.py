"""The servers that a configuration names: what an operator makes on them once, and what is wrong with them now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from hustings.errors import HustingsError
from runtime import stores
from runtime.config import Config

__all__ = ["Found", "ask_servers", "has_servers", "set_up"]


class Found(NamedTuple):
    """What one server says: ready lines of problems, or a fact when there is none."""

    server: str
    problems: list[str]
    fact: str


def ask_servers(config: Config) -> list[Found]:
    """Ask each server that is configured; nothing is made or changed. A server that does not answer is a problem, which
    says what to look at."""
    return [_asked(server, ask, config) for server, ask in _servers(config)]


def has_servers(config: Config) -> bool:
    """Whether anything that the loops need is on a server."""
    return any(True for _ in _servers(config))


def set_up(config: Config) -> Iterator[str]:
    """Make what the loops only use: topics, indices, tables; yields a line for each. What exists stays as it is, so
    doing it again changes nothing. Raises what stands in the way."""
    kafka = stores.kafka_settings(config)
    if kafka is not None:
        from ingest.log_kafka import create_topics

        made = create_topics(
            kafka, posts_partitions=config.log.posts_partitions, hits_partitions=config.log.hits_partitions
        )
        yield f"kafka: topics made: {', '.join(made)}" if made else "kafka: all topics were there"
    elastic = stores.elastic_settings(config)
    if elastic is not None:
        from index.elastic import create

        made = create(elastic)
        yield f"elasticsearch: made: {', '.join(made)}" if made else "elasticsearch: the indices were there"
    stores.open_engine(config).dispose()
    yield "desk: the database has the newest tables"


def _servers(config: Config) -> Iterator[tuple[str, Callable[[Config], tuple[list[str], str]]]]:
    if config.kafka is not None:
        yield "kafka", _ask_kafka
    if config.elasticsearch is not None:
        yield "elasticsearch", _ask_elastic
    if config.desk.database_url.startswith("postgresql"):
        yield "desk", _ask_database


def _asked(server: str, ask: Callable[[Config], tuple[list[str], str]], config: Config) -> Found:
    try:
        problems, fact = ask(config)
    except HustingsError as error:
        return Found(server, str(error).splitlines(), "")
    return Found(server, problems, "" if problems else fact)


def _ask_kafka(config: Config) -> tuple[list[str], str]:
    from ingest.log_kafka import check_topics

    settings = stores.kafka_settings(config)
    assert settings is not None  # noqa: S101 - the caller looked
    log = config.log
    problems = check_topics(settings, posts_partitions=log.posts_partitions, hits_partitions=log.hits_partitions)
    if any(line.endswith("is missing") for line in problems):
        problems.append("`hustings setup` makes what is missing")
    return problems, f"topics are as they must be, {log.posts_partitions} + {log.hits_partitions} partitions"


def _ask_elastic(config: Config) -> tuple[list[str], str]:
    from index.elastic import problems

    settings = stores.elastic_settings(config)
    assert settings is not None  # noqa: S101 - the caller looked
    return problems(settings), "indices are as they must be"


def _ask_database(config: Config) -> tuple[list[str], str]:
    from desk.database.look import tables_are_there

    file = config.desk.database_password_file
    if not tables_are_there(config.database_url, config.resolve(file) if file else None):
        return ["the database has no tables of this Hustings yet: `hustings setup` makes them"], ""
    return [], "the database has the newest tables"
