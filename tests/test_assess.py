"""`hustings assess`: a line in, a line out, in order, whatever the line holds."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast, get_args

import pytest

from classifiers.pipeline import Pipeline
from hustings import wire
from hustings.clock import SystemClock, VirtualClock
from hustings.errors import DeadReason
from hustings.types import Assessment
from runtime.assess import assess_lines
from runtime.build import open_pipeline
from tests.command_line import CommandLine, command_line

TIMES = '"published_at":"2027-03-10T12:00:00Z","collected_at":"2027-03-10T12:00:01Z"'


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


def line(number: int, text: str = "a fine day", more: str = "") -> str:
    return f'{{"source":"net","native_id":"{number}","text":{json.dumps(text)},{TIMES}{more}}}'


HOSTILE: list[tuple[str, bytes]] = [
    ("not_json", b"junk"),
    ("not_json", line(1).encode() + b" trailing"),
    ("not_json", line(1, more=',"reach":NaN').encode()),
    ("not_json", line(1, text="x").encode().replace(b'"x"', b'"\xff\xfe"')),
    ("not_an_object", b'["a", "list"]'),
    ("too_large", line(1, more=',"title":"' + "x" * wire.MAX_BYTES + '"').encode()),
    ("too_deep", b'{"source":' + b"[" * 200 + b"]" * 200 + b"}"),
    ("duplicate_key", line(1, more=',"text":"again"').encode()),
    ("unknown_key", line(1, more=',"likes":3').encode()),
    ("missing_key", b'{"source":"net"}'),
    ("wrong_type", line(1, more=',"reach":"many"').encode()),
    ("out_of_range", line(1, more=',"reach":-1').encode()),
    ("out_of_range", line(1, more=',"reach":1e400').encode()),
    ("lone_surrogate", line(1).encode().replace(b"fine", b"\\ud800")),
    ("newer_schema", line(1, more=',"schema":99').encode()),
    ("too_many_fields", line(1, more=',"hashtags":[' + ",".join(['"x"'] * 200_000) + "]").encode()),
]
"""A line for each reason that a line can be refused for."""

NOT_OF_A_LINE = {"undecodable", "stage_failed", "refused", "oversize_text"}
"""Reasons of other formats, of a step that fails, and of texts beyond what a later stage takes."""


def test_each_reason_is_given_in_its_place_and_the_next_line_goes_on(tmp_path: Path, hustings: CommandLine) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_bytes(b"\n".join(raw + b"\n" + line(n).encode() for n, (_, raw) in enumerate(HOSTILE)) + b"\n")
    answer = hustings("assess", file, "--json")
    said = [json.loads(raw) for raw in answer.out.splitlines()]
    assert answer.status == 0
    assert [one["dead_letter"]["reason"] for one in said[0::2]] == [reason for reason, _ in HOSTILE]
    assert [one["line"] for one in said[0::2]] == list(range(1, 2 * len(HOSTILE), 2))
    assert [one["post"]["native_id"] for one in said[1::2]] == [str(n) for n in range(len(HOSTILE))]
    assert answer.err == f"{len(HOSTILE)} unusable line(s)\n"
    assert {reason for reason, _ in HOSTILE} == set(get_args(DeadReason)) - NOT_OF_A_LINE


def test_each_line_of_output_is_an_assessment_on_the_wire(tmp_path: Path, hustings: CommandLine) -> None:
    texts = ["Vote on Monday, not on Sunday!", "", "ฉัน", "a\u200bb \U0001f5f3", "x" * 30_000, "التصويت يوم الأحد"]
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(line(n, text) + "\n" for n, text in enumerate(texts)))
    answer = hustings("assess", file)
    found = [wire.decode_strict(raw.encode(), Assessment) for raw in answer.out.splitlines()]
    assert [(a.post.native_id, a.post.text) for a in found] == [(str(n), text) for n, text in enumerate(texts)]
    assert all(a.assessed_at is not None for a in found)
    assert found[0].tokens[:3] == ("vote", "on", "monday")


def test_blank_lines_are_passed_over_but_counted(hustings: CommandLine) -> None:
    text = f"\n  \n{line(1)}\r\n\njunk\n\n{line(2)}"
    said = [json.loads(raw) for raw in hustings("assess", "-", stdin=text.encode()).out.splitlines()]
    assert [one.get("line") or one["post"]["native_id"] for one in said] == ["1", 5, "2"]


def test_an_empty_file_gives_nothing(tmp_path: Path, hustings: CommandLine) -> None:
    (tmp_path / "empty").touch()
    answer = hustings("assess", tmp_path / "empty")
    assert (answer.status, answer.out, answer.err) == (0, "", "")


def test_strict_ends_with_1_when_a_line_was_unusable(hustings: CommandLine) -> None:
    assert hustings("assess", "-", "--strict", stdin=b"junk\n").status == 1
    assert hustings("assess", "-", "--strict", stdin=line(1).encode()).status == 0


def test_gzip_is_unpacked_whatever_the_file_is_called(tmp_path: Path, hustings: CommandLine) -> None:
    packed = gzip.compress(f"{line(1)}\n{line(2)}\n".encode())
    (tmp_path / "posts").write_bytes(packed)
    for answer in (hustings("assess", tmp_path / "posts"), hustings("assess", "-", stdin=packed)):
        assert [json.loads(raw)["post"]["native_id"] for raw in answer.out.splitlines()] == ["1", "2"]


class Endless:
    """A stream of one line of 50 MB, handed out as asked for."""

    def __init__(self) -> None:
        self.left = 50_000_000
        self.asked: list[int] = []

    def readline(self, size: int) -> bytes:
        self.asked.append(size)
        given = min(size, self.left)
        self.left -= given
        return b"x" * given


def test_a_huge_line_is_never_held_whole() -> None:
    stream = Endless()
    results = assess_lines(cast("BinaryIO", stream), Pipeline(()), clock=SystemClock())
    assert [json.loads(result.raw)["dead_letter"]["reason"] for result in results] == ["too_large"]
    assert max(stream.asked) <= wire.MAX_BYTES + 1


ROSTER = '[[person]]\nid = "c01"\nname = "Ana Torre"\nhandles = ["net:anatorre"]\n'
CONFIG = 'roster = "roster.toml"\n[deployment]\nname = "Test"\n'


def test_a_configuration_brings_its_roster(tmp_path: Path, hustings: CommandLine) -> None:
    (tmp_path / "roster.toml").write_text(ROSTER)
    (tmp_path / "hustings.toml").write_text(CONFIG)
    (tmp_path / "posts.jsonl").write_text(line(1, "I will vote for Ana Torre on Sunday") + "\n")

    def people(*options: object) -> list[str]:
        said = json.loads(hustings("assess", tmp_path / "posts.jsonl", *options).out)
        return [target["id"] for target in said.get("targets", [])]

    assert people() == []
    assert people("--config", tmp_path / "hustings.toml") == ["c01"]


def test_batching_changes_nothing() -> None:
    pipeline = open_pipeline(None, story_memory=())
    posts = "".join(line(n, f"vote on sunday, friend number {n % 3}") + "\n" for n in range(20)).encode()

    def found(batch: int) -> list[bytes]:
        clock = VirtualClock(datetime(2027, 3, 10, tzinfo=UTC))
        return [one.raw for one in assess_lines(io.BytesIO(posts), pipeline, clock=clock, batch=batch)]

    assert found(3) == found(100)
