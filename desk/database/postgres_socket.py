"""The way to a PostgreSQL server: a socket that notices when the other side is gone, and TLS as the URL asks for it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct

from sqlalchemy import URL

from hustings.errors import ConfigError

__all__ = ["TLS_KEYS", "NoTls", "connected", "tls_context"]

CONNECT_TIMEOUT_S = 10.0
"""For the connection, and for each answer until the login is done."""
TLS_REQUEST = struct.pack("!ii", 8, 80877103)
"""How a client asks for TLS before it says anything else (PostgreSQL's protocol, "SSLRequest")."""
TLS_KEYS = ("sslmode", "sslrootcert")
"""What may stand behind the `?` of the URL, with the names and meanings of PostgreSQL's own library."""
MODES = ("disable", "require", "verify-full")
KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
"""A machine that went away without a word is noticed after half a minute."""


def tls_context(url: URL) -> ssl.SSLContext | None:
    """How to encrypt; None for not at all. Without `sslmode` that is right for the same machine only: the way to
    another one is encrypted, and the server's certificate must bear its name."""
    given = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
    mode = given.get("sslmode", "disable" if _is_here(url.host or "") else "verify-full")
    if mode not in MODES:
        raise ConfigError(f"desk database: sslmode is {mode!r}; known are {', '.join(MODES)}")
    if mode == "disable":
        return None
    authority = given.get("sslrootcert")
    try:
        context = ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"desk database: sslrootcert {authority!r} cannot be read: {error}") from error
    if mode == "require":  # encrypted, but to whomever: what the name means elsewhere
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class NoTls(OSError):
    """The server does not speak TLS."""


def connected(url: URL, context: ssl.SSLContext | None) -> socket.socket:
    """A socket to the server, encrypted when there is a `context`. Raises `OSError`, of which `NoTls` is one."""
    sock = socket.create_connection((url.host, url.port or 5432), CONNECT_TIMEOUT_S)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):  # not on every system
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if context is None:
            return sock
        sock.sendall(TLS_REQUEST)
        if sock.recv(1) != b"S":
            raise NoTls("the server offers no TLS")
        return context.wrap_socket(sock, server_hostname=url.host)
    except BaseException:
        sock.close()
        raise


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
