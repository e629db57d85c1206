"""The desk on PostgreSQL when something is wrong with the server, the way to it, or another process."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine, make_url, text

from desk.database import postgres as on_postgres
from desk.database.changes import Changes
from desk.database.connect import open_database, reading, writing
from desk.database.postgres_socket import tls_context
from desk.memory import DeskMemory
from hustings.errors import ConfigError, HustingsError, Unavailable
from tests.conftest import ON_SERVER
from tests.desk_world import desk_world
from tests.servers.postgres_server import ROLE, PostgresServer, binaries

pytestmark = [*ON_SERVER]

numbers = itertools.count(1)


@pytest.fixture
def url(desk_databases: Callable[[], Iterator[str]]) -> Iterator[str]:
    """A migrated, empty desk on PostgreSQL."""
    yield from desk_databases()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def said(url: str, password_file: Path | None = None) -> str:
    """What opening says, with what changes from run to run taken out."""
    with pytest.raises(HustingsError) as caught:
        open_database(url, password_file).dispose()
    return f"{type(caught.value).__name__}: {caught.value}"


# ── getting in ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_password_comes_from_a_file_and_is_read_again_at_each_connection(
    postgres: PostgresServer, url: str, tmp_path: Path
) -> None:
    bare = url.replace(f":{postgres.password}@", "@")
    engine = open_database(bare, postgres.password_file(tmp_path))
    DeskMemory(engine).put("a", "k", b"1")
    (tmp_path / "database-password").write_text("changed\n")
    with reading(engine), pytest.raises(ConfigError, match="wrong password"), reading(engine):
        pass
    postgres.password_file(tmp_path)
    assert DeskMemory(engine).get("a", "k") == b"1"
    engine.dispose()


def test_plain_postgresql_means_our_driver(url: str) -> None:
    engine = open_database(url.replace("postgresql+pg8000://", "postgresql://"))
    assert engine.dialect.driver == "pg8000"
    engine.dispose()


def test_what_an_operator_gets_wrong_is_said_in_words_that_help(
    postgres: PostgresServer, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    file = postgres.password_file(tmp_path)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "wrong").write_text("not the password\n")
    postgres.create("someones")
    postgres.sql("ALTER DATABASE someones OWNER TO postgres")
    postgres.sql("CREATE DATABASE latin OWNER hustings TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc")
    at = f"127.0.0.1:{postgres.port}"
    login, right = f"postgresql+pg8000://{ROLE}@{at}", f"postgresql+pg8000://{ROLE}:{postgres.password}@{at}"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
        cases = {
            "nobody answers": (f"postgresql+pg8000://{ROLE}@{nobody}/desk", file),
            "no such host": (f"postgresql+pg8000://{ROLE}@no-such-host.invalid/desk", file),
            "wrong password": (f"{login}/postgres", tmp_path / "wrong"),
            "no such user": (f"postgresql+pg8000://stranger@{at}/postgres", file),
            "no password": (f"{login}/postgres", None),
            "password twice": (f"{right}/postgres", file),
            "password file missing": (f"{login}/postgres", tmp_path / "none"),
            "password file empty": (f"{login}/postgres", tmp_path / "empty"),
            "no such database": (f"{login}/nowhere", file),
            "somebody else's database": (f"{login}/someones", file),
            "database in Latin-1": (f"{login}/latin", file),
            "server without TLS": (f"{login}/postgres?sslmode=verify-full", file),
            "unknown sslmode": (f"{login}/postgres?sslmode=perhaps", file),
            "authority file missing": (f"{login}/postgres?sslmode=verify-full&sslrootcert=/none/ca.pem", file),
            "unknown option": (f"{login}/postgres?connect_timeout=3", file),
            "no user": (f"postgresql+pg8000://{at}/desk", file),
            "no database": (f"{login}", file),
            "another driver": (f"postgresql+psycopg://{ROLE}@{at}/desk", file),
            "no URL": (f"{ROLE}:a-secret@{at}/desk", None),
        }
        lines = [f"{name}\n    {said(*case)}" for name, case in cases.items()]
    postgres.drop("someones")
    postgres.drop("latin")
    shown = "\n".join(lines) + "\n"
    assert postgres.password not in shown
    assert "a-secret" not in shown
    for changing, fixed in ((nobody, "HOST:1"), (at, "HOST:5432"), (str(tmp_path), "FOLDER")):
        shown = shown.replace(changing, fixed)
    golden("postgres_errors.txt", shown)


def test_too_many_processes_are_told_so(postgres: PostgresServer, url: str) -> None:
    database = url.rpartition("/")[2]
    postgres.sql(f'ALTER DATABASE "{database}" CONNECTION LIMIT 1')
    engine = open_database(url)
    refused = pytest.raises(Unavailable, match="no connection left; raise its max_connections")
    with reading(engine), refused, reading(engine):
        pass
    engine.dispose()


def test_more_readers_than_connections_wait_and_then_say_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_postgres, "POOL", 1)
    monkeypatch.setattr(on_postgres, "OVERFLOW", 0)
    monkeypatch.setattr(on_postgres, "POOL_WAIT_S", 0.2)
    engine = open_database(url)
    refused = pytest.raises(Unavailable, match="every connection of this process is in use")
    with reading(engine), refused, reading(engine):
        pass
    with reading(engine):
        pass
    engine.dispose()


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _certificate() -> tuple[bytes, bytes]:
    """A certificate of `localhost` that vouches for itself: alone, and with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate, certificate + private


