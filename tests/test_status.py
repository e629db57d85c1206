"""`hustings status`: the whole picture computed from the stores, as JSON whose form is pinned."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from desk.memory import DeskMemory
from hustings import wire
from hustings.clock import SystemClock
from hustings.contracts import Record
from hustings.source_health import SourceHealth
from runtime.config import load_config
from runtime.loops.frame import Pulse
from runtime.status import lag_of, loops_of
from tests.command_line import CommandLine, command_line
from tests.loops_world import CALM, SUNDAY, LoopsWorld, at, post

CONFIG = """
[deployment]
name = "Test"
clock = "replay"
[[source]]
name = "north-1"
kind = "files"
clock = "as-collected"
path = "none.jsonl"
region = "North"
[[source]]
name = "north-2"
kind = "files"
clock = "as-collected"
path = "none.jsonl"
region = "North"
"""


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def health(silent_from: float, silent_to: float, step: float, **more: object) -> bytes:
    minutes = [step * n for n in range(400)]
    stamps = [at(m) for m in minutes if not silent_from <= m < silent_to]
    return msgspec.json.encode(msgspec.structs.replace(SourceHealth().after_posts(stamps), **more))


@pytest.fixture
def deployment(tmp_path: Path, desk_url: str) -> Path:
    """A configuration whose stores hold a little of everything."""
    path = tmp_path / "hustings.toml"
    path.write_text(CONFIG)
    data = tmp_path / "var"
    data.mkdir()
    shutil.move(desk_url.removeprefix("sqlite:///"), data / "desk.db")
    with ExitStack() as opened:
        world = LoopsWorld(data, f"sqlite:///{data / 'desk.db'}", opened)
        world.append(*SUNDAY, *CALM, CALM[0], post("p", "poison"), post(1, "edited", minutes=1, revision=5))
        world.run_to_the_end()
        world.append(post("unread", "nobody has read this"))
        memory = DeskMemory(world.engine)
        memory.put("source_health", "north-1", health(1000, 1300, 10.0, last_success=at(9000)))
        gap = {"gap_since": at(8000), "last_error": "it does not answer", "brake": "20 messages in a row"}
        memory.put("source_health", "north-2", health(1000, 1300, 12.0, **gap))
        Pulse("analyze", memory=memory, clock=SystemClock(), partitions=lambda: [0]).beat(handled=11)
        Pulse("watch", memory=memory, clock=world.clock).beat(waiting_for="the disk")
    return path


def masked(text: str) -> str:
    """Times of this run, numbers of processes and ages replaced."""
    text = re.sub(r'"(at|last_beat)": "20[^"]+"', r'"\1": "<now>"', text)
    return re.sub(r'"(pid|oldest_s)": [0-9.]+', r'"\1": "<number>"', text)


def test_the_form_of_the_json_is_pinned(
    deployment: Path, hustings: CommandLine, golden: Callable[[str, str], None]
) -> None:
    answer = hustings("status", deployment, "--json")
    assert answer.status == 0
    assert answer.out.count("\n") == 1
    golden("status.json", masked(json.dumps(json.loads(answer.out), indent=1)) + "\n")


def test_people_read_the_same(deployment: Path, hustings: CommandLine) -> None:
    answer = hustings("status", deployment)
    assert answer.status == 0
    assert "SILENCE in North: 2027-03-11 04:36 to 2027-03-11 09:40 UTC, all 2 sources quiet\n" in answer.out
    assert "Alerts waiting for release: 0   queue: 4   outbox: empty\n" in answer.out
    for word in ("posts in log", "balanced", "PULLED", "it does not answer", "oldest unread (s)"):
        assert word in answer.out


def test_books_that_do_not_balance_end_with_1(deployment: Path, hustings: CommandLine, stack: ExitStack) -> None:
    data = load_config(deployment).data
    world = LoopsWorld(data, f"sqlite:///{data / 'desk.db'}", stack)
    position = world.index.positions("posts")[0]
    world.index.write([], log_id=world.log.id, positions={0: position + 1})
    answer = hustings("status", deployment, "--json")
    assert answer.status == 1
    assert json.loads(answer.out)["books"]["balanced"] is False


def test_a_loop_is_alive_by_its_latest_heartbeat(tmp_path: Path, desk_url: str, stack: ExitStack) -> None:
    world = LoopsWorld(tmp_path, desk_url, stack)
    memory = DeskMemory(world.engine)
    Pulse("analyze", memory=memory, clock=world.clock).beat()
    world.clock.advance(timedelta(seconds=6))
    assert {x.loop: x.alive for x in loops_of(memory, world.clock)} == {
        "collect": False,
        "analyze": True,
        "watch": False,
        "deliver": False,
        "desk": False,
    }
    world.clock.advance(timedelta(seconds=1))
    assert not any(x.alive for x in loops_of(memory, world.clock))


def test_every_worker_is_shown_and_whose_partition_it_is(tmp_path: Path, desk_url: str, stack: ExitStack) -> None:
    world = LoopsWorld(tmp_path, desk_url, stack, posts=3)
    memory = DeskMemory(world.engine)
    for number, partitions in (("1", [0, 2]), ("2", [1])):
        worker = f"analyze-{number}"
        Pulse("analyze", worker=worker, memory=memory, clock=world.clock, partitions=partitions.copy).beat()
    loops = loops_of(memory, world.clock, {"analyze": ["analyze-1", "analyze-2", "analyze-3"]})
    of_analyze = [(x.worker, x.alive, x.partitions) for x in loops if x.loop == "analyze"]
    assert of_analyze == [("analyze-1", True, [0, 2]), ("analyze-2", True, [1]), ("analyze-3", False, [])]
    by_partition = {x.partition: x.worker for x in lag_of(world.log, world.clock, loops) if x.topic == "posts"}
    assert by_partition == {0: "analyze-1", 1: "analyze-2", 2: "analyze-1"}
    world.clock.advance(timedelta(seconds=7))
    late = loops_of(memory, world.clock, {"analyze": ["analyze-1"]})
    assert [(x.worker, x.alive) for x in late if x.loop == "analyze"] == [("analyze-1", False), ("analyze-2", False)]
    assert {x.worker for x in lag_of(world.log, world.clock, late)} == {""}, "who is dead reads nothing"


def test_workers_that_somebody_started_under_names_of_their_own_are_shown(
    tmp_path: Path, desk_url: str, stack: ExitStack
) -> None:
    world = LoopsWorld(tmp_path, desk_url, stack)
    memory = DeskMemory(world.engine)
    Pulse("watch", worker="north", memory=memory, clock=world.clock, partitions=lambda: [0]).beat()
    assert [x.worker for x in loops_of(memory, world.clock) if x.loop == "watch"] == ["north"]
    world.clock.advance(timedelta(hours=2))
    assert [x.worker for x in loops_of(memory, world.clock) if x.loop == "watch"] == ["watch"]


def test_lag_and_age_are_of_each_partition(tmp_path: Path, desk_url: str, stack: ExitStack) -> None:
    world = LoopsWorld(tmp_path, desk_url, stack, posts=2)
    first, second = (
        next(p for n in range(100) if world.log.partition_of("posts", (p := post(n, "x")).key) == partition)
        for partition in (0, 1)
    )
    world.log.append("posts", [Record(first.key, wire.encode(first))])
    world.clock.advance(timedelta(seconds=30))
    world.log.append("posts", [Record(second.key, wire.encode(second))] * 2)
    world.clock.advance(timedelta(seconds=10))
    reader = world.log.reader("posts", "analyze", partitions=[0])
    reader.commit({0: 1})
    reader.close()
    found = {x.partition: x for x in lag_of(world.log, world.clock) if x.topic == "posts"}
    assert (found[0].lag, found[0].oldest_s) == (0, None)
    assert (found[1].lag, found[1].oldest_s) == (2, 10.0)


def test_a_deployment_that_never_collected_is_all_zero(tmp_path: Path, hustings: CommandLine) -> None:
    (tmp_path / "hustings.toml").write_text('[deployment]\nname = "Test"\n')
    (tmp_path / "var").mkdir()
    said = json.loads(hustings("status", tmp_path / "hustings.toml", "--json").out)
    assert (said["books"]["log"], said["books"]["balanced"], said["sources"]) == (0, True, [])
