"""A real Elasticsearch for the tests: one node on free loopback ports, in a folder of its own, stopped by pid.

The server comes from Maven once, into a cache outside the project. It refuses to run as root: called by root it runs as
`nobody`, who must be able to read the cache and to write into the node's folder. So neither may lie below /root or in
pytest's folders, which are closed to others: root's cache is /var/tmp/hustings-servers, everybody else's is in their
own cache folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.servers.cached import keep

__all__ = ["ElasticMissing", "ElasticNode", "server_home"]

HERE = Path(__file__).parent / "elasticsearch"
START_WITHIN_S = 400.0
BRING_WITHIN_S = 1_200.0
ROOTS_CACHE = Path("/var/tmp/hustings-servers")
ADMIN = "admin"


class ElasticMissing(Exception):
    """Java or Maven is not there, or the server cannot be had: the tests on Elasticsearch are left out."""


def server_home() -> Path:
    """The folder of the server, brought by the first call."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise ElasticMissing(f"{tool!r} is not installed")
    made_by = b"".join((HERE / name).read_bytes() for name in ("pom.xml", "bring.sh"))
    folder = _cache() / f"elasticsearch-{hashlib.sha256(made_by).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="elasticsearch-") as unfinished:
        made = Path(unfinished) / "home"
        command = [str(HERE / "bring.sh"), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=BRING_WITHIN_S)
        if done.returncode:
            raise ElasticMissing(f"Maven could not bring the server: {done.stdout[-500:]}{done.stderr[-500:]}")
        keep(made, folder)
    return folder


class ElasticNode:
    """One node. With `secure` it asks for logins: `password` is that of the user `admin`, who may do everything."""

    def __init__(
        self,
        *,
        home: Path,
        heap: str = "512m",
        secure: bool = False,
        folder: Path | None = None,
        disk_limit: bool = False,
    ) -> None:
        self._home = home
        self._heap = heap
        self._disk_limit = disk_limit
        self._own_folder = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="hustings-elastic-")) if folder is None else folder
        self.folder.chmod(0o755)
        self.password = secrets.token_urlsafe(12) if secure else ""
        self._port, self._transport_port = _free_ports()
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def server(self) -> str:
        """The address, as clients want it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The launcher; the server is its child."""
        if self._running is None:
            raise RuntimeError("Elasticsearch does not run")
        return self._running.pid

    def start(self) -> None:
        """Start the node, or start it again over what its folder holds."""
        if self.password:
            _write_login(self.folder / "config", ADMIN, self.password)
        environment = {
            **os.environ,
            "ES_HOME": str(self._home),
            "ES_HEAP": self._heap,
            "ES_SECURE": "1" if self.password else "0",
            "ES_DISK_THRESHOLD": "true" if self._disk_limit else "false",
        }
        with (self.folder / "output").open("ab") as output:
            # A session of its own: the launcher and the server that it starts are ended together.
            self._running = subprocess.Popen(
                [str(HERE / "start-node.sh"), str(self._port), str(self._transport_port), str(self.folder)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self) -> None:
        """Until the node has every index that it holds. Raises `RuntimeError` with the end of its output when it does
        not come up."""
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline and self._running is not None and self._running.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.2)
        output = (self.folder / "output").read_text(errors="replace")
        raise RuntimeError(f"Elasticsearch did not start:\n{output[-3000:]}")

    def signal(self, number: int) -> None:
        """Send a signal to the server (and its launcher): SIGSTOP and SIGCONT, for one that does not answer."""
        if self._running is not None:
            os.killpg(self._running.pid, number)

    def kill(self) -> None:
        """kill -9."""
        if self._running is not None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    def stop(self) -> None:
        """End the node at once; what it holds is thrown away with its own folder."""
        self.kill()
        if self._own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        login = (ADMIN, self.password) if self.password else None
        url = f"{self.server}/_cluster/health?wait_for_status=yellow&timeout=2s"
        try:
            return httpx.get(url, auth=login, timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def _cache() -> Path:
    """Where the server is kept. Root's is a folder that others can read, and nobody else may have made."""
    if os.getuid() != 0:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hustings" / "servers"
        cache.mkdir(parents=True, exist_ok=True)
        return cache
    ROOTS_CACHE.mkdir(mode=0o755, exist_ok=True)
    if ROOTS_CACHE.stat().st_uid != 0:
        raise ElasticMissing(f"{ROOTS_CACHE} belongs to somebody else")
    return ROOTS_CACHE


def _write_login(config: Path, name: str, password: str) -> None:
    """A user of the server's file realm, who may do everything."""
    config.mkdir(exist_ok=True)
    salt = secrets.token_bytes(32)
    rounds = 1_000
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, 32)
    encoded = "$".join([str(rounds), base64.b64encode(salt).decode(), base64.b64encode(digest).decode()])
    (config / "users").write_text(f"{name}:{{PBKDF2}}{encoded}\n")
    (config / "users_roles").write_text(f"superuser:{name}\n")


def _free_ports() -> tuple[int, int]:
    """Two at once, so that they differ."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
