"""Keyed pseudonyms: the same person has the same name within one election, and nobody can compute it without the key.

A plain hash of a handle would be plaintext: lists of handles are public. The key lies apart from
every database, one per election; destroying it makes old pseudonyms unlinkable to anything.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
from base64 import b32encode
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from pathlib import Path

from hustings.errors import ConfigError

__all__ = ["Pseudonyms", "load_or_create_key"]

KEY_BYTES = 32
LENGTH = 24
"""Letters of a pseudonym: 120 bits, so that two people of one election never share one."""
_FORM = re.compile(rf"[A-Z2-7]{{{LENGTH}}}")


class Pseudonyms:
    """Names people who are not listed in the roster."""

    def __init__(self, key: bytes) -> None:
        self._of = lru_cache(maxsize=100_000)(lambda platform, stable_id: _pseudonym(key, platform, stable_id))

    def of(self, platform: str, stable_id: str) -> str:
        """The pseudonym of an account: 24 letters. What already has the form of one stays as it is, so that an archive
        of our own posts can be replayed."""
        if _FORM.fullmatch(stable_id):
            return stable_id
        return self._of(platform, stable_id)


def load_or_create_key(path: Path) -> bytes:
    """The key in `path`, made there (mode 0600, once) when the file does not exist. Raises `ConfigError` when others
    may read the file or it holds something else."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    return _loaded(path)


def _create(path: Path) -> None:
    """A new key, whole or not there at all, also when several processes make it at the same time."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def _loaded(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        text = file.read(KEY_BYTES * 2 + 2)
    if mode & 0o077:
        raise ConfigError(f"{path}: the pseudonym key has mode {mode:04o}, so others may read it; run chmod 600 on it")
    try:
        key = bytes.fromhex(text.decode().strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{path}: is not a pseudonym key ({KEY_BYTES * 2} hexadecimal digits); restore it from a backup"
        )
    return key


def _pseudonym(key: bytes, platform: str, stable_id: str) -> str:
    message = f"author\0{platform}\0{stable_id}".encode("utf-8", "surrogatepass")
    return b32encode(digest(key, message, sha256)).decode()[:LENGTH]
