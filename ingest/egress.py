"""The egress guard: the one way out to the network, for sources and webhooks alike.

Every name is resolved once per hop, every address of the answer is judged (`ingest.addresses`), and the connection
goes to a judged address, with the name kept for TLS and the Host header. So nothing can answer differently between
the check and the connection. Proxy settings of the environment are not read. A second wall, a firewall, is for the
operator.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, NamedTuple, cast

import httpcore
import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator

from hustings.contracts import HttpAnswer
from hustings.errors import AddressRefused, EgressDenied, Unavailable
from ingest.addresses import Address, is_loopback, refusal
from ingest.compressed import capped, decompressed

__all__ = ["EgressSettings", "GuardedEgress", "Resolver", "resolve_by_system"]

MAX_ADDRESSES = 8
"""Addresses of one name that are tried; a name with more is served by its first ones."""
READ_BYTES = 65_536

Resolver = Callable[[str, int], list[Address]]


class Origin(NamedTuple):
    """What may be reached: with TLS or without, at a host name and a port."""

    tls: bool
    host: str
    port: int


class EgressSettings(BaseModel):
    """What the guard allows beyond https to port 443 of a public address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow: tuple[str, ...] = Field(
        default=(),
        description="further origins: `http://host`, `https://host:port`, the same with ws and wss, or `host:port` for "
        "both. A loopback address is reached only where an origin here names it, as `127.0.0.1:8080`",
    )
    ca_file: Path | None = Field(
        default=None, description="certificates (PEM) to trust besides the usual ones, for an office's own authority"
    )
    user_agent: str = Field(
        default="Hustings (election monitoring)",
        max_length=200,
        description="how requests name themselves; put an address here at which server operators reach you",
    )

    @field_validator("allow")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for text in origins:
            _origins(text)
        return origins


