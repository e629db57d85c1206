"""kafka-python beside confluent-kafka, for the record: the same messages, the same broker.

confluent-kafka is brought from PyPI into a folder of this run and thrown away with it; the project never depends on it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.cluster.world import World

__all__ = ["compare_clients"]

PEER = "confluent-kafka==2.12.2"
REPEATED = 2
BRING_WITHIN_S = 180.0
ROOT = Path(__file__).parent.parent.parent


def compare_clients(world: World, *, rounds: int) -> dict[str, list[dict[str, float]]] | str:
    """Figures of each client by round, or why there are none."""
    folder = world.fresh()
    problem = _bring(folder / "packages")
    if problem:
        return problem
    messages = folder / "messages"
    messages.write_bytes(b"\n".join(record.value for record in world.records))
    found: dict[str, list[dict[str, float]]] = {"kafka-python": [], "confluent": []}
    for number in range(rounds):
        for client, rows in found.items():
            topic = f"peer-{client}-{number}"
            _make_topic(world, topic)
            rows.append(_measure(client, world.servers.kafka.servers[0], topic, messages, folder / "packages"))
    return found


def _bring(folder: Path) -> str:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    command = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    done = subprocess.run(
        [*command, "--quiet", "--target", str(folder), PEER],
        capture_output=True,
        text=True,
        timeout=BRING_WITHIN_S,
        check=False,
        env=os.environ | {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"},
    )
    return f"{PEER} could not be installed: {(done.stderr.splitlines() or ['?'])[-1]}" if done.returncode else ""


def _make_topic(world: World, topic: str) -> None:
    from kafka import KafkaAdminClient

    with closing(KafkaAdminClient(bootstrap_servers=list(world.servers.kafka.servers))) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)


def _measure(client: str, server: str, topic: str, messages: Path, packages: Path) -> dict[str, float]:
    command = [sys.executable, "-P", "-m", "bench.cluster.peer_client", client, server, topic, str(messages)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])}
    done = subprocess.run([*command, str(REPEATED)], capture_output=True, text=True, check=False, env=env, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{client}: {done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
