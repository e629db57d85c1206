"""`hustings demo --config` over a real Kafka, Elasticsearch and PostgreSQL tells what it tells on one machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.three_servers import DATABASE, ThreeServers

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("cluster"), pytest.mark.timeout(900)]

SIZE = "2000"
DIFFERENT = {"seconds", "posts_per_second", "desk", "deliveries"}
"""What a run may say differently: how long it took, its address, and in how many messages a partner was told of an
alert: what changes before the first one has left goes with it."""


def demo(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "runtime.cli", "demo", "--exit", "--score", "--json", "--posts", SIZE]
    done = subprocess.run([*command, "--dir", str(folder), *options], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {name: value for name, value in found.items() if name not in DIFFERENT}


def test_over_real_servers_with_two_workers_of_each_all_is_told_as_on_one_machine(
    three_servers: ThreeServers, tmp_path: Path
) -> None:
    embedded = demo(tmp_path / "embedded")
    clustered = demo(tmp_path / "cluster", "--config", str(three_servers.write_config(tmp_path / "cluster.toml")))
    assert json.dumps(clustered["alert_ids"]).encode() == json.dumps(embedded["alert_ids"]).encode()
    assert clustered == embedded
    assert clustered["balanced"]
    assert len(clustered["alert_ids"]) > 3


def test_a_demo_leaves_nothing_on_the_servers(three_servers: ThreeServers) -> None:
    """Runs behind the one above, on the same servers."""
    import httpx
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=list(three_servers.kafka.servers))
    try:
        assert [name for name in admin.list_topics() if "demo" in name] == []
    finally:
        admin.close()
    indices = httpx.get(f"{three_servers.elastic.server}/_cat/indices?format=json&expand_wildcards=open").json()
    assert [found["index"] for found in indices if "demo" in found["index"]] == []
    databases = [name for (name,) in three_servers.postgres.sql("SELECT datname FROM pg_database")]
    assert DATABASE in databases
    assert [name for name in databases if "demo" in name] == []
