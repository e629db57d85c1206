"""A copy of the embedded stores that can be trusted, taken while the loops run.

The order makes the copy heal itself: first the index, then the desk, then the log, then evidence and keys. A restored
deployment starts at the smaller of the log's and the index's position, so whatever the desk and the log hold beyond
the index is done again with the same ids, and nothing that the index believes is missing in a later store.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from hustings.clock import Clock, rfc3339
from hustings.errors import StoreError

__all__ = ["Manifest", "back_up", "restore", "verify"]

MANIFEST = "manifest.json"
ORDER = ("index", "desk", "log", "evidence", "keys")
"""By the first letters of the name in the data folder; anything else comes last."""
SQLITE_MAGIC = b"SQLite format 3\x00"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the copy, path relative to the data folder."""

    path: str
    bytes: int
    sha256: str
    mode: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the copy holds."""

    deployment: str
    at: str
    files: list[File]


def back_up(data: Path, to: Path, *, deployment: str, clock: Clock) -> Manifest:
    """Copy `data` into the new or empty folder `to`, then read every file back. Raises `StoreError`."""
    if not data.is_dir():
        raise StoreError(f"{data}: no such data folder; nothing to back up")
    _require_empty(to)
    at = rfc3339(clock.now())
    files = []
    for source in _in_order(data):
        target = to / "data" / source.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        if _is_sqlite(source):
            _copy_sqlite(source, target)
        else:
            shutil.copy2(source, target)
        mode = source.stat().st_mode & 0o777
        target.chmod(mode)
        relative = str(source.relative_to(data))
        files.append(File(path=relative, bytes=target.stat().st_size, sha256=_sha256(target), mode=mode))
    manifest = Manifest(deployment=deployment, at=at, files=files)
    (to / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    verify(to)
    return manifest


def verify(copy: Path) -> Manifest:
    """Check every file of a copy against its manifest, and every database for integrity. Raises `StoreError`."""
    try:
        manifest = msgspec.json.decode((copy / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise StoreError(f"{copy}: no {MANIFEST}: not a backup, or one that did not finish") from None
    except msgspec.DecodeError as error:
        raise StoreError(f"{copy / MANIFEST}: unreadable: {error}") from error
    for file in manifest.files:
        path = _inside(copy / "data", file.path)
        if not path.is_file():
            raise StoreError(f"{copy}: {file.path} is missing")
        if _sha256(path) != file.sha256:
            raise StoreError(f"{copy}: {file.path} is not what was backed up: its SHA-256 differs")
        if _is_sqlite(path):
            with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
                answer = database.execute("PRAGMA integrity_check").fetchone()[0]
            if answer != "ok":
                raise StoreError(f"{copy}: {file.path}: integrity check says {answer!r}")
    return manifest


def restore(copy: Path, data: Path) -> Manifest:
    """Put a verified copy where the data folder was; refuses a folder that holds something. Raises `StoreError`."""
    manifest = verify(copy)
    _require_empty(data)
    for file in manifest.files:
        target = _inside(data, file.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(_inside(copy / "data", file.path), target)
        target.chmod(file.mode)
    return manifest


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder}: already holds something; name a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)


def _inside(folder: Path, relative: str) -> Path:
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{relative!r} leads out of the backup")
    return path


def _in_order(data: Path) -> Iterator[Path]:
    files = [p for p in data.rglob("*") if p.is_file() and not p.name.endswith(("-wal", "-shm", "-journal"))]

    def place(path: Path) -> tuple[int, str]:
        first = path.relative_to(data).parts[0]
        rank = next((n for n, name in enumerate(ORDER) if first.startswith(name)), len(ORDER))
        return rank, str(path)

    yield from sorted(files, key=place)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online copy: a consistent snapshot while others write."""
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
