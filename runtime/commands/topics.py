"""`hustings topics`: the topics of the log on Kafka, made and checked by an operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.commands.config_path import ConfigPath

if TYPE_CHECKING:
    from ingest.log_kafka import KafkaSettings
    from runtime.config import Config

__all__ = ["app"]

app = typer.Typer(
    name="topics",
    help="The topics on Kafka: make them, check them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="one JSON object")]


@app.command("create")
def create(config: ConfigPath, as_json: Json = False) -> None:
    """Make the topics that are missing; those that exist stay as they are.

    Example: hustings topics create my.toml
    """
    import json

    from ingest.log_kafka import create_topics
    from runtime.commands.terminal import say

    loaded, settings = _kafka(config)
    made = create_topics(
        settings, posts_partitions=loaded.log.posts_partitions, hits_partitions=loaded.log.hits_partitions
    )
    if as_json:
        say(json.dumps({"made": made}))
        return
    for name in made:
        say(f"made {name}")
    if not made:
        say("all topics were there")


@app.command("check")
def check(config: ConfigPath, as_json: Json = False) -> None:
    """Name what is not as it must be: missing topics, partitions, copies, settings of the brokers. Exit status 1 when
    there is anything.

    Example: hustings topics check my.toml
    """
    import json

    from ingest.log_kafka import check_topics
    from runtime.commands.terminal import complain, say

    loaded, settings = _kafka(config)
    problems = check_topics(
        settings, posts_partitions=loaded.log.posts_partitions, hits_partitions=loaded.log.hits_partitions
    )
    if as_json:
        say(json.dumps({"ok": not problems, "problems": problems}))
    else:
        for problem in problems:
            complain(problem)
        say(f"{len(problems)} problem(s)" if problems else "all topics are as they must be")
    if problems:
        raise typer.Exit(1)


def _kafka(path: Path) -> tuple[Config, KafkaSettings]:
    from hustings.errors import ConfigError
    from runtime.config import load_config
    from runtime.stores import kafka_settings

    config = load_config(path)
    settings = kafka_settings(config)
    if settings is None:
        raise ConfigError(f"{config.path}: kafka: no such table; this deployment's log lies in its data folder")
    return config, settings
