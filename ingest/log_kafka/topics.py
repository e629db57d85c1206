"""The three topics: made and checked by an operator's command. A loop needs no right to make or change a topic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka import errors as kafka
from kafka.admin import ConfigResource, ConfigResourceType

from hustings.contracts import Topic
from hustings.errors import ConfigError, StoreError
from hustings.types import hash_id
from ingest.log_kafka.clients import made
from ingest.log_kafka.settings import KafkaSettings
from ingest.log_kafka.troubles import translated

__all__ = [
    "FoundTopic",
    "check_topics",
    "create_topics",
    "delete_topics",
    "find_topics",
    "id_of",
    "open_admin",
    "partition_counts",
]

DAY_MS = 24 * 3600 * 1000
ASKED_AGAIN_S = 0.2


class FoundTopic(NamedTuple):
    """What the brokers say of a topic. `id` was made by them with the topic and never comes twice."""

    id: str
    partitions: int
    copies: int


def partition_counts(*, posts: int, hits: int) -> dict[Topic, int]:
    """The partitions that the configuration wants, by topic."""
    return {"posts": posts, "hits": hits, "dead-letters": 1}


def create_topics(settings: KafkaSettings, *, posts_partitions: int = 1, hits_partitions: int = 1) -> list[str]:
    """Make the topics that are missing; returns their names. Those that exist stay as they are: `check_topics`."""
    counts = partition_counts(posts=posts_partitions, hits=hits_partitions)
    with open_admin(settings, "making the topics") as admin:
        found = _found(admin, settings)
        missing = {
            settings.topic(topic): {
                "num_partitions": count,
                "replication_factor": settings.replication,
                "configs": wanted_settings(settings),
            }
            for topic, count in counts.items()
            if topic not in found
        }
        if not missing:
            return []
        try:
            admin.create_topics(missing, wait_for_metadata=True)
        except kafka.InvalidReplicationFactorError as problem:
            raise ConfigError(
                f"kafka.replication = {settings.replication} needs as many brokers; the cluster has fewer now"
            ) from problem
        except kafka.TopicAlreadyExistsError as problem:
            raise StoreError("somebody else is making the topics at the same time: look again") from problem
    return sorted(missing)


def delete_topics(settings: KafkaSettings) -> list[str]:
    """Delete the three topics with all that is in them; returns their names."""
    with open_admin(settings, "deleting the topics") as admin:
        names = sorted(settings.topic(topic) for topic in _found(admin, settings))
        if names:
            admin.delete_topics(names)
    return names


def check_topics(settings: KafkaSettings, *, posts_partitions: int = 1, hits_partitions: int = 1) -> list[str]:
    """What is not as it must be, one line each; empty when all is well. Topics that nobody knows are waited for as in
    `find_topics`."""
    counts = partition_counts(posts=posts_partitions, hits=hits_partitions)
    problems: list[str] = []
    with open_admin(settings, "checking the topics") as admin:
        found = _found_in_time(admin, settings)
        described = _described(admin, [settings.topic(topic) for topic in found])
    for topic, count in counts.items():
        name = settings.topic(topic)
        if topic not in found:
            problems.append(f"topic {name!r} is missing")
            continue
        if found[topic].partitions != count:
            problems.append(f"topic {name!r} has {found[topic].partitions} partitions, the configuration says {count}")
        if found[topic].copies < settings.replication:
            problems.append(
                f"topic {name!r} has {found[topic].copies} copies, kafka.replication says {settings.replication}"
            )
        problems.extend(_setting_problems(name, described[name], settings))
    return problems


def find_topics(settings: KafkaSettings, counts: Mapping[Topic, int]) -> dict[Topic, FoundTopic]:
    """The topics as they are. Raises `StoreError` when one has another number of partitions, or is missing still
    after `settings.answer_s` seconds."""
    with open_admin(settings, "looking for the topics") as admin:
        found = _found_in_time(admin, settings)
    missing = [settings.topic(topic) for topic in counts if topic not in found]
    if missing:
        raise StoreError(
            f"Kafka at {', '.join(settings.servers)}: topics {missing} are missing; an operator makes them once:"
            " `hustings topics create`. If they were there before, another cluster answers"
        )
    made = {topic: found[topic].partitions for topic in counts}
    if made != counts:
        raise StoreError(
            f"Kafka at {', '.join(settings.servers)}: the topics were made with partitions"
            f" {dict(sorted(made.items()))}, the configuration says {dict(sorted(counts.items()))};"
            " a log keeps the number that it was made with"
        )
    return found


def id_of(found: Mapping[Topic, FoundTopic]) -> str:
    """The log's id: of the two topics whose positions sinks store. A topic that was deleted and made again begins at
    offset 0, and so it is another log."""
    return hash_id("kafka", found["posts"].id, found["hits"].id)


def wanted_settings(settings: KafkaSettings) -> dict[str, str]:
    """The brokers' settings of each topic. Nothing is dropped by age or size but by our own command; a segment a day
    lets what was dropped leave the disk."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "segment.ms": str(DAY_MS),
        "message.timestamp.type": "CreateTime",
        "min.insync.replicas": str(settings.min_insync),
        "max.message.bytes": str(settings.batch_bytes),
        "unclean.leader.election.enable": "false",
    }