def test_tls_is_spoken_and_the_name_is_checked(tmp_path: Path) -> None:
    certificate, with_key = _certificate()
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificate)
    with PostgresServer(binaries(), certificate=with_key) as server:
        address = server.create("desk")
        by_name = address.replace("127.0.0.1", "localhost")
        for url in (f"{by_name}?sslmode=verify-full&sslrootcert={authority}", f"{address}?sslmode=require"):
            engine = open_database(url)
            with reading(engine) as connection:
                asked = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                assert connection.execute(asked).scalar() is True
            engine.dispose()
        wrong_name = said(f"{address}?sslmode=verify-full&sslrootcert={authority}")
        assert "certificate does not verify" in wrong_name
        assert "?sslrootcert=FILE" in said(f"{by_name}?sslmode=verify-full")


def test_the_way_to_another_machine_is_encrypted_unless_the_url_says_otherwise() -> None:
    elsewhere = make_url("postgresql+pg8000://hustings@db.example:5432/desk")
    context = tls_context(elsewhere)
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert tls_context(elsewhere.update_query_dict({"sslmode": "disable"})) is None
    for here in ("localhost", "127.0.0.1", "[::1]"):
        assert tls_context(make_url(f"postgresql+pg8000://hustings@{here}/desk")) is None


# ── the server goes away ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def own() -> Iterator[PostgresServer]:
    """A server that a test may kill."""
    with PostgresServer(binaries()) as server:
        yield server


