"""The log on a real Kafka: the contract suite as on SQLite, workers that share a topic, and what it says when
something is wrong."""

from __future__ import annotations

import gc
import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hustings.clock import Clock, SystemClock
from hustings.contracts import Record
from hustings.errors import HustingsError, Reassigned, StoreError, Unavailable
from hustings.testing.check_log import CHECKS, LogCheck
from ingest.appending import append_taken
from ingest.dead_letters import append_dead_letters, dead_letter, read_dead_letters
from tests.servers.kafka_cluster import KafkaCluster, KafkaMissing, jars
from tests.servers.missing import leave_out

with warnings.catch_warnings():  # kafka-python 3.0.12 reads its schemas by a deprecated function when imported
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    from ingest.log_kafka import KafkaLog, KafkaSettings, check_topics, create_topics
    from ingest.log_kafka.offsets import Offsets
    from ingest.log_kafka.producer import ByteBound
    from ingest.log_kafka.reader import KafkaLogReader
    from ingest.log_kafka.topics import open_admin

ROOT = Path(__file__).parents[1]
WORKER = ROOT / "tests" / "servers" / "kafka_worker.py"

numbers = itertools.count(1)


pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("kafka"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
"""The client leaves the closing of a socket that could not connect to the garbage collector."""


@pytest.fixture(autouse=True)
def forgotten_sockets() -> Iterator[None]:
    """Collects them here, where the warning is switched off."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """Where the broker's jars are; without Java or Maven the test says so and is left out."""
    try:
        return jars()
    except KafkaMissing as missing:
        leave_out("the log on Kafka", missing)


@pytest.fixture(scope="module")
def kafka(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One broker for the tests that kill nobody."""
    with KafkaCluster(tmp_path_factory.mktemp("kafka"), jars=kafka_jars) as cluster:
        yield cluster


@pytest.fixture
def settings(kafka: KafkaCluster) -> KafkaSettings:
    """Topics of this test's own."""
    return KafkaSettings(servers=kafka.servers, prefix=f"t{next(numbers)}.", replication=1, min_insync=1, session_s=3)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_kafka_log_keeps_the_contract(check: LogCheck, settings: KafkaSettings) -> None:
    def make(*, clock: Clock, posts_partitions: int = 1) -> KafkaLog:
        create_topics(settings, posts_partitions=posts_partitions)
        return KafkaLog(settings, clock=clock, posts_partitions=posts_partitions).open()

    check(make)


# ── workers that share a topic ───────────────────────────────────────────────────────────────────────────────────


class Worker:
    """A worker in a process of its own (`servers/kafka_worker.py`), and what it said so far."""

    def __init__(self, settings: KafkaSettings, name: str, *, partitions: int, pause_s: float = 0.0) -> None:
        arguments = [",".join(settings.servers), settings.prefix, str(partitions), name, str(settings.session_s)]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(WORKER), *arguments, str(pause_s)], stdout=subprocess.PIPE, cwd=ROOT
        )
        self.said: list[dict[str, Any]] = []
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def wait_until(self, claim: Callable[[list[dict[str, Any]]], bool], *, within_s: float = 60) -> None:
        deadline = time.monotonic() + within_s
        while not claim(list(self.said)):
            assert time.monotonic() < deadline, f"not within {within_s} s; it said {self.said[-5:]}"
            time.sleep(0.05)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listening.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    self.said.append(json.loads(line))


@pytest.fixture
def workers() -> Iterator[Callable[..., Worker]]:
    """Starts workers, and ends them with the test."""
    started: list[Worker] = []

    def start(*arguments: Any, **options: Any) -> Worker:
        started.append(Worker(*arguments, **options))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()


def entries_of(said: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(partition, offset) for line in said if line["what"] == "read" for partition, offset in line["entries"]]


def committed_of(said: list[dict[str, Any]]) -> dict[int, int]:
    positions: dict[int, int] = {}
    for line in said:
        if line["what"] == "committed":
            positions |= {int(partition): offset for partition, offset in line["positions"].items()}
    return positions


def partitions_of(said: list[dict[str, Any]]) -> list[int]:
    changes = [line["partitions"] for line in said if line["what"] == "reassigned"]
    return list(changes[-1]) if changes else []


