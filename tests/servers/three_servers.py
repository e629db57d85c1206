"""All that a cluster needs, on this machine: three brokers, one node of Elasticsearch, one PostgreSQL, started side by
side on free loopback ports and ended by pid."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.elastic_node import ElasticMissing, ElasticNode, server_home
from tests.servers.kafka_cluster import KafkaCluster, KafkaMissing, jars
from tests.servers.postgres_server import ROLE, PostgresMissing, PostgresServer, binaries

__all__ = ["BROKERS", "ServerMissing", "ThreeServers"]

BROKERS = 3
DATABASE = "hustings"

CONFIG = """
[deployment]
name = "Cluster on one machine"
data = "var"

[log]
posts_partitions = {partitions}
hits_partitions = {partitions}

[analyze]
workers = {workers}
batch = {batch}

[watch]
workers = {workers}

[kafka]
servers = [{brokers}]
replication = 3
min_insync = 2
session_s = {session_s}
answer_s = {answer_s}

[elasticsearch]
servers = ["{elastic}"]
replicas = 0
overload_s = {overload_s}
timeout_s = 10

[desk]
database_url = "{database}"
"""


class ServerMissing(Exception):
    """A tool or a server cannot be had on this machine; the text says which."""


class ThreeServers:
    """`with ThreeServers() as servers:`; the parts are `kafka`, `elastic`, `postgres`. `elastic_folder` is where the
    node lies, for a disk of its own that its watermarks look at; everybody must be able to reach it.

    Where the system can, servers end with the thread that started them: start and restart them in one that stays."""

    def __init__(self, *, elastic_folder: Path | None = None) -> None:
        self._elastic_folder = elastic_folder
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        try:
            found, home, brought = binaries(), server_home(), jars()
        except (PostgresMissing, ElasticMissing, KafkaMissing) as missing:
            raise ServerMissing(str(missing)) from missing
        with ExitStack() as unfinished:
            self.folder = Path(unfinished.enter_context(tempfile.TemporaryDirectory(prefix="hustings-servers-")))
            self.kafka = KafkaCluster(self.folder / "kafka", jars=brought, nodes=BROKERS)
            folder = self._elastic_folder
            self.elastic = ElasticNode(home=home, folder=folder, disk_limit=folder is not None)
            self.postgres = PostgresServer(found)
            unfinished.callback(self.elastic.stop)
            self.elastic.start()  # takes longest, and meanwhile the others start
            unfinished.enter_context(self.kafka)
            unfinished.enter_context(self.postgres)
            self.elastic.wait()
            self.postgres.sql(f"ALTER ROLE {ROLE} CREATEDB")
            self.postgres.create(DATABASE)
            self._closing = unfinished.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def write_config(
        self,
        path: Path,
        *,
        workers: int = 2,
        partitions: int = 4,
        batch: int = 512,
        session_s: float = 10,
        answer_s: float = 30,
        overload_s: float = 10,
        elastic: str = "",
    ) -> Path:
        """A configuration over these servers for `hustings demo`; `elastic` is another address of the node, such as a
        proxy's; `answer_s` is long, for a machine that is busy starting everything."""
        path.write_text(
            CONFIG.format(
                partitions=partitions,
                workers=workers,
                batch=batch,
                brokers=", ".join(f'"{server}"' for server in self.kafka.servers),
                session_s=session_s,
                answer_s=answer_s,
                overload_s=overload_s,
                elastic=elastic or self.elastic.server,
                database=self.postgres.url(DATABASE),
            )
        )
        return path