class GuardedEgress:
    """`contracts.Egress` over real sockets. One connection per exchange: nothing outlives its check."""

    def __init__(self, settings: EgressSettings, *, resolve: Resolver | None = None) -> None:
        self._settings = settings
        self._allowed = frozenset(origin for text in settings.allow for origin in _origins(text))
        self._resolve = resolve or resolve_by_system
        self._context: ssl.SSLContext | None = None
        self._context_lock = threading.Lock()

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
        deadline = time.monotonic() + timeout_s
        transport = _GuardedTransport(self, deadline)
        defaults = {"user-agent": self._settings.user_agent, "accept-encoding": "gzip, deflate", "accept": "*/*"}
        with httpx.Client(transport=transport, trust_env=False, headers=defaults) as client:
            request = _built(client, method, url, headers, body)
            while True:
                try:
                    response = client.send(request, stream=True)
                except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
                    # the second and third: httpx reads where a redirect goes, asked to follow it or not
                    raise Unavailable(f"{request.url.host}: {_cause(error)}") from error
                with closing(response):
                    if redirects and response.next_request is not None:
                        redirects -= 1
                        request = response.next_request
                        _check_url(request.url)
                        continue
                    try:
                        return _answer(response, max_bytes=max_bytes)
                    except httpx.HTTPError as error:
                        raise Unavailable(f"{request.url.host}: broke off: {_cause(error)}") from error

    def require_open(self, url: str) -> None:
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise EgressDenied(f"not a URL: {error}") from error
        _check_url(parsed)
        tls = parsed.scheme == "https"
        origin = Origin(tls, _ascii_host(parsed.host), parsed.port or (443 if tls else 80))
        self._require_listed(origin)
        literal = _literal(origin.host)
        self._require_public(origin, [] if literal is None else [literal])

    def connect(self, host: str, port: int, *, tls: bool, timeout_s: float = 15.0) -> socket.socket:
        deadline = time.monotonic() + timeout_s
        try:
            plain = self.connected(Origin(tls, _ascii_host(host), port), deadline)
        except TimeoutError as error:
            raise Unavailable(f"{host}:{port}: {error}") from error
        plain.settimeout(timeout_s)
        if not tls:
            return plain
        try:
            return self.tls_context().wrap_socket(plain, server_hostname=host)
        except OSError as error:
            plain.close()
            raise Unavailable(f"{host}:{port}: TLS failed: {error}") from error

    def tls_context(self) -> ssl.SSLContext:
        """The context of all connections, made on first use (reading the certificates takes 20 ms)."""
        with self._context_lock:
            if self._context is None:
                context = httpx.create_ssl_context(trust_env=False)
                if self._settings.ca_file is not None:
                    context.load_verify_locations(self._settings.ca_file)
                self._context = context
            return self._context

    def connected(self, origin: Origin, deadline: float) -> socket.socket:
        """A plain socket connected to a judged address of `origin`. Addresses are tried in the resolver's order."""
        addresses = self._judged(origin, deadline)
        problems = []
        for index, address in enumerate(addresses):
            share = _left(deadline) / (len(addresses) - index)
            try:
                connection = socket.create_connection((str(address), origin.port), timeout=share)
            except OSError as error:
                problems.append(f"{address} {error}")
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        raise Unavailable(f"{origin.host}:{origin.port}: no connection: {'; '.join(problems)}")

    def _judged(self, origin: Origin, deadline: float) -> list[Address]:
        """The addresses of `origin`, all of them permitted. One bad address among good ones refuses the name: that is
        what rebinding looks like."""
        self._require_listed(origin)
        addresses = self._addresses(origin, deadline)
        self._require_public(origin, addresses)
        return addresses

    def _require_listed(self, origin: Origin) -> None:
        if origin not in self._allowed and not (origin.tls and origin.port == 443):
            shown = f"{'https' if origin.tls else 'http'}://{origin.host}:{origin.port}"
            raise EgressDenied(f"{shown}: only https on port 443 is open; list the origin under egress.allow if meant")

    def _require_public(self, origin: Origin, addresses: list[Address]) -> None:
        for address in addresses:
            why = refusal(address)
            if why and not (origin in self._allowed and is_loopback(address) and _names_loopback(origin.host)):
                denied = EgressDenied if _literal(origin.host) is not None else AddressRefused
                raise denied(f"{origin.host}:{origin.port} is {address}: refused as {why}")

    def _addresses(self, origin: Origin, deadline: float) -> list[Address]:
        """What the resolver says, asked once. It has no timeout of its own, so it is asked in a thread that may be
        left behind."""
        literal = _literal(origin.host)
        if literal is not None:
            return [literal]
        told: SimpleQueue[list[Address] | OSError] = SimpleQueue()

        def ask() -> None:
            try:
                told.put(self._resolve(origin.host, origin.port))
            except (OSError, UnicodeError) as error:
                told.put(OSError(str(error)))

        threading.Thread(target=ask, name="egress-resolve", daemon=True).start()
        try:
            answer = told.get(timeout=_left(deadline))
        except Empty:
            raise Unavailable(f"{origin.host}: the name is not resolved in time") from None
        if isinstance(answer, OSError):
            raise Unavailable(f"{origin.host}: the name does not resolve: {answer}") from answer
        if not answer:
            raise Unavailable(f"{origin.host}: the name has no address")
        return answer[:MAX_ADDRESSES]


def resolve_by_system(host: str, port: int) -> list[Address]:
    """The addresses that the system's resolver gives for `host`, in its order, without repeats. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


# ── HTTP over guarded connections ────────────────────────────────────────────────────────────────────────────────


class _GuardedTransport(httpx.BaseTransport):
    """Carries httpx requests over connections of the guard, all within one deadline."""

    def __init__(self, guard: GuardedEgress, deadline: float) -> None:
        self._guard = guard
        self._deadline = deadline

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        tls = url.scheme == "https"
        origin = httpcore.Origin(url.raw_scheme, url.raw_host, url.port or (443 if tls else 80))
        connection = httpcore.HTTPConnection(
            origin,
            ssl_context=self._guard.tls_context() if tls else None,
            network_backend=_GuardedBackend(self._guard, tls, self._deadline),
        )
        target = httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=url.raw_path)
        try:
            answer = connection.handle_request(
                httpcore.Request(request.method, target, headers=request.headers.raw, content=request.stream)
            )
        except BaseException as error:
            connection.close()
            if isinstance(error, _TRANSPORT_ERRORS):
                raise httpx.TransportError(_cause(error)) from error
            raise
        body = _Body(cast("Iterable[bytes]", answer.stream), connection)
        return httpx.Response(answer.status, headers=answer.headers, stream=body)


class _Body(httpx.SyncByteStream):
    """The body as it arrives; closing it closes the connection."""

    def __init__(self, stream: Iterable[bytes], connection: httpcore.HTTPConnection) -> None:
        self._stream = stream
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except _TRANSPORT_ERRORS as error:
            raise httpx.TransportError(_cause(error)) from error

    def close(self) -> None:
        self._connection.close()


class _GuardedBackend(httpcore.NetworkBackend):
    """Gives httpcore connections of the guard, and nothing else."""

    def __init__(self, guard: GuardedEgress, tls: bool, deadline: float) -> None:
        self._guard = guard
        self._tls = tls
        self._deadline = deadline

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        origin = Origin(self._tls, _ascii_host(host), port)
        return _DeadlineStream(self._guard.connected(origin, self._deadline), self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    """A socket all of whose operations share one deadline, however few bytes a second the other side sends."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._socket.settimeout(_left(self._deadline))
        try:
            self._socket.sendall(buffer)
        except OSError as error:  # httpcore then still reads an early answer, such as 413
            raise httpcore.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._socket.settimeout(_left(self._deadline))
        try:
            return _DeadlineStream(
                ssl_context.wrap_socket(self._socket, server_hostname=server_hostname), self._deadline
            )
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        self._socket.close()


