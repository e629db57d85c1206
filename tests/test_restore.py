"""A watch worker that starts with no memory rebuilds its open groups. How long that takes: `bench.bench_restore`."""

from __future__ import annotations

from pathlib import Path

from bench.bench_restore import restore_seconds


def test_a_thousand_open_groups_are_rebuilt_with_their_hits(tmp_path: Path) -> None:
    found = restore_seconds(tmp_path, groups=1_000, hits_each=3)
    assert (found.open_alerts, found.hits) == (1_000, 3_000)
