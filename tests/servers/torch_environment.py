"""A Python that has the `torch` extra: this one, or an environment of its own that is made once, in the user's cache.

PyTorch from the package index is large (5 GB on disk), and only training an encoder needs it; so it is no part of the
development environment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.servers.missing import leave_out

__all__ = ["TorchMissing", "python_with_torch", "run_with_torch"]

ROOT = Path(__file__).parent.parent.parent
WITHIN_S = 900.0


class TorchMissing(Exception):
    """There is no PyTorch and none can be had: training an encoder is not tested."""


def python_with_torch() -> Path:
    """The interpreter. The environment is made anew when the project's dependencies change."""
    if all(find_spec(module) for module in ("torch", "onnx", "onnxscript")):
        return Path(sys.executable)
    wanted = hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hustings" / "servers"
    folder = cache / f"torch-{wanted}"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise TorchMissing("torch is not installed, and neither is uv, which would bring it")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="torch-") as unfinished:
        # Not inside the checkout's .venv; the lock decides the versions. The project is there for its metadata: its
        # code is found by PYTHONPATH, so that every checkout tests its own.
        # The system's certificates, as scripts/setup.sh says too.
        certificates = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
        environment = certificates | os.environ | {"UV_PROJECT_ENVIRONMENT": unfinished}
        command = [uv, "sync", "--frozen", "--quiet", "--no-dev", "--extra", "torch"]
        command += ["--python", sys.executable]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        if done.returncode:
            raise TorchMissing(f"uv could not bring torch: {done.stderr[-500:]}")
        for older in cache.glob("torch-*"):
            if older != Path(unfinished):
                shutil.rmtree(older, ignore_errors=True)
        Path(unfinished).rename(folder)
    return python


def run_with_torch(*arguments: str, what: str) -> str:
    """What a Python with torch printed for these arguments; the checkout's own code is found first. Leaves the test of
    `what` out where there is no torch, and fails with the end of what went wrong."""
    try:
        python = python_with_torch()
    except TorchMissing as missing:
        leave_out(what, missing)
    done = subprocess.run(
        [str(python), "-P", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
