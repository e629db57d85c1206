"""All benches in one run, recorded in bench/RESULTS.md with the machine and the commit.

make bench            # or: python bench/run.py [--only pipeline latency]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from bench.circumstances import ROOT, commit, machine, now

RESULTS = ROOT / "bench" / "RESULTS.md"
DETAILS = ("bench_text", "bench_log", "bench_index", "bench_classify", "bench_encoder")
"""Benches of one part, whose own output is quoted."""


def run(module: str) -> str:
    """Run one bench in a process of its own and return what it printed."""
    print(f"running {module} …", file=sys.stderr, flush=True)
    command = [sys.executable, "-P", "-m", f"bench.{module}"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1200, check=False)
    if result.returncode:
        sys.stderr.write(result.stderr)
        return f"FAILED with status {result.returncode}: {(result.stderr.splitlines() or ['?'])[-1]}"
    return result.stdout.rstrip()


def pipeline_section(found: dict[str, Any]) -> list[str]:
    return [
        "## The analyze loop on one pinned core",
        "",
        f"{found['posts']:,} posts of the synthetic election, batch 512, best of three rounds. "
        "Ratios are of processor time.",
        "",
        "| stage, alone | processor µs a post | wall µs a post |",
        "|---|---|---|",
        *(f"| {name} | {us['cpu']:.1f} | {us['wall']:.1f} |" for name, us in found["stages_us"].items()),
        "| **sum of the bare stages** | **{cpu:.1f}** | **{wall:.1f}** |".format(**found["sum_of_stages_us"]),
        "| **the whole loop** | **{cpu:.1f}** | **{wall:.1f}** |".format(**found["whole_us"]),
        "",
        "| ratio | found | goal |",
        "|---|---|---|",
        f"| whole ÷ sum of bare stages | {found['whole_to_bare']:.2f} | ≤ 1.15 |",
        f"| whole ÷ raw insert of the same posts into a SQLite table | {found['whole_to_raw_insert']:.3f} | – |",
        f"| two processes on two partitions ÷ one | {found['two_workers_to_one']} | ≥ 1.85 |",
        "",
        f"Whole: **{found['posts_per_cpu_second']:,} posts a processor second** (goal 8,500), "
        f"{found['posts_per_second']:,} a second on the wall; "
        f"raw insert: {found['raw_insert_posts_per_cpu_second']:,} posts a processor second.",
    ]


def latency_section(found: list[dict[str, Any]]) -> list[str]:
    return [
        "## From append to the partner's webhook",
        "",
        "analyze, watch and deliver as processes on this machine; a rule that names nobody; needles among the posts.",
        "",
        "| posts/s | needles | missing | p50 ms | p95 ms | p99 ms | worst ms |",
        "|---|---|---|---|---|---|---|",
        *(
            "| {rate:,} | {needles} | {missing} | {p50_ms} | {p95_ms} | {p99_ms} | {worst_ms} |".format(**row)
            for row in found
        ),
        "",
        "Goal: p99 ≤ 100 ms at 1,000 posts/s.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("pipeline", "latency", *DETAILS), help="leave the others out")
    given = parser.parse_args()
    wanted = given.only or ("pipeline", "latency", *DETAILS)
    lines = [
        "# Results",
        "",
        f"Measured {now()} at commit {commit()} on {machine()}.",
        "Made by `make bench`; ratios are side by side in one run, absolute numbers move with the machine.",
    ]
    for name in wanted:
        output = run(name)
        lines.append("")
        if name == "pipeline" and not output.startswith("FAILED"):
            lines += pipeline_section(json.loads(output))
        elif name == "latency" and not output.startswith("FAILED"):
            lines += latency_section(json.loads(output))
        else:
            lines += [f"## {name}", "", "```", output, "```"]
    text = "\n".join(lines) + "\n"
    if given.only is None:
        RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