def filled(settings: KafkaSettings, *, partitions: int, each: int) -> KafkaLog:
    create_topics(settings, posts_partitions=partitions)
    log = KafkaLog(settings, clock=SystemClock(), posts_partitions=partitions).open()
    for partition in range(partitions):
        log.append("posts", [Record(f"key {n}", b"value") for n in range(each)], partition=partition)
    return log


def test_a_second_worker_takes_half_and_nothing_is_lost(
    settings: KafkaSettings, workers: Callable[..., Worker]
) -> None:
    with closing(filled(settings, partitions=4, each=600)) as log:
        first = workers(settings, "first", partitions=4, pause_s=0.1)
        first.wait_until(lambda said: len(entries_of(said)) >= 40)
        assert partitions_of(first.said) == [0, 1, 2, 3]
        second = workers(settings, "second", partitions=4, pause_s=0.1)
        second.wait_until(lambda said: len(entries_of(said)) >= 40)
        first.wait_until(lambda said: len(partitions_of(said)) == 2)
        assert sorted(partitions_of(first.said) + partitions_of(second.said)) == [0, 1, 2, 3]
        both = lambda: committed_of(first.said) | committed_of(second.said)  # noqa: E731
        second.wait_until(lambda _: sum(both().values()) == 2400)
        reader = log.reader("posts", "analyze")
        assert reader.committed() == dict.fromkeys(range(4), 600)
        reader.close()
    read = entries_of(first.said) + entries_of(second.said)
    assert set(read) == {(partition, offset) for partition in range(4) for offset in range(600)}
    assert len(read) - len(set(read)) <= 60, "more than the batches that were on their way came twice"


def test_a_killed_worker_that_comes_back_under_its_name_goes_on_where_it_committed(
    settings: KafkaSettings, workers: Callable[..., Worker]
) -> None:
    with closing(filled(settings, partitions=2, each=400)):
        before = workers(settings, "one", partitions=2, pause_s=0.05)
        before.wait_until(lambda said: sum(committed_of(said).values()) >= 100)
        before.kill()
        began = time.time()
        after = workers(settings, "one", partitions=2)
        after.wait_until(lambda said: sum(committed_of(said).values()) == 800)
    first_read = next(line["at"] for line in after.said if line["what"] == "read")
    assert set(entries_of(before.said) + entries_of(after.said)) == {(p, n) for p in range(2) for n in range(400)}
    assert first_read - began < settings.session_s + 10


def test_a_worker_that_slept_beyond_its_session_commits_nothing(
    settings: KafkaSettings, workers: Callable[..., Worker]
) -> None:
    with closing(filled(settings, partitions=2, each=400)) as log:
        sleeper = workers(settings, "sleeper", partitions=2, pause_s=0.3)
        sleeper.wait_until(lambda said: len(entries_of(said)) >= 40)
        sleeper.signal(signal.SIGSTOP)
        slept_at = time.time()
        other = workers(settings, "other", partitions=2)
        other.wait_until(
            lambda said: (
                sum(committed_of(said).values()) == 800 - sum(committed_of(sleeper.said).values())
                or committed_of(said) == {0: 400, 1: 400}
            )
        )
        sleeper.signal(signal.SIGCONT)
        sleeper.wait_until(lambda said: any(line["what"] == "reassigned" and line["at"] > slept_at for line in said))
        late = [line for line in sleeper.said if line["what"] == "committed" and line["at"] > slept_at + 1]
        reader = log.reader("posts", "analyze")
        assert reader.committed() == {0: 400, 1: 400}
        reader.close()
    assert late == []


