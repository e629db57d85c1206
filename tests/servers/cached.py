"""Where what was brought is kept for the next test."""

from __future__ import annotations

from pathlib import Path

__all__ = ["keep"]


def keep(made: Path, folder: Path) -> None:
    """Make the folder `made` be `folder`, unless another test brought the same meanwhile."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
