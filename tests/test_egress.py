"""The egress guard against real sockets on loopback and a resolver that we script."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hustings.errors import AddressRefused, BadInput, EgressDenied, Unavailable
from hustings.testing.local_http import LocalHttp, Reply, Request
from ingest.addresses import refusal
from ingest.egress import EgressSettings, GuardedEgress

BLOCKED = """
0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.255.0.9 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.192 192.0.2.7 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.5 224.0.0.1 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1
64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1
fd12:3456::1 fe80::1 fec0::1 ff02::1 2620:4f:8000::1
"""
OPEN = """
1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", BLOCKED.split())
def test_no_address_that_is_not_public_is_reached(address: str) -> None:
    assert refusal(ip_address(address))


@pytest.mark.parametrize("address", OPEN.split())
def test_public_addresses_are_open(address: str) -> None:
    assert refusal(ip_address(address)) == ""


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_wrapping(address: IPv4Address) -> None:
    for prefix in ("::ffff:", "64:ff9b::"):
        assert bool(refusal(ip_address(f"{prefix}{address}"))) == bool(refusal(address))


def guard(*allow: str, resolve: dict[str, list[str]] | None = None, ca_file: Path | None = None) -> GuardedEgress:
    def scripted(host: str, port: int) -> list:
        return [ip_address(text) for text in (resolve or {})[host]]

    return GuardedEgress(
        EgressSettings(allow=allow, ca_file=ca_file), resolve=scripted if resolve is not None else None
    )


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "017700000001", "0", "localhost", "127。0。0。1"]
)
def test_disguised_loopback_names_are_refused(host: str) -> None:
    with pytest.raises((EgressDenied, Unavailable)):
        guard().request("GET", f"https://{host}/", timeout_s=5)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/", "only https on port 443"),
        ("https://example.org:8443/", "only https on port 443"),
        ("ftp://example.org/", "scheme 'ftp'"),
        ("file:///etc/passwd", "no host"),
        ("https://user:secret@example.org/", "credentials"),
        ("http://good.example\\@127.0.0.1/", "credentials"),
        ("https://inside.example/", "inside.example:443 is 10.0.0.7: refused as private network 10.0.0.0/8"),
        ("https://mixed.example/", "127.0.0.1: refused as loopback"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://[::ffff:7f00:1]/", "loopback"),
        ("not a url", "scheme"),
    ],
)
def test_what_the_guard_refuses_and_says(url: str, said: str) -> None:
    names = {
        "example.org": ["93.184.216.34"],
        "inside.example": ["10.0.0.7"],
        "mixed.example": ["1.1.1.1", "127.0.0.1"],
    }
    with pytest.raises(EgressDenied) as refused:
        guard(resolve=names).request("GET", url, timeout_s=5)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
    if not isinstance(refused.value, AddressRefused):
        with pytest.raises(EgressDenied) as told:
            guard(resolve={}).require_open(url)
        assert said in str(told.value)


def test_what_may_be_open_is_not_refused_before_its_name_is_resolved() -> None:
    for url in (
        "https://example.org/hook?a=b",
        "https://inside.example/",
        "https://93.184.216.34/",
        "https://[2606:4700::1]/",
    ):
        guard(resolve={}).require_open(url)
    guard("127.0.0.1:8080").require_open("http://127.0.0.1:8080/hook")


def test_a_refused_address_is_told_apart_by_whether_a_name_led_to_it() -> None:
    names = guard(resolve={"inside.example": ["10.0.0.7"]})
    with pytest.raises(AddressRefused, match="private"):
        names.request("GET", "https://inside.example/")
    for url in ("https://10.0.0.7/", "http://inside.example/", "https://inside.example:8443/"):
        with pytest.raises(EgressDenied) as denied:
            names.request("GET", url)
        assert denied.type is EgressDenied


def test_of_a_body_that_nobody_wants_nothing_is_an_error() -> None:
    def reply(request: Request) -> Reply:
        return Reply(202, b"x" * 500_000, {"Content-Encoding": "gzip", "Retry-After": "7"})

    with LocalHttp(reply) as server:
        answer = guard(server.origin).request("POST", server.origin, body=b"{}", max_bytes=0)
    assert (answer.status, answer.headers["retry-after"], answer.body) == (202, "7", b"")


def test_loopback_is_reached_only_where_the_settings_name_host_and_port() -> None:
    with LocalHttp(lambda request: Reply(body=b"here")) as server:
        assert guard(server.origin).request("GET", f"{server.origin}/x").body == b"here"
        assert guard(f"127.0.0.1:{server.port}").request("GET", f"{server.origin}/x").body == b"here"
        with pytest.raises(EgressDenied):
            guard().request("GET", f"{server.origin}/x")
        with pytest.raises(EgressDenied):
            guard("http://127.0.0.1:1").request("GET", f"{server.origin}/x")
        listed_name = guard(f"http://feeds.example:{server.port}", resolve={"feeds.example": ["127.0.0.1"]})
        with pytest.raises(EgressDenied, match="loopback"):  # a listed public name may not turn into this machine
            listed_name.request("GET", f"http://feeds.example:{server.port}/")
        assert len(server.requests) == 2