@pytest.mark.parametrize("worker", [None, "one"])
def test_a_client_that_brings_nothing_though_there_is_something_is_replaced(
    settings: KafkaSettings, worker: str | None
) -> None:
    with closing(filled(settings, partitions=2, each=50)), closing(Offsets(settings, {"posts": 2})) as offsets:
        reader = KafkaLogReader(
            settings,
            "posts",
            "one",
            offsets=offsets,
            assigned=[] if worker else [0, 1],
            worker=worker,
            stalled_after_s=1.0,
        )
        reader.start()
        while not reader.partitions():
            with suppress(Reassigned):
                reader.poll(limit=10, timeout_s=0.1)
        reader._client.pause(*reader._client.assignment())  # how the client has been seen to stall
        told: list[str] = []
        places: set[tuple[int, int]] = set()
        deadline = time.monotonic() + 30
        while len(places) < 100 and time.monotonic() < deadline:
            try:
                places |= {(entry.partition, entry.offset) for entry in reader.poll(limit=10, timeout_s=0.2)}
            except Unavailable as trouble:
                told.append(str(trouble))
        reader.close()
    assert "100 entries are there, but the client brought none of them for 1 s; it is replaced" in told[0]
    assert places == {(partition, offset) for partition in range(2) for offset in range(50)}


def test_a_worker_whose_group_answers_between_two_polls_goes_on(settings: KafkaSettings) -> None:
    with closing(filled(settings, partitions=2, each=50)), closing(Offsets(settings, {"posts": 2})) as offsets:
        reader = KafkaLogReader(settings, "posts", "one", offsets=offsets, assigned=[], worker="one")
        reader.start()
        while not reader.partitions():
            with suppress(Reassigned):
                reader.poll(limit=10, timeout_s=0.1)
        reader._client._coordinator._assignment_snapshot = {}  # as one that joined before it knew the topic
        reader.poll(limit=10, timeout_s=0)  # asks to join again
        time.sleep(1)  # the answer comes meanwhile
        places: set[tuple[int, int]] = set()
        deadline = time.monotonic() + 20
        while len(places) < 100 and time.monotonic() < deadline:
            with suppress(Reassigned):
                places |= {(entry.partition, entry.offset) for entry in reader.poll(limit=10, timeout_s=0.2)}
        reader.commit({0: 50, 1: 50})
        reader.close()
    assert places == {(partition, offset) for partition in range(2) for offset in range(50)}


# ── when brokers die ─────────────────────────────────────────────────────────────────────────────────────────────


class Writer(threading.Thread):
    """Appends batches until told to stop, each again and again until it is acknowledged."""

    def __init__(self, log: KafkaLog, name: str) -> None:
        super().__init__(name=name)
        self._log = log
        self.stop = threading.Event()
        self.acknowledged: list[bytes] = []
        self.problem: BaseException | None = None
        self.repeats = 0

    def run(self) -> None:
        try:
            for batch in itertools.count():
                if self.stop.is_set():
                    return
                records = [Record(f"{self.name} {n}", f"{self.name}/{batch}/{n}".encode()) for n in range(10)]
                while True:
                    try:
                        self._log.append("posts", records)
                        break
                    except Unavailable:
                        self.repeats += 1
                        time.sleep(0.2)
                self.acknowledged += [record.value for record in records]
                time.sleep(0.005)
        except BaseException as problem:
            self.problem = problem


class Following:
    """Works on what it reads, then commits, as a worker does: after trouble it goes back to what is committed."""

    def __init__(self, log: KafkaLog) -> None:
        self._reader = log.reader("posts", "follow")
        self.seen: set[bytes] = set()
        self.places: set[tuple[int, int]] = set()
        self.troubles: list[str] = []

    def step(self) -> int:
        try:
            entries = self._reader.poll(limit=200, timeout_s=0.2)
            # before the commit: one whose answer is lost may be in force, and then nobody gets these again
            self.seen |= {entry.value for entry in entries}
            self.places |= {(entry.partition, entry.offset) for entry in entries}
            if entries:
                self._reader.commit({entry.partition: entry.offset + 1 for entry in entries})
        except Unavailable as trouble:
            self.troubles.append(str(trouble))
            time.sleep(0.2)
            self._go_back()
            return 0
        return len(entries)

    def _go_back(self) -> None:
        try:
            self._reader.seek(dict.fromkeys(self._reader.partitions(), 1 << 62))  # the smaller one: what is committed
        except Unavailable as trouble:
            self.troubles.append(str(trouble))

    def close(self) -> None:
        self._reader.close()


