"""The whole pipeline into Elasticsearch, beside a raw bulk load of the same documents into an index made the same way.

Log and desk lie in the data folder, so that nothing but the index differs from one machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import orjson

from bench.cluster.passage import Passage, passage
from bench.cluster.processor import processor_s
from bench.cluster.world import Deployment, World
from index.elastic import ElasticSettings, create
from index.elastic.remove import remove

__all__ = ["IndexLoad"]


class IndexLoad:
    """`pipeline` and `raw` are to be called by turns; the first `pipeline` leaves the documents for `raw`."""

    def __init__(self, world: World, *, workers: int = 1) -> None:
        self._world = world
        self._servers = world.servers_config(
            kafka=False, elastic=True, postgres=False, workers=workers, partitions=workers
        )
        self._documents = world.fresh() / "documents.jsonl"
        self._month = ""
        self._count = 0
        self._rounds = 0

    def pipeline(self) -> Passage:
        with self._world.deployment(self._servers) as deployment:
            found = passage(deployment, self._world.servers, self._world.records)
            if not self._month:
                self._keep_documents(deployment)
            return found

    def take_documents_of(self, other: IndexLoad) -> None:
        """The same posts make the same documents, so one reading of them is enough."""
        self._documents, self._month, self._count = other._documents, other._month, other._count

    def raw(self) -> Passage:
        self._rounds += 1
        with self._empty_index(f"raw-{self._rounds}-") as index:
            elastic = self._world.servers.pids["elasticsearch"]
            before = processor_s(elastic)
            command = [sys.executable, "-P", "-m", "bench.cluster.raw_bulk", self._url, index, str(self._documents)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path.cwd())
            said = json.loads(done.stdout)
            # Of the whole load, its first quarter included, so by the documents of the whole.
            share = said["handled"] / self._count
            used = (processor_s(elastic) - before) * share
            return Passage(said["handled"], said["seconds"], {"workers": said["processor_s"], "elasticsearch": used})

    @property
    def _url(self) -> str:
        return self._world.servers.elastic.server

    @contextmanager
    def _empty_index(self, prefix: str) -> Iterator[str]:
        """A month made by the template that the pipeline's are made by."""
        settings = ElasticSettings(servers=(self._url,), prefix=prefix, replicas=0)
        create(settings)
        try:
            index = f"{prefix}posts-{self._month}"
            httpx.put(f"{self._url}/{index}").raise_for_status()
            yield index
        finally:
            remove(settings)

    def _keep_documents(self, deployment: Deployment) -> None:
        """All documents of the newest month, as they were sent."""
        from elasticsearch import Elasticsearch
        from elasticsearch.helpers import scan

        assert deployment.config.elasticsearch is not None
        alias = f"{deployment.config.elasticsearch['prefix']}posts"
        deployment.index.refresh()
        with closing(Elasticsearch([self._url])) as client, self._documents.open("wb") as out:
            for document in scan(client, index=alias, size=2_000):
                out.write(orjson.dumps({"_id": document["_id"], **document["_source"]}) + b"\n")
                self._month = document["_index"].rpartition("posts-")[2]
                self._count += 1