@contextmanager
def open_admin(settings: KafkaSettings, doing: str) -> Iterator[Any]:
    """A client of this one task: one that outlives a broker's crash has been seen to fail for good."""
    with translated(settings, doing):
        admin = made(KafkaAdminClient, settings)
        try:
            yield admin
        finally:
            admin.close()


# ── what the brokers say ─────────────────────────────────────────────────────────────────────────────────────────


def _found_in_time(admin: Any, settings: KafkaSettings) -> dict[Topic, FoundTopic]:
    """A broker learns from the controller, and later than the others, what was made: one that does not know the topics
    yet answers as if there were none."""
    deadline = time.monotonic() + settings.answer_s
    while True:
        found = _found(admin, settings)
        if len(found) == len(partition_counts(posts=1, hits=1)) or time.monotonic() >= deadline:
            return found
        time.sleep(ASKED_AGAIN_S)


def _found(admin: Any, settings: KafkaSettings) -> dict[Topic, FoundTopic]:
    names: dict[str, Topic] = {settings.topic(topic): topic for topic in partition_counts(posts=1, hits=1)}
    found: dict[Topic, FoundTopic] = {}
    for topic in admin.describe_topics(list(names)):
        error = kafka.for_code(topic["error_code"])
        if error is kafka.UnknownTopicOrPartitionError:
            continue
        if error is not kafka.NoError:
            raise error(topic["name"])
        if not topic.get("topic_id"):
            raise kafka.UnsupportedVersionError("no topic ids")
        partitions = topic["partitions"]
        found[names[topic["name"]]] = FoundTopic(
            id=str(topic["topic_id"]),
            partitions=len(partitions),
            copies=min((len(partition["replica_nodes"]) for partition in partitions), default=0),
        )
    return found


def _described(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: entry["value"] for key, entry in described[name].items()} for name in names}


def _setting_problems(name: str, described: Mapping[str, str], settings: KafkaSettings) -> Iterator[str]:
    at_least = {"min.insync.replicas", "max.message.bytes"}
    for key, wanted in wanted_settings(settings).items():
        value = described.get(key, "")
        fine = int(value or 0) >= int(wanted) if key in at_least else value == wanted
        if key == "segment.ms":
            fine = 0 < int(value or 0) <= int(wanted)
        if not fine:
            least = "at least " if key in at_least else "at most " if key == "segment.ms" else ""
            yield f"topic {name!r}: {key} is {value!r}, must be {least}{wanted!r}"
