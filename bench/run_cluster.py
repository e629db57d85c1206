"""The benches over real servers, in one run: into bench/RESULTS_CLUSTER.md, the capacity figures and docs/capacity.md.

make bench CLUSTER=1     # or: python -m bench.run_cluster [--posts 5000 --rounds 1 --groups 1000 --dry]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.circumstances import ROOT, commit, machine, now
from bench.cluster.measure import measure
from bench.cluster.report import figures, report
from bench.cluster.servers import running
from bench.cluster.storm import GROUPS
from bench.cluster.world import World
from runtime.capacity.measured import write_measured
from runtime.demo.generate import DEFAULT_POSTS
from tests.servers.elastic_node import ElasticMissing
from tests.servers.kafka_cluster import KafkaMissing
from tests.servers.postgres_server import PostgresMissing

RESULTS = ROOT / "bench" / "RESULTS_CLUSTER.md"
PAGE = ROOT / "docs" / "capacity.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=DEFAULT_POSTS, help="size of the election")
    parser.add_argument("--rounds", type=int, default=3, help="of each pair")
    parser.add_argument("--groups", type=int, default=GROUPS, help="open groups that watch restores")
    parser.add_argument("--latency-seconds", type=float, default=10.0, help="at each rate")
    parser.add_argument("--dry", action="store_true", help="print the results and write no file")
    given = parser.parse_args()
    about = {"when": now(), "commit": commit(), "machine": machine()}
    try:
        # Not below a folder of the user's own: the servers' accounts must reach what is theirs in it.
        with tempfile.TemporaryDirectory(prefix="hustings-bench-") as temporary, running(Path(temporary)) as servers:
            world = World(servers, Path(temporary) / "worlds", posts=given.posts)
            found = measure(world, rounds=given.rounds, groups=given.groups, latency_s=given.latency_seconds)
    except (ElasticMissing, KafkaMissing, PostgresMissing) as missing:
        sys.exit(f"the benches over servers need what is missing here: {missing}")
    text = report(found, **about)
    print(text)
    if given.dry:
        return
    RESULTS.write_text(text)
    write_measured(figures(found, **about))
    # A process of its own, which reads what was written.
    command = [sys.executable, "-P", "-m", "runtime.cli", "capacity", "--page"]
    PAGE.write_text(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
