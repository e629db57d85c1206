"""A real Kafka for the tests: nodes on free loopback ports, in folders of their own, stopped by pid.

The jars come from Maven once, into the user's cache; nothing of them is in the project.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.cached import keep

__all__ = ["KafkaCluster", "KafkaMissing", "jars"]

HERE = Path(__file__).parent / "kafka"
START_WITHIN_S = 180.0


class KafkaMissing(Exception):
    """Java or Maven is not there, or the jars cannot be had: the tests on Kafka are left out."""


def jars() -> Path:
    """The folder of the broker's jars, filled by the first call."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise KafkaMissing(f"{tool!r} is not installed")
    pom = HERE / "pom.xml"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hustings" / "servers"
    folder = cache / f"kafka-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="kafka-") as unfinished:
        made = Path(unfinished) / "jars"
        command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run([*command, f"-DoutputDirectory={made}"], capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise KafkaMissing(f"Maven could not bring the jars: {done.stdout[-500:]}{done.stderr[-500:]}")
        keep(made, folder)
    return folder


class KafkaCluster:
    """`nodes` brokers that are controllers too. Topics are made by the tests; replication is possible up to `nodes`.
    With `login`, a name and a password, the one node asks its clients for them (SCRAM-SHA-512)."""

    def __init__(
        self, folder: Path, *, jars: Path, nodes: int = 1, heap: str = "256m", login: tuple[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._login = {"KAFKA_LOGIN": ":".join(login), "KAFKA_INTERNAL": str(_free_port())} if login else {}
        self._heap = heap
        self._jars = jars
        self._ports = {node: (_free_port(), _free_port()) for node in range(1, nodes + 1)}
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for node in self._ports:
                self.start(node)
            for node in self._ports:
                self.wait_for(node)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses, as clients want them."""
        return tuple(f"127.0.0.1:{port}" for port, _ in self._ports.values())

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [process.pid for process in self._running.values()]

    @property
    def running(self) -> list[int]:
        """The nodes that were not killed."""
        return sorted(self._running)

    def start(self, node: int) -> None:
        """Start a node, or start it again over what its folder holds."""
        port, controller_port = self._ports[node]
        copies = min(3, len(self._ports))
        environment = {
            **os.environ,
            **self._login,
            "KAFKA_LIBS": str(self._jars),
            "KAFKA_HEAP": self._heap,
            "KAFKA_NODE_ID": str(node),
            "KAFKA_VOTERS": ",".join(f"{n}@127.0.0.1:{controller}" for n, (_, controller) in self._ports.items()),
            "KAFKA_COPIES": str(copies),
            "KAFKA_MIN_INSYNC": str(max(1, copies - 1)),
        }
        folder = self._folder / f"node-{node}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "output").open("ab") as output:
            self._running[node] = subprocess.Popen(
                [str(HERE / "start-node.sh"), str(port), str(controller_port), str(folder)],
                env=environment,
                stdout=output,
                stderr=output,
            )

    def wait_for(self, node: int) -> None:
        """Until the node takes connections. Raises `RuntimeError` with the end of its output when it does not."""
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._running[node].poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._ports[node][0])) == 0:
                    return
            time.sleep(0.1)
        output = (self._folder / f"node-{node}" / "output").read_text(errors="replace")
        raise RuntimeError(f"Kafka node {node} did not start:\n{output[-2000:]}")

    def kill(self, node: int) -> None:
        """kill -9."""
        process = self._running.pop(node)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End every node at once; what they hold is thrown away with the folder."""
        for node in list(self._running):
            self.kill(node)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
