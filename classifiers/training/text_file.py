"""A file of text as people have it: plain or gzip, with or without a byte order mark, or standard input (`-`)."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from hustings.errors import ConfigError

__all__ = ["STANDARD_INPUT", "lines_of", "read_text", "told"]

STANDARD_INPUT = Path("-")
_GZIP = b"\x1f\x8b"


def read_text(path: Path) -> str:
    """Its whole text. Raises `ConfigError` for a file that is none, or none of text."""
    try:
        raw = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
        return (gzip.decompress(raw) if raw.startswith(_GZIP) else raw).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{told(path)}: byte {error.start} is no UTF-8 ({error.reason}); save it as UTF-8 (in Excel: 'CSV UTF-8'), "
            "or convert it, for example with iconv -f WINDOWS-1252 -t UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigError(f"{told(path)}: cannot be read: {why}") from error


def lines_of(path: Path) -> Iterator[str]:
    """Its lines. Only what ends a line in every program does so here: a text may hold U+2028 as it is."""
    yield from io.StringIO(read_text(path), newline=None)


def told(path: Path) -> str:
    """What people call it."""
    return "standard input" if path == STANDARD_INPUT else str(path)
