"""The first start of a desk: a one-time link in the log lines creates the lead, and never again after that."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

CONFIG = """
[deployment]
name = "First start"
[desk]
port = {port}
[logging]
format = "json"
level = "warning"
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def desk_loop(config: Path) -> Iterator[list[str]]:
    """The desk's loop as a process; yields the lines that it writes, as they come."""
    command = [sys.executable, "-P", "-m", "runtime.cli", "loop", "desk", str(config)]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    lines: list[str] = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        reading = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")), daemon=True)  # type: ignore[union-attr]
        reading.start()
        try:
            yield lines
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
            reading.join(timeout=5)


def link_in(lines: list[str], *, wait_s: float) -> str | None:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        found = re.search(r"http://[\d.:]+/welcome/[\w-]+", "".join(lines))
        if found:
            return found[0]
        time.sleep(0.05)
    return None


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_the_link_of_the_first_start_makes_a_lead_and_is_not_written_again(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "hustings.toml"
    config.write_text(CONFIG.format(port=port))
    with desk_loop(config) as lines:
        link = link_in(lines, wait_s=60)
        assert link is not None, lines
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"sec-fetch-site": "same-origin"}) as browser:
            page = browser.get(link)
            assert page.status_code == 200
            token = re.search(r'name="form_token" value="([^"]+)"', page.text)
            assert token is not None
            password = "a long enough sentence 42"
            form = {"form_token": token[1], "login": "first.lead", "password": password, "again": password}
            assert browser.post(link, data=form).status_code == 303
            assert "lead" in browser.get("/overview").text
            assert browser.get(link).status_code != 200
    with desk_loop(config) as lines:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert link_in(lines, wait_s=1.0) is None