def test_the_name_is_resolved_once_and_that_address_is_connected_to() -> None:
    asked = []

    def rebinding(host: str, port: int) -> list:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) > 1 else "192.0.2.1")]

    with LocalHttp(lambda request: Reply(body=b"inside")) as server:
        egress = GuardedEgress(EgressSettings(allow=(f"http://rebind.example:{server.port}",)), resolve=rebinding)
        with pytest.raises(EgressDenied):
            egress.request("GET", f"http://rebind.example:{server.port}/")
        assert asked == ["rebind.example"]
        assert not server.requests


def test_the_host_header_and_the_body_arrive() -> None:
    with LocalHttp(lambda request: Reply(201, b"ok", {"X-Answer": "yes"})) as server:
        answer = guard(server.origin).request(
            "POST", f"{server.origin}/in?a=1", headers={"Authorization": "Bearer t"}, body=b"{}"
        )
        assert (answer.status, answer.headers["x-answer"], answer.body) == (201, "yes", b"ok")
        (request,) = server.requests
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
        assert (request.method, request.target, request.body) == ("POST", "/in?a=1", b"{}")
        assert request.headers["authorization"] == "Bearer t"


def test_proxy_variables_of_the_environment_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with LocalHttp(lambda request: Reply(body=b"direct")) as server:
        assert guard(server.origin).request("GET", server.origin).body == b"direct"


def test_redirects_are_followed_as_far_as_asked_and_judged_at_each_hop() -> None:
    def answer(request: Request) -> Reply:
        if request.target.startswith("/hop"):
            left = int(request.target[4:])
            return Reply(302, headers={"Location": f"/hop{left - 1}" if left else "/end"})
        if request.target == "/inside":
            return Reply(302, headers={"Location": "http://127.0.0.1:22/"})
        if request.target == "/metadata":
            return Reply(301, headers={"Location": "https://169.254.169.254/"})
        return Reply(body=b"end")

    with LocalHttp(answer) as server:
        egress = guard(server.origin)
        assert egress.request("GET", f"{server.origin}/hop1", redirects=2).body == b"end"
        assert egress.request("GET", f"{server.origin}/hop1", redirects=1).status == 302
        assert egress.request("GET", f"{server.origin}/hop0").status == 302
        for path in ("/inside", "/metadata"):
            with pytest.raises(EgressDenied):
                egress.request("GET", f"{server.origin}{path}", redirects=3)


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://xn--/", "http://[::1"])
@pytest.mark.parametrize("redirects", [0, 3])
def test_a_redirect_to_nowhere_is_unavailable(location: str, redirects: int) -> None:
    with (
        LocalHttp(lambda request: Reply(302, headers={"Location": location})) as server,
        pytest.raises(Unavailable, match=r"127\.0\.0\.1"),
    ):
        guard(server.origin).request("POST", server.origin, redirects=redirects, max_bytes=0)


def test_a_token_does_not_follow_a_redirect_to_another_origin() -> None:
    with LocalHttp(lambda request: Reply(body=b"other")) as other:
        here = Reply(302, headers={"Location": f"http://localhost:{other.port}/"})
        with LocalHttp(lambda request: here) as server:
            egress = guard(server.origin, f"http://localhost:{other.port}")
            egress.request("GET", server.origin, headers={"Authorization": "Bearer t"}, redirects=1)
            assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_unfolded_within_the_cap(encoding: str) -> None:
    text = b"".join(b"line %d\n" % n for n in range(5000))
    packed = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    with LocalHttp(lambda request: Reply(body=packed, headers={"Content-Encoding": encoding})) as server:
        egress = guard(server.origin)
        assert egress.request("GET", server.origin).body == text
        with pytest.raises(BadInput, match="too_large"):
            egress.request("GET", server.origin, max_bytes=len(text) - 1)


def test_bare_deflate_is_understood() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(b"bare") + packer.flush()
    with LocalHttp(lambda request: Reply(body=packed, headers={"Content-Encoding": "deflate"})) as server:
        assert guard(server.origin).request("GET", server.origin).body == b"bare"


