"""A proxy before a real server that can do what real networks and overloaded servers do: refuse a request, lose it on
its way, or lose its answer. A function says for each request what happens to it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import httpx

__all__ = ["Fault", "FaultingProxy", "Passing", "Refusal", "is_bulk", "meanwhile"]


class Passing(NamedTuple):
    """A request on its way. `path` has no query string."""

    method: str
    path: str
    body: bytes


class Refusal(NamedTuple):
    """An answer given in the server's place."""

    status: int
    body: bytes = b"{}"


Fault = Refusal | Literal["lost", "answer lost"] | None
"""What happens to a request: refused, never arrives, arrives but its answer does not, or (None) nothing."""

DROPPED = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding", "content-encoding")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed before it had its answer is no trouble of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class FaultingProxy:
    """`with FaultingProxy(node.server, fault) as proxy:` serves on a free port of loopback until the block ends."""

    def __init__(self, server: str, fault: Callable[[Passing], Fault]) -> None:
        self._to = server
        self.fault = fault

    @property
    def server(self) -> str:
        """The address, as clients want it."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._pass_on()

            do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that the base class calls

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                fault = outer.fault(Passing(self.command, self.path.partition("?")[0], body))
                if fault == "lost":
                    self.close_connection = True
                    return
                if isinstance(fault, Refusal):
                    kind = "text/html" if fault.body.startswith(b"<") else "application/json"
                    headers = {"content-type": kind, "x-elastic-product": "Elasticsearch"}
                    self._answer(fault.status, headers, fault.body)
                    return
                headers = {name: value for name, value in self.headers.items() if name.lower() not in DROPPED}
                url = outer._to + self.path
                found = outer._client.request(self.command, url, headers=headers, content=body)
                if fault == "answer lost":
                    self.close_connection = True
                    return
                kept = {name: value for name, value in found.headers.items() if name.lower() not in DROPPED}
                self._answer(found.status_code, kept, found.content)

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests print nothing."""

        self._client = httpx.Client(timeout=60)
        self._http = _Server(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._client.close()


def meanwhile(on: Callable[[Passing], bool], action: Callable[[], None]) -> Callable[[Passing], Fault]:
    """Do something while the first such request is on its way."""
    waiting = [action]

    def fault(passing: Passing) -> Fault:
        if waiting and on(passing):
            waiting.pop()()
        return None

    return fault


def is_bulk(passing: Passing, what: bytes) -> bool:
    return passing.path == "/_bulk" and what in passing.body
