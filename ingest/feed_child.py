"""Reads feeds in a child process, so that a document can take neither our time nor our memory.

The child reads frames from its standard input and answers on it: a socket. A frame is eight bytes of length and that
many bytes; an empty one says that the child has started. It may use 1 GB of memory; the parent ends it when an answer
takes too long, and starts another.
"""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import time
from types import TracebackType

import msgspec
from msgspec import Struct

from hustings.errors import BadInput, DeadReason, Unavailable
from ingest.feed_reading import FeedDocument, read_feed

__all__ = ["PARSE_S", "FeedChild"]

MEMORY_BYTES = 1 << 30
PARSE_S = 10.0
"""Longest that one document may take. The slowest of feedparser's own 2,107 test feeds takes 0.1 s."""
START_S = 10.0
"""Longest that the child may take to start. It takes about half a second where the machine has time for it."""
STARTED = b""


class Question(Struct, frozen=True, kw_only=True):
    body: bytes
    content_type: str


class Answer(Struct, frozen=True, kw_only=True):
    document: FeedDocument | None = None
    reason: DeadReason | None = None
    detail: str = ""


class FeedChild:
    """Starts the child when it is first needed; `close` ends it."""

    def __init__(self, *, parse_s: float = PARSE_S, start_s: float = START_S) -> None:
        self._parse_s = parse_s
        self._start_s = start_s
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def read(self, body: bytes, content_type: str) -> FeedDocument:
        """Like `read_feed`; also raises `BadInput` when that takes too long or too much memory, and `Unavailable` when
        the child does not start in time, which says nothing of the document."""
        connection = self._started()
        deadline = time.monotonic() + self._parse_s
        try:
            _send(connection, msgspec.msgpack.encode(Question(body=body, content_type=content_type)), deadline)
            raw = _receive(connection, deadline)
        except TimeoutError:
            self.close()
            raise BadInput("undecodable", f"reading the feed takes longer than {self._parse_s:g} s") from None
        except OSError as error:
            self.close()
            raise BadInput("undecodable", "reading the feed takes too much memory or breaks the parser") from error
        answer = msgspec.msgpack.decode(raw, type=Answer)
        if answer.document is None:
            raise BadInput(answer.reason or "undecodable", answer.detail)
        return answer.document

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> FeedChild:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> socket.socket:
        if self._socket is not None:
            return self._socket
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "ingest.feed_child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
            )
        except OSError as error:
            ours.close()
            raise Unavailable(f"the process that reads feeds does not start: {error}") from error
        finally:
            theirs.close()
        self._socket = ours
        try:
            _receive(ours, time.monotonic() + self._start_s)
        except OSError as error:
            self.close()
            late = f"takes longer than {self._start_s:.3g} s to start"
            why = late if isinstance(error, TimeoutError) else "ended while it started"
            raise Unavailable(f"the process that reads feeds {why}") from error
        return ours


def main() -> None:
    """The child: answer until the parent hangs up."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=sys.stdin.fileno()) as connection:
        _send(connection, STARTED, None)
        while True:
            try:
                raw = _receive(connection, None)
            except ConnectionError:
                return
            _send(connection, msgspec.msgpack.encode(_answer(raw)), None)


def _answer(raw: bytes) -> Answer:
    question = msgspec.msgpack.decode(raw, type=Question)
    try:
        return Answer(document=read_feed(question.body, question.content_type))
    except BadInput as error:
        return Answer(reason=error.reason, detail=error.detail)
    except MemoryError:
        return Answer(reason="too_large", detail="reading the feed takes too much memory")
    except Exception as error:  # whatever a parser raises on this document is the document's fault here
        return Answer(reason="undecodable", detail=f"{type(error).__name__}: {error}"[:300])


def _send(connection: socket.socket, raw: bytes, deadline: float | None) -> None:
    _set_timeout(connection, deadline)
    connection.sendall(len(raw).to_bytes(8, "big") + raw)


def _receive(connection: socket.socket, deadline: float | None) -> bytes:
    length = int.from_bytes(_receive_exactly(connection, 8, deadline), "big")
    return _receive_exactly(connection, length, deadline)


def _receive_exactly(connection: socket.socket, length: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        _set_timeout(connection, deadline)
        part = connection.recv(min(1 << 20, length - len(parts)))
        if not part:
            raise ConnectionResetError("the other side hung up")
        parts += part
    return bytes(parts)


def _set_timeout(connection: socket.socket, deadline: float | None) -> None:
    if deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)


if __name__ == "__main__":
    main()
