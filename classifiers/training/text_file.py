"""A file of text as people have it: plain or gzip, with or without a byte order mark, or standard input (`-`)."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hustings.errors import ConfigError

__all__ = ["MOST_BYTES", "STANDARD_INPUT", "lines_of", "read_text", "told"]

STANDARD_INPUT = Path("-")
MOST_BYTES = 4_000_000_000
"""Of one text, unpacked: all of it is held in memory."""
_GZIP = b"\x1f\x8b"
_STEP = 1 << 20


def read_text(path: Path, *, most_bytes: int = MOST_BYTES) -> str:
    """Its whole text. Raises `ConfigError` for a file that is none, or none of text, and for one of more than
    `most_bytes`, packed or unpacked."""
    try:
        if path == STANDARD_INPUT:
            raw = _unpacked(sys.stdin.buffer, path, most_bytes)
        else:
            with path.open("rb") as file:
                raw = _unpacked(file, path, most_bytes)
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_utf_16 = raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        found = "is UTF-16" if is_utf_16 else f"byte {error.start} is no UTF-8 ({error.reason})"
        raise ConfigError(
            f"{told(path)}: {found}; save it as UTF-8 (in Excel: 'CSV UTF-8'), or convert it, for example with "
            f"iconv -f {'UTF-16' if is_utf_16 else 'WINDOWS-1252'} -t UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"{told(path)}: cannot be read: {why}") from error


def lines_of(path: Path) -> Iterator[str]:
    """Its lines. Only what ends a line in every program does so here: a text may hold U+2028 as it is."""
    yield from io.StringIO(read_text(path), newline=None)


def _unpacked(file: BinaryIO, path: Path, most_bytes: int) -> bytearray:
    raw = _at_most(file, path, most_bytes)
    return _at_most(gzip.GzipFile(fileobj=io.BytesIO(raw)), path, most_bytes) if raw.startswith(_GZIP) else raw


def _at_most(file: BinaryIO | gzip.GzipFile, path: Path, most_bytes: int) -> bytearray:
    """Never makes much more than that: a small gzip file may unfold to a thousand times its size."""
    raw = bytearray()
    while part := file.read(_STEP):
        raw += part
        if len(raw) > most_bytes:
            raise ConfigError(f"{told(path)}: holds more than {most_bytes:,} bytes, the most that is read; split it")
    return raw


def told(path: Path) -> str:
    """What people call it."""
    return "standard input" if path == STANDARD_INPUT else str(path)
