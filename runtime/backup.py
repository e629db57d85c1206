"""A copy of the embedded stores that can be trusted, taken while the loops run.

The order makes the copy heal itself. What is copied first is oldest: the positions that readers committed, then the
desk, then the index, then the log, then evidence and keys. So a restored deployment never believes to have done what
one of its stores does not hold: it begins at the old positions and does the rest again with the same ids, its index
holds every hit that an alert of its desk rests on, and its log every post that its index and its cursors know.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from hustings.clock import Clock, rfc3339
from hustings.errors import StoreError
from hustings.sqlite_file import connect, sync_folder, translated

__all__ = ["File", "Manifest", "back_up", "restore", "verify"]

MANIFEST = "manifest.json"
SQLITE_MAGIC = b"SQLite format 3\x00"
REGISTER = Path("log/log.db")
"""Where the log keeps the positions of its readers."""


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

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files)


def back_up(
    data: Path, to: Path, *, deployment: str, clock: Clock, tell: Callable[[File], None] = lambda file: None
) -> Manifest:
    """Copy `data` into the new or empty folder `to`, then read every file back. `tell` hears of each file that was
    copied. Raises `StoreError`, or `Unavailable` when the disk is full; a copy that was not finished has no manifest
    and is never restored."""
    if not data.is_dir():
        raise StoreError(f"{data}: no such data folder; nothing to back up")
    if to.resolve().is_relative_to(data.resolve()):
        raise StoreError(f"{to}: lies inside the data folder {data}; name a folder elsewhere")
    with translated(to):
        _require_empty(to)
        at = rfc3339(clock.now())
        files = []
        for stage in range(_STAGES):
            for copied in _copy_stage(data, to / "data", stage):
                files.append(copied)
                tell(copied)
        manifest = Manifest(deployment=deployment, at=at, files=files)
        _write_durably(to / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    verify(to)
    return manifest


def verify(copy: Path) -> Manifest:
    """Check every file of a copy against its manifest, and every database for integrity. Raises `StoreError` that
    names every file that is not as it was backed up."""
    manifest = _manifest(copy)
    with translated(copy):
        problems = [problem for file in manifest.files if (problem := _problem(copy, file))]
    if problems:
        raise StoreError("\n".join(f"{copy}: {problem}" for problem in problems))
    return manifest


def restore(copy: Path, data: Path) -> Manifest:
    """Put a verified copy where the data folder was; refuses a folder that holds something. Raises `StoreError`, or
    `Unavailable` when the disk is full; the folder is left empty then."""
    manifest = verify(copy)
    with translated(data):
        _require_empty(data)
        try:
            for file in manifest.files:
                target = _inside(data, file.path)
                _make_folders(target.parent, within=data)
                _copy_plain(_inside(copy / "data", file.path), target)
                target.chmod(file.mode)
                _sync(target)
                if _sha256(target) != file.sha256:
                    raise StoreError(f"{target}: was not written as it is in the backup; is this disk sound?")
            sync_folder(data)
        except BaseException:
            for left in data.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            raise
    return manifest


# ── copying ──────────────────────────────────────────────────────────────────────────────────────────────────────

_STAGES = 5


def _stage(path: Path) -> int:
    """When a file of the data folder is copied."""
    if path == REGISTER:
        return 0
    return {"desk": 1, "index": 2, "log": 3}.get(path.parts[0].partition(".")[0], 4)


def _copy_stage(data: Path, to: Path, stage: int) -> Iterator[File]:
    """Copy one stage. The folder is listed only now: a segment that was begun meanwhile belongs to it."""
    for source in sorted(_files(data, copy=to.parent)):
        relative = source.relative_to(data)
        if _stage(relative) != stage:
            continue
        target = to / relative
        _make_folders(target.parent, within=to.parent)
        try:
            mode = source.stat().st_mode & 0o777
            if _is_sqlite(source):
                _copy_sqlite(source, target)
            else:
                _copy_plain(source, target)
        except (FileNotFoundError, StoreError):
            if not source.exists():
                continue  # a segment that retention dropped meanwhile
            raise
        target.chmod(mode)
        _sync(target)
        yield File(path=relative.as_posix(), bytes=target.stat().st_size, sha256=_sha256(target), mode=mode)


def _files(data: Path, *, copy: Path) -> Iterator[Path]:
    """Every file that stays, also in folders on another disk to which a link leads. Raises `StoreError` for a link that
    leads nowhere, into the copy or round in a circle, and `OSError` for a folder that this user may not read: nothing
    is left out in silence."""
    seen = {copy.resolve()}
    for folder, _, names in os.walk(data, followlinks=True, onerror=_raise_unless_gone):
        real = Path(folder).resolve()
        if real in seen:
            raise StoreError(f"{folder}: a link leads to {real}, which is the copy itself or is copied already")
        seen.add(real)
        for name in names:
            path = Path(folder, name)
            if path.is_symlink() and not path.exists():
                raise StoreError(f"{path}: is a link to {path.readlink()}, which is not there; is its disk mounted?")
            if path.is_file() and not _is_passing(name):
                yield path


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_passing(name: str) -> bool:
    """Files that exist only while something is being made: SQLite's companions, drafts, evidence being sealed."""
    return name.endswith(("-wal", "-shm", "-journal", ".new", ".lock")) or ".new-" in name or name.startswith(".")


def _copy_plain(source: Path, target: Path) -> None:
    try:
        shutil.copy2(source, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):  # it names the source, but the disk of the target is full
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online copy: a consistent snapshot while others write."""
    with translated(source):
        old = connect(source)
    with closing(old), translated(target), closing(sqlite3.connect(target)) as new:
        old.backup(new)


# ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _manifest(copy: Path) -> Manifest:
    try:
        return msgspec.json.decode((copy / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{copy}: no {MANIFEST}: not a backup, or one that did not finish") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{copy / MANIFEST}: unreadable: {error}") from error
    except OSError as error:
        raise StoreError(f"{copy / MANIFEST}: cannot be read: {error.strerror}") from error


def _problem(copy: Path, file: File) -> str:
    """What is wrong with one file of the copy, or nothing."""
    path = _inside(copy / "data", file.path)
    if not path.is_file():
        return f"{file.path} is missing"
    if _sha256(path) != file.sha256:
        return f"{file.path} is not what was backed up: its SHA-256 differs"
    if _is_sqlite(path):
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            return f"{file.path}: integrity check says {answer!r}"
    return ""


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder}: already holds something; name a new or empty folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _inside(folder: Path, relative: str) -> Path:
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{relative!r} leads out of the backup")
    return path


def _make_folders(folder: Path, *, within: Path) -> None:
    """Folders for this user alone: some of them hold keys and evidence."""
    if folder != within and not folder.exists():
        _make_folders(folder.parent, within=within)
        folder.mkdir(mode=0o700)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _write_durably(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)
    sync_folder(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
