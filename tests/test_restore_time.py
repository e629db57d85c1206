"""A watch worker rebuilds 10,000 open groups within a minute, also on a busy machine."""

from __future__ import annotations

from pathlib import Path

from bench.bench_restore import restore_seconds


def test_ten_thousand_open_groups_are_rebuilt_within_a_minute(tmp_path: Path) -> None:
    found = restore_seconds(tmp_path, groups=10_000, hits_each=3)
    print(f"{found.hits:,} hits, {found.open_alerts:,} open alerts: {found.seconds:.1f} s")
    assert found.open_alerts == 10_000
    assert found.seconds < 60
