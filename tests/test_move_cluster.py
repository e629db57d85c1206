"""docs/cluster.md, "Moving a running laptop", command by command: from files to a real Kafka, Elasticsearch and
PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.servers.missing import leave_out
from tests.servers.three_servers import DATABASE, ServerMissing, ThreeServers

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("cluster"), pytest.mark.timeout(900)]

SERVERS = """
[kafka]
servers = [{brokers}]
replication = 3
min_insync = 2

[elasticsearch]
servers = ["{elastic}"]
replicas = 0
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[ThreeServers]:
    with ExitStack() as closing:
        try:
            servers = closing.enter_context(ThreeServers())
        except ServerMissing as missing:
            leave_out("moving to real servers", missing)
        yield servers


def hustings(*arguments: str | Path) -> str:
    command = [sys.executable, "-P", "-m", "runtime.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def told(*arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hustings(*arguments, "--json").splitlines()[-1])
    return found


def moved_to(servers: ThreeServers, laptop: Path) -> Path:
    """The laptop's configuration, with the servers in it and a data folder of its own."""
    text = laptop.read_text().replace('data = "var"', 'data = "cluster-var"')
    text = text.replace("[desk]\n", f'[desk]\ndatabase_url = "{servers.postgres.url(DATABASE)}"\n')
    brokers = ", ".join(f'"{server}"' for server in servers.kafka.servers)
    path = laptop.with_name("cluster.toml")
    path.write_text(text + SERVERS.format(brokers=brokers, elastic=servers.elastic.server))
    return path


def test_a_laptop_moves_to_servers_with_one_command_a_store_and_nothing_is_lost(
    servers: ThreeServers, tmp_path: Path
) -> None:
    hustings("demo", "--exit", "--posts", "2000", "--dir", tmp_path)
    laptop = tmp_path / "hustings.toml"
    cluster = moved_to(servers, laptop)
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