_TRANSPORT_ERRORS = (OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


def _built(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
) -> httpx.Request:
    try:
        request = client.build_request(method, url, headers=headers, content=body)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise EgressDenied(f"not a URL: {error}") from error
    _check_url(request.url)
    return request


def _check_url(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host:
        raise EgressDenied(f"{url.host or 'no host'}: scheme {url.scheme!r}; known are https and, where listed, http")
    if url.userinfo:
        raise EgressDenied(f"{url.host}: credentials in the address are refused")


def _answer(response: httpx.Response, *, max_bytes: int) -> HttpAnswer:
    if max_bytes == 0:
        with suppress(httpx.HTTPError):
            # One read: some servers stop their work when the other side hangs up while they still write.
            next(response.iter_raw(READ_BYTES), b"")
        return HttpAnswer(response.status_code, dict(response.headers), b"", str(response.url))
    what = f"answer of {response.url.host}"
    encoding = response.headers.get("content-encoding", "").strip().lower()
    sent = capped(response.iter_raw(READ_BYTES), max_bytes=max_bytes, what=what)
    unfolded = decompressed(sent, encoding, what=what)
    body = b"".join(capped(unfolded, max_bytes=max_bytes, what=what))
    return HttpAnswer(response.status_code, dict(response.headers), body, str(response.url))


# ── names and time ───────────────────────────────────────────────────────────────────────────────────────────────


def _origins(text: str) -> list[Origin]:
    """The origins that an operator's text allows; `host:port` means with and without TLS. Raises `ValueError` that
    says how it should look."""
    given = [text] if "://" in text else [f"http://{text}", f"https://{text}"]
    found = []
    for each in given:
        try:
            url = httpx.URL(each)
        except httpx.InvalidURL as error:
            raise ValueError(f"{text!r} is not an origin: {error}") from error
        known = url.scheme in ("http", "https", "ws", "wss") and url.host and not url.userinfo and url.raw_path == b"/"
        if not known or (each != text and url.port is None):
            raise ValueError(f"{text!r} is not an origin such as 'http://host', 'https://host:8443' or 'host:8443'")
        tls = url.scheme in ("https", "wss")
        found.append(Origin(tls, url.raw_host.decode(), url.port or (443 if tls else 80)))
    return found


def _ascii_host(host: str) -> str:
    """The name as it goes to the resolver: lower case, punycode."""
    try:
        return httpx.URL(scheme="https", host=host).raw_host.decode()
    except (httpx.InvalidURL, UnicodeError) as error:
        raise EgressDenied(f"{host!r} is not a host name: {error}") from error


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _names_loopback(host: str) -> bool:
    address = _literal(host)
    return host == "localhost" or (address is not None and is_loopback(address))


def _left(deadline: float) -> float:
    """Seconds until `deadline`. Raises `TimeoutError` when it has passed: a socket timeout of 0 would mean "never
    wait"."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the exchange took longer than allowed")
    return left


def _cause(error: BaseException) -> str:
    return str(error) or type(error).__name__
