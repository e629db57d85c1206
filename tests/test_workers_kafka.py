"""The loops over a real Kafka: workers that share partitions, join, leave, sleep and wake up, and tell the same alerts
as one worker on one machine."""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from desk import outbox
from hustings.clock import Clock, SystemClock
from hustings.contracts import Record
from hustings.types import Alert, Post
from ingest.log_kafka import KafkaLog, KafkaSettings, create_topics
from runtime import build
from runtime.config import load_config
from runtime.demo.run import Demo
from runtime.loops.frame import Pulse
from runtime.stop import Stop
from tests.command_line import command_line
from tests.fleet import RULES, Fleet, facts, generated_posts
from tests.loops_world import LoopsWorld
from tests.servers.kafka_cluster import KafkaCluster, KafkaMissing, jars
from tests.servers.missing import leave_out
from tests.test_workers import all_alerts, told

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("kafka"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.timeout(600),
]
COUNT = 10_000
PARTITIONS = 4
numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def forgotten_sockets() -> Iterator[None]:
    """The client leaves the closing of a socket that could not connect to the garbage collector: collects them here,
    where the warning is switched off."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    try:
        found = jars()
    except KafkaMissing as missing:
        leave_out("the loops over Kafka", missing)
    with KafkaCluster(tmp_path_factory.mktemp("kafka"), jars=found) as cluster:
        yield cluster


@pytest.fixture
def settings(kafka: KafkaCluster) -> KafkaSettings:
    """Topics of this test's own."""
    made = KafkaSettings(servers=kafka.servers, prefix=f"w{next(numbers)}.", replication=1, min_insync=1, session_s=3)
    create_topics(made, posts_partitions=PARTITIONS, hits_partitions=PARTITIONS)
    return made


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    return generated_posts(COUNT)


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory, _blank_desk: Path, posts: list[Post]) -> list[Alert]:
    """What one worker tells on the log of one machine."""
    return told(tmp_path_factory.mktemp("one"), _blank_desk, posts, workers=1, replay=True)


class KafkaFleet:
    """A fleet whose workers share the partitions of a Kafka, over an index and a desk of this test."""

    def __init__(self, settings: KafkaSettings, folder: Path, desk_url: str, stack: ExitStack, *, workers: int) -> None:

        def open_log(clock: Clock, worker: str | None = None) -> KafkaLog:
            return KafkaLog(
                settings, clock=clock, posts_partitions=PARTITIONS, hits_partitions=PARTITIONS, worker=worker
            ).open()

        self.world = LoopsWorld(folder, desk_url, stack, rules=RULES, log=open_log)
        clock = self.world.clock
        self.fleet = Fleet(
            self.world, stack, workers=workers, replay=True, open_log=lambda worker: open_log(clock, worker)
        )

    def analysed(self) -> int:
        return sum(self.world.index.positions("posts").values())


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_on_kafka_give_the_alerts_of_one_by_id(
    settings: KafkaSettings,
    tmp_path: Path,
    desk_url: str,
    stack: ExitStack,
    posts: list[Post],
    of_one: list[Alert],
    workers: int,
) -> None:
    running = KafkaFleet(settings, tmp_path, desk_url, stack, workers=workers)
    running.fleet.feed(posts)
    running.fleet.finish()
    found = all_alerts(running.world)
    assert [alert.id for alert in found] == [alert.id for alert in of_one]
    assert list(map(facts, found)) == list(map(facts, of_one))


