"""Where and when something was measured: the line without which a number means nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["ROOT", "commit", "machine", "now"]

ROOT = Path(__file__).parent.parent


def machine() -> str:
    """Cores that this process may use, their model, memory, Python and system."""
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_model()}), {_memory_gb()} GB, "
        f"Python {platform.python_version()}, {platform.system()}"
    )


def commit() -> str:
    """The checkout's commit, and whether it was changed since."""
    return _git("rev-parse", "--short", "HEAD") + (" with uncommitted changes" if _git("status", "--porcelain") else "")


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def _model() -> str:
    names = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    return next((name.strip() for key, _, name in names if key.strip() == "model name"), platform.machine())


def _memory_gb() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("MemTotal")).split()[1]) // 1_000_000


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
