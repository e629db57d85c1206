"""A file that grows by one JSON line per message: for archives, radio desks, and other programs on the machine."""

from __future__ import annotations

import fcntl
import os
import time
from datetime import datetime
from pathlib import Path

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from hustings.clock import rfc3339
from hustings.contracts import Delivery, Egress, Message

__all__ = ["FileChannel"]

LOCK_WAIT_S = 5.0
"""How long somebody else may hold the file before the attempt is given up; an attempt has 15 s."""
LOOK_EVERY_S = 0.02


class FileChannel:
    """Appends under a file lock and returns after the line is on disk. A message whose id the file holds already is not
    written again, whoever wrote it; half a line that a crash left behind is cut off."""

    class Settings(BaseModel):
        """Settings of a file channel."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        path: Path = Field(description="the file; its folder is made if need be")

    def __init__(self, name: str, settings: Settings, *, egress: Egress) -> None:
        self.name = name
        self._path = settings.path
        self._seen: set[str] = set()
        self._read_to = 0

    def send(self, message: Message, *, now: datetime) -> Delivery:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if not _locked(descriptor):
                    return Delivery(result="retry", detail="another program holds the file's lock")
                self._catch_up(descriptor)
                if message.id in self._seen:
                    return Delivery(result="delivered", detail="the file holds it already")
                self._append(descriptor, _line(message, now))
                self._seen.add(message.id)
            finally:
                os.close(descriptor)
        except OSError as error:
            return Delivery(result="retry", detail=f"the file cannot be written: {error.strerror}")
        return Delivery(result="delivered", detail="written")

    def close(self) -> None:
        self._seen.clear()
        self._read_to = 0

    def _catch_up(self, descriptor: int) -> None:
        """Learn the ids that stand in the file since this object looked last; cut off a torn last line."""
        size = os.fstat(descriptor).st_size
        if size < self._read_to:  # the file was rotated or emptied
            self._seen.clear()
            self._read_to = 0
        with os.fdopen(os.dup(descriptor), "rb") as lines:
            lines.seek(self._read_to)
            for line in lines:
                if not line.endswith(b"\n"):
                    os.ftruncate(descriptor, self._read_to)
                    break
                self._seen.add(_id_of(line))
                self._read_to += len(line)

    def _append(self, descriptor: int, line: bytes) -> None:
        os.lseek(descriptor, self._read_to, os.SEEK_SET)
        written = 0
        while written < len(line):
            written += os.write(descriptor, line[written:])
        os.fsync(descriptor)
        self._read_to += len(line)


def _locked(descriptor: int) -> bool:
    """Take the file's lock, which ends with the descriptor; False when somebody else keeps it for too long."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_EVERY_S)
        else:
            return True


class _Line(msgspec.Struct):
    id: str = ""


_read_id = msgspec.json.Decoder(_Line)


def _id_of(line: bytes) -> str:
    """Of a line that this channel wrote; nothing for what else may stand in the file."""
    try:
        return _read_id.decode(line).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _line(message: Message, now: datetime) -> bytes:
    return (
        msgspec.json.encode(
            {
                "id": message.id,
                "partner": message.partner,
                "alert": message.alert,
                "kind": message.kind,
                "tlp": message.tlp,
                "title": message.title,
                "text": message.text,
                "body": msgspec.json.decode(message.body),
                "written_at": rfc3339(now),
            }
        )
        + b"\n"
    )
