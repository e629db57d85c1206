"""Files that nobody vouches for yet: read without following links, waiting on pipes, or reading too much."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path

from hustings.errors import ModelError

__all__ = ["check_plain_folder", "read_plain", "unpack"]


def read_plain(path: Path, *, limit: int, holds: str) -> bytes:
    """All bytes of a plain file, at most `limit`. Raises `ModelError` for a link, a device, a pipe, a folder, a longer
    file, and one that is not there; `holds` says in the error what was looked for."""
    try:
        # NOFOLLOW: a link could lead anywhere. NONBLOCK: opening a pipe would wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise ModelError(f"{path}: is a link; a model folder holds plain files") from error
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {holds}") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{path}: is {_kind(found.st_mode)}; a model folder holds plain files")
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise ModelError(f"{path}: longer than {limit} bytes; {holds}")
    return raw


def unpack(packed: bytes, *, size: int, where: str, holds: str = "bytes") -> bytes:
    """The `size` bytes of a zlib stream; never makes more than one beyond them. Raises `ModelError` when it is none, or
    holds fewer or more; `where` and `holds` say in the error which file it is and what was to be in it."""
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise ModelError(f"{where} is not a zlib stream ({error})") from error
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise ModelError(f"{where} must hold exactly {size} {holds}; found {len(raw)} or more")
    return raw


def check_plain_folder(folder: Path, *, declared: frozenset[str]) -> None:
    """Raises `ModelError` when the folder is a link, or holds anything but plain files of the `declared` names."""
    if folder.is_symlink():
        raise ModelError(f"{folder}: is a link; a model is a folder of its own")
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        mode = entry.stat(follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            raise ModelError(f"{folder / entry.name}: is {_kind(mode)}; a model folder holds plain files")
        if entry.name not in declared:
            raise ModelError(
                f"{folder / entry.name}: the manifest does not name this file; it names {', '.join(sorted(declared))}"
            )


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "a device"
