"""What was erased here, noted beside the data folder, where a restore does not reach.

A backup that is put back knows nothing of what was erased after it was made, and its sources begin again where they
were. So each erasure is noted in a file of its own, by the hashes of the keys alone, as the audit chain has them. It
does not leave this machine, nor come to another, unless somebody carries it there.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from hustings.errors import StoreError
from hustings.sqlite_file import sync_folder

__all__ = ["Noted", "Notes", "note", "notes_of", "read_notes"]


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure: the marks of its posts (`ingest.erased.mark_of`), and whether captures of others went too."""

    at: datetime
    posts: list[str]
    shared: bool = False


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says; `unread` are lines that cannot be read."""

    erasures: list[Noted]
    unread: int = 0

    def marks(self, *, shared: bool) -> frozenset[str]:
        """The posts of which captures of others went too, or those of which only their own did."""
        with_others = frozenset(mark for erasure in self.erasures if erasure.shared for mark in erasure.posts)
        everything = frozenset(mark for erasure in self.erasures for mark in erasure.posts)
        return with_others if shared else everything - with_others


def notes_of(data: Path) -> Path:
    """The file of a data folder: beside it, for a restore wants the folder empty."""
    folder = Path(os.path.abspath(data))
    return folder.with_name(f"{folder.name}.erased.jsonl")


def note(data: Path, erasure: Noted) -> None:
    """Durable when it returns. Raises `StoreError` when the file cannot be written."""
    path = notes_of(data)
    # A line that a crash cut short must not spoil this one: it begins on a new line.
    line = b"\n" + msgspec.json.encode(erasure) + b"\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(line)
            file.flush()
            os.fsync(handle)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error


def read_notes(data: Path) -> Notes:
    """What was erased here; nothing where there is no file. Raises `StoreError` when the file cannot be read."""
    path = notes_of(data)
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line]
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
    erasures: list[Noted] = []
    unread = 0
    for line in lines:
        try:
            erasures.append(msgspec.json.decode(line, type=Noted))
        except (msgspec.DecodeError, UnicodeDecodeError):
            unread += 1
    return Notes(erasures=erasures, unread=unread)