def leader_of(settings: KafkaSettings, partition: int) -> int:
    with open_admin(settings, "looking for a leader") as admin:
        [topic] = admin.describe_topics([settings.topic("posts")])
    return int(next(p["leader_id"] for p in topic["partitions"] if p["partition_index"] == partition))


@pytest.mark.timeout(180)
def test_kill_9_of_the_leader_loses_nothing_that_was_acknowledged(kafka_jars: Path, tmp_path: Path) -> None:
    with KafkaCluster(tmp_path, jars=kafka_jars, nodes=3) as cluster:
        settings = KafkaSettings(servers=cluster.servers, answer_s=5, deliver_s=20)
        create_topics(settings, posts_partitions=3)
        assert check_topics(settings, posts_partitions=3) == []
        with closing(KafkaLog(settings, clock=SystemClock(), posts_partitions=3).open()) as log:
            following = Following(log)
            writers = [Writer(log, f"writer {number}") for number in range(2)]
            for writer in writers:
                writer.start()
            while len(following.seen) < 1_000:
                following.step()
            cluster.kill(leader_of(settings, 0))
            seen_before = len(following.seen)
            deadline = time.monotonic() + 60
            while len(following.seen) < seen_before + 2_000 and time.monotonic() < deadline:
                following.step()
            for writer in writers:
                writer.stop.set()
                writer.join()
            deadline = time.monotonic() + 60
            while following.step() or (
                time.monotonic() < deadline and len(following.places) < sum(log.ends("posts").values())
            ):
                pass
            following.close()
            ends = log.ends("posts")
    acknowledged = [value for writer in writers for value in writer.acknowledged]
    assert [writer.problem for writer in writers] == [None, None]
    assert len(following.seen) >= seen_before + 2_000
    assert set(acknowledged) <= following.seen
    assert following.places == {(partition, offset) for partition in range(3) for offset in range(ends[partition])}
    assert len(following.places) - len(following.seen) <= 10 * sum(writer.repeats for writer in writers)


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


def problem_of(action: Callable[[], object]) -> HustingsError:
    with pytest.raises(HustingsError) as caught:
        action()
    return caught.value


def opened(settings: KafkaSettings, **partitions: int) -> KafkaLog:
    return KafkaLog(settings, clock=SystemClock(), **partitions).open()


def changed(settings: KafkaSettings, **changes: object) -> KafkaSettings:
    return settings.model_copy(update=changes)


