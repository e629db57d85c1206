"""From append to the partner: how long an alert takes at several rates of posts, all loops running.

    python -m bench.latency --rates 36 1000 4000 --seconds 15

A rule with review = "none" that names nobody lets its alerts leave by themselves; one post in so many is a needle. The
time is from just before the append to the webhook's receipt, on the same machine and clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Memory, Record
from hustings.types import Post
from runtime import build
from runtime.config import load_config
from runtime.demo.generate import generate
from runtime.demo.receiver import Receiver
from runtime.events import open_events
from runtime.servers import set_up
from runtime.supervisor import Child, Supervisor, loop_command

NEEDLES_PER_SECOND = 4
TICK_S = 0.01
LOOPS = ("analyze", "watch", "deliver")
START_WITHIN_S = 60.0

RULE = """
[[rule]]
id = "b0000000-0000-4000-8000-000000000001"
name = "needle"
version = 1
state = "active"
owner = "bench"
expires = 2099-12-31
why = "Measures the time from append to webhook."
outcome = "alert"
kind = "match"
where = 'needleword'
lateness = "10m"
review = "none"
route = { severity = "low", tlp = "CLEAR", topics = ["bench"] }

[[rule.test]]
name = "a needle is told"
posts = [{ at = "0s", key = "a", text = "needleword" }]
expect = [{ open = { at = "0s" } }]

[[rule.test]]
name = "hay is not"
posts = [{ at = "0s", key = "a", text = "hay" }]
expect = []
"""

CONFIG = """
rules = ["rule.toml"]
[deployment]
name = "bench"
[charter]
requester = "bench"
mandate = "bench"
period = [2027-01-01, 2027-01-02]
languages = ["en", "es", "ar"]
recipients = ["bench"]
legal_basis = "synthetic"
contacts = ["bench@observatory.example"]
dpia_ref = "none"
[egress]
allow = ["http://127.0.0.1:{port}"]
[logging]
level = "error"
[[partner]]
id = "bench"
name = "bench"
tlp = "CLEAR"
pseudonym_key = {{ file = "partner.key" }}
[[partner.channels]]
name = "hook"
kind = "webhook"
[partner.channels.settings]
url = "http://127.0.0.1:{port}/hook"
secrets = [{{ file = "partner.whsec" }}]
"""


def measure_rate(
    folder: Path, rate: int, seconds: float, *, needles_per_s: int = NEEDLES_PER_SECOND, tables: str = ""
) -> dict[str, Any]:
    """p50, p95, p99 and the worst in milliseconds at `rate` posts a second. `tables` of the configuration name the
    servers that it runs over; what they need is made on them."""
    folder.mkdir()
    clock = SystemClock()
    with ExitStack() as closing:
        receiver = Receiver()
        closing.callback(receiver.close)
        receiver.secret = "whsec_" + "A" * 43 + "="
        (folder / "partner.whsec").write_text(receiver.secret)
        (folder / "partner.key").write_text("0" * 64)
        (folder / "rule.toml").write_text(RULE)
        (folder / "hustings.toml").write_text(CONFIG.format(port=receiver.port) + tables)
        config = load_config(folder / "hustings.toml")
        for _ in set_up(config):
            pass
        engine = build.open_engine(config)
        closing.callback(engine.dispose)
        log = build.open_log(config, clock)
        closing.callback(log.close)
        children = [Child(loop, loop_command(loop, folder / "hustings.toml")) for loop in LOOPS]
        supervisor = Supervisor(children, events=open_events(loop="bench", level="error"))
        supervisor.start()
        closing.callback(supervisor.stop)
        _wait_for_loops(build.open_memory(engine))
        hay = [post.text for post in generate(posts=4_000).posts["chatter-keyword"]]
        sent: dict[str, float] = {}
        number = 0
        began = time.perf_counter()
        every = max(1, rate // needles_per_s)
        while (elapsed := time.perf_counter() - began) < seconds:
            due = int(elapsed * rate)
            records = []
            now = clock.now()
            while number < due:
                number += 1
                is_needle = number % every == 0
                text = f"needleword {number}" if is_needle else hay[number % len(hay)]
                post = Post(source="bench", native_id=str(number), text=text, published_at=now, collected_at=now)
                records.append(Record(post.key, wire.encode(post)))
                if is_needle:
                    sent[post.key] = time.time()
            if records:
                log.append("posts", records)
            time.sleep(TICK_S)
        deadline = time.monotonic() + 30
        while receiver.distinct < len(sent) and time.monotonic() < deadline:
            time.sleep(0.05)
        arrived: dict[str, float] = {}
        for received in receiver.received:
            for key in _keys_in(received.body):
                arrived.setdefault(key, received.at)
        waits = sorted((arrived[key] - at) * 1000 for key, at in sent.items() if key in arrived)
    return {
        "rate": rate,
        "needles": len(sent),
        "missing": len(sent) - len(waits),
        "p50_ms": round(statistics.median(waits), 1) if waits else None,
        "p95_ms": round(waits[int(len(waits) * 0.95)], 1) if waits else None,
        "p99_ms": round(waits[min(len(waits) - 1, int(len(waits) * 0.99))], 1) if waits else None,
        "worst_ms": round(waits[-1], 1) if waits else None,
    }


def _wait_for_loops(memory: Memory) -> None:
    """Until every loop has begun, as its heartbeat says."""
    deadline = time.monotonic() + START_WITHIN_S
    while missing := set(LOOPS) - memory.entries("heartbeats").keys():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not started within {START_WITHIN_S:.0f} s: {', '.join(sorted(missing))}")
        time.sleep(0.1)


def _keys_in(body: bytes) -> list[str]:
    """Keys of posts that a message names, wherever they stand in it."""
    keys: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)
        elif isinstance(part, str) and part.startswith("bench:"):
            keys.append(part)

    walk(msgspec.json.decode(body))
    return keys


def measure(rates: list[int], seconds: float) -> list[dict[str, Any]]:
    """One row a rate."""
    with tempfile.TemporaryDirectory(prefix="hustings-latency-") as temporary:
        return [measure_rate(Path(temporary) / str(rate), rate, seconds) for rate in rates]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[36, 1_000, 4_000])
    parser.add_argument("--seconds", type=float, default=15.0)
    given = parser.parse_args()
    json.dump(measure(given.rates, given.seconds), sys.stdout, indent=1)
    print()
