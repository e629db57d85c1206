"""Rows of a file that may be huge, hostile, compressed or still growing; with the place after each of them."""

from __future__ import annotations

import io
from collections import deque
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hustings.errors import BadInput
from ingest.compressed import decompressed

__all__ = ["Row", "RowReader", "open_bytes"]

MAX_QUOTED_LINES = 1_000
"""Lines of one CSV row; a quote that nobody closes must not swallow the rest of the table."""
_STEP = 65_536


class Row(NamedTuple):
    """The bytes of one row without the line end, and the offset after it. With `problem` it cannot be used; then
    `raw` is what there is, at most the allowed number of bytes."""

    raw: bytes
    end: int
    problem: BadInput | None = None


class _Line(NamedTuple):
    raw: bytes
    end: int
    is_whole: bool
    is_cut: bool


class RowReader:
    """Reads rows from `file`, which stands at offset `offset` of the (decompressed) content.

    With `quoted` a row goes on over line ends inside double quotes, as in CSV. With `growing` a row that has no end
    yet is left for later.
    """

    def __init__(self, file: BinaryIO, *, offset: int, quoted: bool, growing: bool, max_bytes: int) -> None:
        self.offset = offset
        self._file = file
        self._read_to = offset
        self._quoted = quoted
        self._growing = growing
        self._max_bytes = max_bytes
        self._pending: deque[_Line] = deque()
        self.has_more = False
        """Whether the last `next_row` left a row that has no end yet."""

    def next_row(self) -> Row | None:
        """The next row, None at the end (of what is there now)."""
        first = self._next_line()
        if first is None or (self._growing and not first.is_whole):
            self._leave_for_later()
            return None
        if first.is_cut:
            return self._took(first, BadInput("too_large", f"the row is longer than {self._max_bytes} bytes"))
        if not self._quoted or _is_balanced(first.raw):
            return self._took(first)
        return self._rest_of_quoted(first)

    def skip_to(self, offset: int) -> None:
        """Go forward to `offset`, which is the start of a row."""
        if isinstance(self._file, io.BufferedReader) and isinstance(self._file.raw, _Chunks):
            while self._read_to < offset and (passed := self._file.read(min(_STEP, offset - self._read_to))):
                self._read_to += len(passed)
        else:
            self._read_to = self._file.seek(offset)
        self.offset = self._read_to
        self._pending.clear()

    def close(self) -> None:
        self._file.close()

    def _rest_of_quoted(self, first: _Line) -> Row | None:
        """A row whose first line leaves a quote open."""
        held = [first]
        size = len(first.raw)
        while len(held) < MAX_QUOTED_LINES and size <= self._max_bytes:
            line = self._next_line()
            if line is None or (self._growing and not line.is_whole):
                if self._growing:
                    self._leave_for_later()
                    return None
                break
            held.append(line)
            size += len(line.raw)
            if not _is_balanced(line.raw) and not line.is_cut:
                self.offset = line.end
                return Row(_without_end(b"".join(part.raw for part in held)), line.end)
        self._pending.extendleft(reversed(held[1:]))
        return self._took(first, BadInput("undecodable", "a quote is opened and not closed"))

    def _took(self, line: _Line, problem: BadInput | None = None) -> Row:
        self.offset = line.end
        return Row(_without_end(line.raw), line.end, problem)

    def _leave_for_later(self) -> None:
        if self._growing:
            self.has_more = self._read_to > self.offset
            self._read_to = self._file.seek(self.offset)
            self._pending.clear()

    def _next_line(self) -> _Line | None:
        if self._pending:
            return self._pending.popleft()
        raw = self._file.readline(self._max_bytes + 1)
        if not raw:
            return None
        self._read_to += len(raw)
        is_cut, is_whole = len(raw) > self._max_bytes, raw.endswith(b"\n")
        while is_cut and not is_whole and (rest := self._file.readline(_STEP)):
            self._read_to += len(rest)
            is_whole = rest.endswith(b"\n")
        return _Line(raw, self._read_to, is_whole, is_cut)


def open_bytes(path: Path) -> BinaryIO:
    """The content of `path`; gunzipped, within the ratio cap, when its name ends in `.gz`. Raises `OSError`, and
    while reading `BadInput` when it is a bomb or broken."""
    file = path.open("rb")
    return io.BufferedReader(_Chunks(file, path.name), _STEP) if path.suffix == ".gz" else file


class _Chunks(io.RawIOBase):
    """A gzip file as a readable stream."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._chunks = decompressed(iter(lambda: file.read(_STEP), b""), "gzip", what=name)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed wants any writable buffer
        if not self._rest:
            self._rest = next(self._chunks, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_balanced(raw: bytes) -> bool:
    return raw.count(b'"') % 2 == 0


def _without_end(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")
