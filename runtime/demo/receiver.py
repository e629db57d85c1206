"""The demo's partner: a webhook receiver on loopback that checks signatures and remembers what it got."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from alerts.channels.webhook import signatures

__all__ = ["Received", "Receiver"]

MAX_BYTES = 1_000_000


class Received(NamedTuple):
    """One accepted delivery; `at` is `time.time()`."""

    id: str
    body: bytes
    at: float


class Receiver:
    """Listens on a free loopback port from construction on."""

    def __init__(self, *, port: int = 0) -> None:
        self.received: list[Received] = []
        self.refused = 0
        self.secret = ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("content-length", 0)), MAX_BYTES))
                status = receiver.take(
                    self.headers.get("webhook-id", ""),
                    self.headers.get("webhook-timestamp", ""),
                    self.headers.get("webhook-signature", ""),
                    body,
                )
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="demo-receiver")
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def distinct(self) -> int:
        """How many different messages came; a repeat carries the same id."""
        return len({received.id for received in self.received})

    def take(self, identity: str, timestamp: str, signature: str, body: bytes) -> int:
        """The HTTP status for one delivery: 204 when its signature is right."""
        if not timestamp.isdigit() or signature != signatures([self.secret], identity, int(timestamp), body):
            self.refused += 1
            return 401
        self.received.append(Received(identity, body, time.time()))
        return 204

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