def test_workers_that_come_and_go_change_nothing(
    settings: KafkaSettings,
    tmp_path: Path,
    desk_url: str,
    stack: ExitStack,
    posts: list[Post],
    of_one: list[Alert],
) -> None:
    """One of each begins alone; two more join in the middle of its work; then the first ones leave."""
    running = KafkaFleet(settings, tmp_path, desk_url, stack, workers=1)
    fleet = running.fleet
    fleet.feed(posts[:5_000])
    fleet.wait_until(lambda: running.analysed() >= 1_000)
    joined = [fleet.start_analyzer(1), fleet.start_analyzer(2)]
    watching = [fleet.start_watcher(1), fleet.start_watcher(2)]
    fleet.feed(posts[5_000:8_000])
    fleet.wait_until(lambda: all(worker.made.partitions() for worker in [*joined, *watching]))
    for worker in (fleet.analyzers.pop(0), fleet.watchers.pop(0)):
        worker.end()
    fleet.analyzers += joined
    fleet.watchers += watching
    fleet.feed(posts[8_000:])
    fleet.finish()
    assert list(map(facts, all_alerts(running.world))) == list(map(facts, of_one))
    assert [alert.id for alert in all_alerts(running.world)] == [alert.id for alert in of_one]


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_commands_of_topics_and_status(
    kafka: KafkaCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hustings = command_line(capsys, monkeypatch)
    prefix = f"w{next(numbers)}."
    path = tmp_path / "hustings.toml"
    path.write_text(CONFIG.format(server=kafka.servers[0], prefix=prefix))
    (tmp_path / "var").mkdir()
    names = [f"{prefix}{topic}" for topic in ("dead-letters", "hits", "posts")]
    assert json.loads(hustings("topics", "check", path, "--json").out)["ok"] is False
    made = hustings("topics", "create", path)
    assert (made.status, made.out.splitlines()) == (0, [f"made {name}" for name in names])
    assert hustings("topics", "create", path).out == "all topics were there\n"
    assert hustings("setup", path).out.splitlines()[0] == "kafka: all topics were there"
    assert json.loads(hustings("topics", "check", path, "--json").out) == {"ok": True, "problems": []}
    config = load_config(path)
    with closing(build.open_log(config, SystemClock())) as log:
        log.append("posts", [Record("net:1", b"x")] * 3, partition=2)
    engine = build.open_engine(config)
    memory = build.open_memory(engine)
    Pulse("analyze", worker="analyze-2", memory=memory, clock=SystemClock(), partitions=lambda: [2, 3]).beat()
    engine.dispose()
    began = time.monotonic()
    said = json.loads(hustings("status", path, "--json").out)
    assert time.monotonic() - began < 30
    lags = {lag["partition"]: lag for lag in said["lag"] if lag["topic"] == "posts"}
    assert [(p, lags[p]["worker"], lags[p]["lag"]) for p in range(4)] == [
        (0, "", 0),
        (1, "", 0),
        (2, "analyze-2", 3),
        (3, "analyze-2", 0),
    ]
    assert lags[2]["oldest_s"] is not None
    assert [x["worker"] for x in said["loops"] if x["loop"] == "analyze"] == ["analyze-1", "analyze-2"]
    embedded = tmp_path / "embedded.toml"
    embedded.write_text('[deployment]\nname = "T"\n')
    assert "kafka: no such table" in hustings("topics", "check", embedded).err


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────


CONFIG = """
[deployment]
name = "Workers"
[log]
posts_partitions = 4
hits_partitions = 4
[analyze]
workers = 2
batch = 100
[watch]
workers = 2
[kafka]
servers = ["{server}"]
prefix = "{prefix}"
replication = 1
min_insync = 1
session_s = 3
"""
ELECTION = 2_000


def told_by(demo: Demo) -> list[tuple[object, ...]]:
    """Every alert with all that people may be told of it. How many messages that made hangs on when somebody looked."""
    return sorted((alert.id, *facts(alert), *(notice.key for notice in alert.notices)) for alert in demo.alerts())


def test_a_worker_that_was_stopped_beyond_its_session_wakes_up_and_changes_nothing(
    kafka: KafkaCluster, tmp_path: Path
) -> None:
    """A whole election by processes, two workers a loop. One of each is stopped in the middle until the others have
    taken over its partitions and gone on; then it wakes up, a zombie with a batch in its hands."""
    with ExitStack() as stack:
        calm = Demo(tmp_path / "calm", seed=7, posts=ELECTION, desk_port=0, closing=stack)
        calm.run(stop=Stop(), tell=lambda _: None)
        expected = told_by(calm)
    config = tmp_path / "kafka.toml"
    config.write_text(CONFIG.format(server=kafka.servers[0], prefix=f"w{next(numbers)}."))
    with ExitStack() as stack:
        demo = Demo(tmp_path / "kafka", seed=7, posts=ELECTION, desk_port=0, closing=stack, servers=load_config(config))
        stopped = Stopped(demo, stack)
        demo.run(stop=Stop(), tell=lambda _: stopped.look(), disturbed=lambda: not stopped.is_over)
        assert stopped.taken_over, "nobody took over the partitions of the stopped workers"
        assert told_by(demo) == expected
        assert demo.result().balanced
        assert not outbox.counts(demo.engine).keys() - {"delivered", "cancelled"}


class Stopped:
    """Stops one worker of each loop once they have begun, and lets them go on when others have what they had."""

    def __init__(self, demo: Demo, stack: ExitStack) -> None:
        self._demo = demo
        self._pids: list[int] = []
        self._since = 0.0
        self.taken_over = False
        self.is_over = False
        stack.callback(self._wake)

    def look(self) -> None:
        demo = self._demo
        analysed = sum(demo.index.positions("posts").values())
        pids = demo.supervisor.pids()
        if not self._pids and analysed >= 200 and {"analyze-1", "watch-1"} <= pids.keys():
            self._pids = [pids["analyze-1"], pids["watch-1"]]
            self._since = time.monotonic()
            self._send(signal.SIGSTOP)
            if not self._others_can_write():
                self._send(signal.SIGCONT)
                self._pids = []
        elif self._pids and not self.is_over and analysed >= demo.expected:
            self.taken_over = True
            self._wake()
        elif self._pids and not self.is_over and time.monotonic() - self._since > 120:
            self._wake()

    def _others_can_write(self) -> bool:
        """Nobody can take a lock on a file from a process that sleeps: such a moment is no test of Kafka."""
        for file in sorted(self._demo.folder.glob("var/**/*.db")):
            with closing(sqlite3.connect(file, timeout=2.0, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
                except sqlite3.OperationalError:
                    return False
        return True

    def _wake(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        for pid in self._pids:
            os.kill(pid, number)
