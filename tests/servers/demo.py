"""`make demo CONFIG=cluster`: the demo over a real Kafka, Elasticsearch and PostgreSQL, which are started for it on
loopback ports and ended behind it.

python -m tests.servers.demo [arguments of `hustings demo`]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from runtime.cli import main
from tests.servers.three_servers import ServerMissing, ThreeServers


def demo(arguments: list[str]) -> None:
    print("Starting three brokers, Elasticsearch and PostgreSQL (the first time they are brought, 1 GB) …", flush=True)
    try:
        with ThreeServers() as servers, tempfile.TemporaryDirectory(prefix="hustings-demo-") as folder:
            config = servers.write_config(Path(folder) / "cluster.toml")
            main(["demo", "--config", str(config), *arguments])
    except ServerMissing as missing:
        sys.exit(f"{missing}: the demo over real servers needs it; `make demo` needs none")


if __name__ == "__main__":
    demo(sys.argv[1:])
