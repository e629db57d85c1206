"""The disk under the index, and how to fill it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

__all__ = ["Disk", "disk_for_index"]

SIZE_MB = 512
"""Enough for some elections, little to fill."""
BLOCK = bytes(1 << 20)


class Disk:
    """`folder` is where the node lies. With `is_small` its data are on a file system of their own, which is filled to
    the last byte; else the server is told that it may use a thousandth of the disk, and takes that for a full one."""

    def __init__(self, folder: Path, *, is_small: bool) -> None:
        self.folder = folder
        self.is_small = is_small

    @property
    def kind(self) -> str:
        return f"a tmpfs of {SIZE_MB} MB, filled" if self.is_small else "flood-stage watermark at 0.1 % (no tmpfs here)"

    @contextmanager
    def full(self, server: str) -> Iterator[None]:
        """Full until the block ends."""
        with self._filled() if self.is_small else self._forbidden(server):
            yield

    def prepare(self, server: str) -> None:
        """Have the node look at its disk as often as it can."""
        _settings(server, {"cluster.info.update.interval": "10s"})

    @contextmanager
    def _filled(self) -> Iterator[None]:
        filler = self.folder / "data" / "filler"
        try:
            with filler.open("wb", buffering=0) as file:
                try:
                    while file.write(BLOCK):
                        pass
                except OSError:  # no space left: as wanted
                    pass
            yield
        finally:
            filler.unlink(missing_ok=True)

    @contextmanager
    def _forbidden(self, server: str) -> Iterator[None]:
        names = [f"cluster.routing.allocation.disk.watermark.{name}" for name in ("low", "high", "flood_stage")]
        _settings(server, dict.fromkeys(names, "0.1%"))
        try:
            yield
        finally:
            _settings(server, dict.fromkeys(names))


@contextmanager
def disk_for_index() -> Iterator[Disk]:
    """A folder for the node, which anybody can reach, with a small disk for its data where the system lets us."""
    with ExitStack() as closing:
        folder = Path(tempfile.mkdtemp(prefix="hustings-drill-elastic-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs", str(data)]
        may_mount = os.getuid() == 0 and shutil.which("mount") is not None
        is_small = may_mount and subprocess.run(command, capture_output=True).returncode == 0
        if is_small:
            closing.callback(subprocess.run, ["umount", "--lazy", str(data)], capture_output=True)
        yield Disk(folder, is_small=is_small)


def _settings(server: str, values: dict[str, str | None]) -> None:
    httpx.put(f"{server}/_cluster/settings", json={"persistent": values}, timeout=30).raise_for_status()
