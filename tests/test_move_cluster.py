"""docs/cluster.md, "Moving a running laptop", command by command: from files to a real Kafka, Elasticsearch and
PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.three_servers import DATABASE, ThreeServers

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("cluster"), pytest.mark.timeout(900)]

SERVERS = """
[kafka]
servers = [{brokers}]
replication = 3
min_insync = 2
answer_s = 30

[elasticsearch]
servers = ["{elastic}"]
replicas = 0
"""


def hustings(*arguments: str | Path) -> str:
    command = [sys.executable, "-P", "-m", "runtime.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def told(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hustings(*arguments, "--json").splitlines()[-1])
    return found


def moved_to(three_servers: ThreeServers, laptop: Path) -> Path:
    """The laptop's configuration, with the servers in it and a data folder of its own."""
    text = laptop.read_text().replace('data = "var"', 'data = "cluster-var"')
    text = text.replace("[desk]\n", f'[desk]\ndatabase_url = "{three_servers.postgres.url(DATABASE)}"\n')
    brokers = ", ".join(f'"{server}"' for server in three_servers.kafka.servers)
    path = laptop.with_name("cluster.toml")
    path.write_text(text + SERVERS.format(brokers=brokers, elastic=three_servers.elastic.server))
    return path


def test_a_laptop_moves_to_servers_with_one_command_a_store_and_nothing_is_lost(
    three_servers: ThreeServers, tmp_path: Path
) -> None:
    hustings("demo", "--exit", "--posts", "2000", "--dir", tmp_path)
    laptop = tmp_path / "hustings.toml"
    cluster = moved_to(three_servers, laptop)
    hustings("setup", cluster)
    log = told("move", "log", laptop, cluster)
    assert log["copied"] == log["held"]
    assert log["copied"]["posts"] > 1_990
    index = told("move", "index", laptop, cluster)
    desk = told("move", "desk", laptop, cluster)
    assert desk["rows"]["alerts"] > 3
    assert told("index", "verify", cluster)["sound"]
    before, after = told("status", laptop), told("status", cluster)
    assert after["books"] == before["books"]
    assert index["books"] == {name: before["books"][name] for name in index["books"]}
    assert after["books"]["balanced"]
    assert hustings("audit", "verify", cluster)