@pytest.fixture
def mortal(own: PostgresServer) -> Iterator[Engine]:
    """An empty desk on it."""
    engine = open_database(own.create(f"mortal-{next(numbers)}"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("end", [PostgresServer.kill, PostgresServer.stop], ids=["killed", "stopped"])
def test_a_server_that_goes_away_is_unavailable_and_comes_back(
    own: PostgresServer, mortal: Engine, end: Callable[[PostgresServer], None], caplog: pytest.LogCaptureFixture
) -> None:
    store = DeskMemory(mortal)
    store.put("a", "k", b"1")
    with closing(Changes(mortal)) as changes:
        changes.since_last_look()

        def write_while_it_ends() -> None:
            with writing(mortal) as connection:
                connection.execute(text("DELETE FROM memory"))
                end(own)

        attempts = (write_while_it_ends, changes.since_last_look, lambda: store.get("a", "k"))
        for attempt in attempts:
            with pytest.raises(Unavailable, match="desk database"):
                attempt()
        own.start()
        assert changes.since_last_look()
    assert store.get("a", "k") == b"1"
    store.put("a", "k", b"2")
    assert store.get("a", "k") == b"2"
    gc.collect()  # what the driver left of the broken connections, while this test is there to be blamed
    assert caplog.messages == [], "the loops tell it in a line; a traceback for each connection would bury that"


def test_pages_say_that_the_desk_is_away_and_work_again_without_a_restart(own: PostgresServer, tmp_path: Path) -> None:
    engine = open_database(own.create("pages"))
    with desk_world(tmp_path) as made:
        world = made.over(engine=engine, memory=DeskMemory(engine))
        browser = world.signed_in("reviewer")
        assert browser.get("/alerts").status_code == 200
        own.kill()
        answer = browser.get("/alerts")
        assert answer.status_code == 503
        assert "does not answer at the moment" in answer.text
        own.start()
        assert browser.get("/alerts").status_code == 200
    engine.dispose()
    gc.collect()


def test_what_was_acknowledged_is_there_after_kills_and_every_writer_goes_on(
    own: PostgresServer, mortal: Engine
) -> None:
    store, done = DeskMemory(mortal), threading.Event()
    acknowledged: list[str] = []
    failed: list[Unavailable] = []

    def write(writer: int) -> None:
        for number in itertools.count():
            if done.is_set():
                return
            try:
                store.put("turns", f"{writer}-{number}", b"x")
                acknowledged.append(f"{writer}-{number}")
            except Unavailable as error:
                failed.append(error)
                time.sleep(0.01)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        count = len(acknowledged)
        _until(lambda count=count: len(acknowledged) > count + 50)
        own.kill()
        own.start()
    count = len(acknowledged)
    _until(lambda: len(acknowledged) > count + 50)
    done.set()
    for thread in threads:
        thread.join(60)
    assert set(acknowledged) <= store.entries("turns").keys()
    assert failed
    gc.collect()


def test_a_server_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.database.postgres_socket.CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        found = said(f"postgresql+pg8000://{ROLE}:x@127.0.0.1:{deaf.getsockname()[1]}/desk")
    assert found.startswith("Unavailable: ")
    assert "timed out" in found


def _until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.01)


# ── others ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waiting_for_a_lock_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_postgres, "LOCK_TIMEOUT_S", 1)
    engine = open_database(url)
    DeskMemory(engine).put("a", "k", b"1")
    with writing(engine) as connection:
        connection.execute(text("SELECT * FROM memory FOR UPDATE"))
        with pytest.raises(Unavailable, match="another writer held a lock for too long"):
            DeskMemory(engine).put("a", "k", b"2")
    DeskMemory(engine).put("a", "k", b"3")
    engine.dispose()


def test_a_statement_that_takes_too_long_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_postgres, "STATEMENT_TIMEOUT_S", 1)
    engine = open_database(url)
    with pytest.raises(Unavailable, match="a statement took too long"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    engine.dispose()


def test_a_server_that_falls_silent_in_the_middle_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_postgres, "SILENCE_S", 0.5)
    engine = open_database(url)
    with pytest.raises(Unavailable, match="the connection was lost: timed out"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    assert DeskMemory(engine).get("a", "k") is None
    engine.dispose()
    gc.collect()


def test_two_writers_in_each_others_way_do_not_wait_for_ever(engine: Engine) -> None:
    store = DeskMemory(engine)
    for key in ("a", "b"):
        store.put("t", key, b"0")
    both_hold = threading.Barrier(2)
    failed: list[Unavailable] = []

    def lock(keys: str) -> None:
        try:
            with writing(engine) as connection:
                for place, key in enumerate(keys):
                    connection.execute(text("SELECT * FROM memory WHERE key = :key FOR UPDATE"), {"key": key})
                    if place == 0:
                        both_hold.wait(30)
        except Unavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=lock, args=(keys,)) for keys in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(failed) == 1
    assert "stood in each other's way" in str(failed[0])


HOLD_AND_COMMIT = """
import sys
from sqlalchemy import text
from desk.database import postgres
from desk.database.connect import open_database, writing
from hustings.errors import Unavailable

postgres.IDLE_TIMEOUT_S = 1
engine = open_database(sys.argv[1])
try:
    with writing(engine) as connection:
        connection.execute(text("UPDATE memory SET value = 'zombie'"))
        print("holds", flush=True)
        sys.stdin.readline()
except Unavailable as error:
    print("lost", flush=True)
else:
    print("committed", flush=True)
engine.dispose()
"""


def test_a_process_that_was_stopped_in_a_transaction_loses_its_locks_and_changes_nothing_when_it_wakes(
    engine: Engine, url: str
) -> None:
    store = DeskMemory(engine)
    store.put("a", "k", b"1")
    command = [sys.executable, "-c", HOLD_AND_COMMIT, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zombie:
        assert zombie.stdout is not None
        assert zombie.stdin is not None
        assert zombie.stdout.readline() == "holds\n"
        os.kill(zombie.pid, signal.SIGSTOP)
        store.put("a", "k", b"2")
        os.kill(zombie.pid, signal.SIGCONT)
        zombie.stdin.write("go on\n")
        zombie.stdin.flush()
        assert zombie.stdout.readline() == "lost\n"
    assert store.get("a", "k") == b"2"
