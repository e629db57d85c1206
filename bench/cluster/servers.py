"""The servers of the bench: one broker, one node, one database, on free loopback ports, ended by pid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.servers.elastic_node import ElasticNode, server_home
from tests.servers.kafka_cluster import KafkaCluster, jars
from tests.servers.postgres_server import ROLE, PostgresServer, binaries

__all__ = ["Servers", "running"]

DATABASE = "hustings"


class Servers(NamedTuple):
    """What runs, and by which processes."""

    kafka: KafkaCluster
    elastic: ElasticNode
    postgres: PostgresServer
    kafka_folder: Path

    @property
    def pids(self) -> dict[str, list[int]]:
        """The processes of each, whose children count with them."""
        return {
            "kafka": self.kafka.pids,
            "elasticsearch": [self.elastic.pid],
            "postgresql": [self.postgres.pid],
        }

    @property
    def database_url(self) -> str:
        return self.postgres.url(DATABASE)


@contextmanager
def running(folder: Path) -> Iterator[Servers]:
    """All three, started side by side. Raises what says which tool is missing."""
    home, brought, found = server_home(), jars(), binaries()
    with ExitStack() as closing:
        kafka = KafkaCluster(folder / "kafka", jars=brought, nodes=1, heap="512m")
        elastic = ElasticNode(home=home, heap="1g")
        closing.callback(elastic.stop)
        elastic.start()  # takes longest
        closing.enter_context(kafka)
        postgres = closing.enter_context(PostgresServer(found))
        postgres.sql(f"ALTER ROLE {ROLE} CREATEDB")
        postgres.create(DATABASE)
        elastic.wait()
        yield Servers(kafka, elastic, postgres, folder / "kafka")
