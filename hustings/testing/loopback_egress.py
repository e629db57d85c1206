"""A way out that leads to this machine only, for tests of sources and channels without the real guard."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from hustings.contracts import HttpAnswer
from hustings.errors import BadInput, EgressDenied, Unavailable

__all__ = ["LoopbackEgress"]

_HERE = "127.0.0.1"


class LoopbackEgress:
    """`contracts.Egress` for plain HTTP and sockets to 127.0.0.1; everything else is refused. It does not follow
    redirects and undoes no compression."""

    def request(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_s: float = 30.0,
        max_bytes: int = 20_000_000,
        redirects: int = 0,
    ) -> HttpAnswer:
        self.require_open(url)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(_HERE, parts.port or 80, timeout=timeout_s)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        try:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            content = answer.read(max_bytes + 1) if max_bytes else b""
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{_HERE}:{parts.port}: {error}") from error
        finally:
            connection.close()
        if len(content) > max_bytes:
            raise BadInput("too_large", f"the answer is larger than {max_bytes} bytes")
        return HttpAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, url)

    def require_open(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname != _HERE:
            raise EgressDenied(f"{parts.hostname}: tests reach {_HERE} by plain HTTP only")

    def connect(self, host: str, port: int, *, tls: bool, timeout_s: float = 15.0) -> socket.socket:
        if host != _HERE or tls:
            raise EgressDenied(f"{host}:{port}: tests reach {_HERE} without TLS only")
        try:
            return socket.create_connection((host, port), timeout=timeout_s)
        except OSError as error:
            raise Unavailable(f"{host}:{port}: {error}") from error