def test_what_it_says_when_something_is_wrong(
    settings: KafkaSettings, golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    """A wrong address, missing topics, other partitions, records too large here or there, a password file."""
    [port] = [server.rpartition(":")[2] for server in settings.servers]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{nobody.getsockname()[1]}"
        told = [problem_of(lambda: opened(changed(settings, servers=(away,), answer_s=1.0)))]
    told.append(problem_of(lambda: opened(changed(settings, prefix="other."))))
    create_topics(settings, posts_partitions=2)
    told.append(problem_of(lambda: opened(settings, posts_partitions=3)))
    told.append(problem_of(lambda: create_topics(changed(settings, prefix="more.", replication=3))))
    with closing(opened(settings, posts_partitions=2)) as log:
        told.append(problem_of(lambda: log.append("posts", [Record("source:1", bytes(6_000_000))])))
        told.append(problem_of(lambda: log.append("posts", [Record("a", b"")], partition=2)))
        told.append(problem_of(lambda: log.reader("posts", "one", partitions=[0, 5])))
    told.append(problem_of(lambda: log.append("posts", [Record("a", b"")])))
    with closing(opened(changed(settings, max_record_bytes=9_000_000), posts_partitions=2)) as log:
        told.append(problem_of(lambda: log.append("posts", [Record("source:1", bytes(7_000_000))])))
    missing = changed(settings, user="hustings", password_file=Path("absent"))
    told.append(problem_of(lambda: opened(missing)))
    text = "\n".join(f"{type(problem).__name__}: {problem}" for problem in told) + "\n"
    golden("kafka_errors.txt", text.replace(away, "AWAY").replace(port, "PORT").replace(settings.prefix, "PREFIX."))


def test_a_producer_that_a_broker_poisoned_is_replaced(settings: KafkaSettings) -> None:
    create_topics(settings)
    with closing(opened(changed(settings, max_record_bytes=9_000_000))) as log:
        assert log.append("posts", [Record("a", b"1")]) == [(0, 0)]
        assert isinstance(problem_of(lambda: log.append("posts", [Record("b", bytes(7_000_000))])), StoreError)
        assert log.append("posts", [Record("c", b"2")]) == [(0, 1)]


def test_what_is_too_large_costs_nobody_else_and_its_letter_is_cut_to_what_fits(settings: KafkaSettings) -> None:
    small = changed(settings, max_record_bytes=1_000_000)
    create_topics(small)
    large = b"x" * 1_000_000
    letter = dead_letter("archive", "too_large", "a post", origin="row 1", original=large, at=datetime.now(UTC))
    with closing(opened(small)) as log:
        refused = append_taken(log, "posts", [Record("a", b"1"), Record("b", large), Record("c", b"3")])
        append_dead_letters(log, [letter], code_version="1")
        assert log.ends("posts") == {0: 2}
        (found,) = read_dead_letters(log)
    assert {place: refusal.reason for place, refusal in refused.items()} == {1: "too_large"}
    assert (found.id, found.original) == (letter.id, large[:500_000])
    assert "[cut to the first 500,000 of 1,000,000 bytes" in found.detail


def test_the_check_of_the_topics_names_what_differs(
    settings: KafkaSettings, golden: Callable[[str, str], None]
) -> None:
    assert check_topics(settings) == [
        f"topic '{settings.prefix}{name}' is missing" for name in ("posts", "hits", "dead-letters")
    ]
    assert create_topics(settings) == sorted(f"{settings.prefix}{name}" for name in ("posts", "hits", "dead-letters"))
    assert create_topics(settings) == []
    assert check_topics(settings) == []
    other = changed(settings, replication=3, min_insync=2, max_record_bytes=8_000_000)
    lines = check_topics(other, posts_partitions=4)
    golden("kafka_topics.txt", "".join(f"{line}\n" for line in lines).replace(settings.prefix, "PREFIX."))


def test_topics_that_a_broker_learns_of_a_moment_later_are_waited_for(settings: KafkaSettings) -> None:
    maker = threading.Timer(1.0, lambda: create_topics(settings))
    maker.start()
    with closing(opened(settings)) as log:
        assert log.append("posts", [Record("a", b"1")]) == [(0, 0)]
    maker.join()


def test_a_topic_that_was_made_again_is_another_log(settings: KafkaSettings) -> None:
    create_topics(settings)
    with closing(opened(settings)) as log:
        before = log.id
    with open_admin(settings, "deleting") as admin:
        admin.delete_topics([settings.topic("posts")])
    deadline = time.monotonic() + 20
    while create_topics(settings) == []:
        assert time.monotonic() < deadline
    with closing(opened(settings)) as log:
        assert log.id != before


def test_no_more_bytes_than_allowed_are_on_their_way(settings: KafkaSettings) -> None:
    create_topics(settings)
    small = changed(settings, max_record_bytes=1_000_000, in_flight_bytes=1_000_000)
    with closing(opened(small)) as log:
        places = log.append("posts", [Record(f"key {n}", bytes(300_000)) for n in range(20)])
    assert places == [(0, offset) for offset in range(20)]
    bound = ByteBound(100)
    assert bound.take(60, timeout_s=0)
    assert not bound.take(60, timeout_s=0.01)
    bound.give_back(60)
    assert bound.take(60, timeout_s=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"servers": []}, "at least 1 item"),
        ({"servers": ["kafka"]}, "should match pattern"),
        ({"replication": 1}, "min_insync = 2 can never be met by replication = 1"),
        ({"user": "hustings"}, "user and password_file go together"),
        ({"user": "a", "password_file": "b", "mechanism": "PLAIN"}, "it needs tls = true"),
        ({"in_flight_bytes": 1_000_000}, "in_flight_bytes must be at least max_record_bytes, 6000000"),
        ({"retries": 3}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        KafkaSettings.model_validate({"servers": ["127.0.0.1:9092"], **given})
