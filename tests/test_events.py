"""Log lines: one event a line, whole, in one of two forms, and every event has a meaning."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from hustings.metrics import Event, describe
from runtime.events import open_events


class Recorder(io.StringIO):
    """A stream that remembers each single write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


def test_a_json_line_is_one_object() -> None:
    stream = Recorder()
    open_events(loop="watch", style="json", stream=stream).warning(
        "dead_letters", count=2, detail='two "lines"\nof text'
    )
    said = json.loads(stream.getvalue())
    assert said.pop("at").endswith("Z")
    assert said == {
        "loop": "watch",
        "event": "dead_letters",
        "level": "warning",
        "count": 2,
        "detail": 'two "lines"\nof text',
    }


def test_a_console_line_is_key_and_value() -> None:
    stream = Recorder()
    open_events(loop="watch", stream=stream).info("loop_started", pid=7, detail="a\nb")
    line = stream.getvalue()
    assert line.startswith("at='20")
    assert line.endswith("level='info' loop='watch' event='loop_started' detail='a\\nb' pid=7\n")


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_line_and_its_end_are_written_at_once(style: str) -> None:
    stream = Recorder()
    events = open_events(loop="watch", style=style, stream=stream)  # type: ignore[arg-type] # one of the two
    events.info("loop_started", pid=7)
    events.info("loop_stopped")
    assert len(stream.writes) == 2
    assert all(text.endswith("\n") and text.count("\n") == 1 for text in stream.writes)


def test_lines_of_several_processes_are_never_mixed(tmp_path: Path) -> None:
    code = (
        "from runtime.events import open_events; events = open_events(loop='l', style='json');"
        "[events.info('batch_done', posts=n, hits=0, seconds=0.1) for n in range(300)]"
    )
    with (tmp_path / "log").open("ab") as log:
        writers = [subprocess.Popen([sys.executable, "-P", "-c", code], stderr=log) for _ in range(3)]
        assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 900
    assert all(json.loads(line)["event"] == "batch_done" for line in lines)


def test_events_below_the_level_are_not_written() -> None:
    stream = Recorder()
    events = open_events(loop="watch", level="warning", stream=stream)
    events.info("loop_started", pid=7)
    events.debug("batch_done", posts=1, hits=1, seconds=0.1)
    assert stream.getvalue() == ""


def test_every_event_has_a_meaning() -> None:
    assert describe().keys() == set(get_args(Event))
    assert [meaning for meaning in describe().values() if not (meaning[0].isupper() and "; fields: " in meaning)] == []
