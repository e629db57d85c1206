"""The log on a real Kafka: the contract suite as on SQLite, workers that share a topic, and what it says when
something is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hustings.clock import Clock, SystemClock
from hustings.testing.check_log import CHECKS, LogCheck
from ingest.log_kafka import KafkaLog, KafkaSettings, create_topics
from tests.servers.kafka_cluster import KafkaCluster, KafkaMissing, jars

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One broker for the tests that kill nobody."""
    try:
        jars()
    except KafkaMissing as missing:
        pytest.skip(f"the log on Kafka is not tested: {missing}")
    with KafkaCluster(tmp_path_factory.mktemp("kafka")) as cluster:
        yield cluster


@pytest.fixture
def settings(kafka: KafkaCluster) -> KafkaSettings:
    """Topics of this test's own."""
    return KafkaSettings(servers=kafka.servers, prefix=f"t{next(numbers)}.", replication=1, min_insync=1, session_s=3)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_kafka_log_keeps_the_contract(check: LogCheck, settings: KafkaSettings) -> None:
    def make(*, clock: Clock, posts_partitions: int = 1) -> KafkaLog:
        create_topics(settings, posts_partitions=posts_partitions)
        return KafkaLog(settings, clock=clock, posts_partitions=posts_partitions).open()

    check(make)
