"""`make models`: into a folder of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_it_never_writes_over_what_is_shipped_and_signed_and_says_how_to_compare_and_sign() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "models"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    commands = [line for line in done.stdout.splitlines() if line.startswith((".venv/bin/hustings", "@.venv"))]
    assert [line.split()[-1] for line in commands] == ["build/models", "build/models"]
    assert "--out classifiers/models" not in done.stdout
    for command in ("hustings model gates --all", "hustings model table", "hustings model sign build/models"):
        assert command in done.stdout