def test_a_decompression_bomb_is_stopped_by_its_ratio() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    with LocalHttp(lambda request: Reply(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        begun = time.monotonic()
        with pytest.raises(BadInput, match="too_large"):
            guard(server.origin).request("GET", server.origin, max_bytes=10**9)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("gzip", b"not gzip"), ("gzip", gzip.compress(b"cut" * 99, mtime=0)[:-9]), ("gzip, gzip", b"")],
)
def test_an_encoding_that_was_not_asked_for_or_is_broken_is_bad_input(encoding: str, body: bytes) -> None:
    with (
        LocalHttp(lambda request: Reply(body=body, headers={"Content-Encoding": encoding})) as server,
        pytest.raises(BadInput, match="undecodable"),
    ):
        guard(server.origin).request("GET", server.origin)


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener whose connections are handled by `serve`, byte by byte."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with closing(connection):
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def drip(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.05)


def mute(connection: socket.socket) -> None:
    connection.recv(4096)
    time.sleep(0.6)


def cut(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")


def nonsense(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n")


def endless_headers(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Long: " + b"y" * 60_000 + b"\r\n")


@pytest.mark.parametrize("serve", [drip, mute, cut, nonsense, endless_headers], ids=lambda serve: serve.__name__)
def test_a_server_that_misbehaves_is_unavailable_within_the_deadline(serve: Callable[[socket.socket], None]) -> None:
    with raw_server(serve) as port:
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            guard(f"http://127.0.0.1:{port}").request("GET", f"http://127.0.0.1:{port}/", timeout_s=0.4)
        assert time.monotonic() - begun < 1.5


def test_a_refused_connection_and_an_unknown_name_are_unavailable() -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        guard("http://127.0.0.1:1").request("GET", "http://127.0.0.1:1/")

    def unknown(host: str, port: int) -> list:
        raise socket.gaierror("no such name")

    with pytest.raises(Unavailable, match=r"nowhere\.example"):
        GuardedEgress(EgressSettings(), resolve=unknown).request("GET", "https://nowhere.example/")


def test_a_resolver_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hanging(host: str, port: int) -> list:
        release.wait(5)
        return []

    with pytest.raises(Unavailable, match="not resolved in time"):
        GuardedEgress(EgressSettings(), resolve=hanging).request("GET", "https://slow.example/", timeout_s=0.2)
    release.set()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for `name`, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


@contextmanager
def tls_server(certificate_file: Path, key_file: Path, names_seen: list[str | None]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    context.sni_callback = lambda _socket, name, _context: names_seen.append(name)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with raw_server(serve) as port:
        yield port


def test_tls_keeps_the_name_and_verifies_it(tmp_path: Path) -> None:
    ca_file, key_file = certificate(tmp_path, "localhost")
    seen: list[str | None] = []
    with tls_server(ca_file, key_file, seen) as port:
        origins = (f"https://localhost:{port}", f"https://127.0.0.1:{port}")
        trusting = guard(*origins, resolve={"localhost": ["127.0.0.1"]}, ca_file=ca_file)
        assert trusting.request("GET", f"https://localhost:{port}/").body == b"ok"
        assert seen == ["localhost"]
        with pytest.raises(Unavailable, match="verif"):  # the certificate does not name the address
            trusting.request("GET", f"https://127.0.0.1:{port}/")
        with pytest.raises(Unavailable, match="verif"):  # nobody vouches for the certificate
            guard(*origins, resolve={"localhost": ["127.0.0.1"]}).request("GET", f"https://localhost:{port}/")


def test_connect_gives_a_judged_socket_with_and_without_tls(tmp_path: Path) -> None:
    with LocalHttp(lambda request: Reply(body=b"plain")) as server:
        with closing(guard(f"ws://127.0.0.1:{server.port}").connect("127.0.0.1", server.port, tls=False)) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert plain.recv(12) == b"HTTP/1.0 200"
        with pytest.raises(EgressDenied):
            guard().connect("127.0.0.1", server.port, tls=False)
    ca_file, key_file = certificate(tmp_path, "localhost")
    with tls_server(ca_file, key_file, []) as port:
        egress = guard(f"wss://localhost:{port}", resolve={"localhost": ["127.0.0.1"]}, ca_file=ca_file)
        with closing(egress.connect("localhost", port, tls=True)) as secure:
            assert isinstance(secure, ssl.SSLSocket)
        with pytest.raises(Unavailable, match="TLS failed"):
            guard(f"wss://localhost:{port}", resolve={"localhost": ["127.0.0.1"]}).connect("localhost", port, tls=True)


@pytest.mark.parametrize(
    "origin", ["example.org", "http://example.org/path", "https://u:p@example.org", "gopher://x", "127.0.0.1"]
)
def test_a_setting_that_is_not_an_origin_is_told_apart(origin: str) -> None:
    with pytest.raises(ValidationError, match="is not an origin"):
        EgressSettings(allow=(origin,))
