"""`hustings search`: the query language over the index, for people, spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from desk import audit
from hustings import wire
from hustings.types import Assessment
from runtime import build
from runtime.config import load_config
from tests.command_line import CommandLine, command_line
from tests.loops_world import CALM, SUNDAY, LoopsWorld, post


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path, desk_url: str) -> Path:
    path = tmp_path / "hustings.toml"
    path.write_text('[deployment]\nname = "Test"\n')
    data = tmp_path / "var"
    data.mkdir()
    shutil.move(desk_url.removeprefix("sqlite:///"), data / "desk.db")
    with ExitStack() as opened:
        world = LoopsWorld(data, f"sqlite:///{data / 'desk.db'}", opened)
        world.append(*SUNDAY, *CALM, post("odd", "[/bold] \x1b[31m =1+1 \n ends here", minutes=60))
        world.run_to_the_end()
    return path


def test_a_table_for_people_newest_first(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "sunday", "--config", config)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith("4 match")
    places = [answer.out.index(f"net:{n}") for n in (3, 2, 1, 0)]
    assert places == sorted(places)


def test_text_of_a_post_is_shown_and_never_obeyed(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "ends", "--config", config)
    assert "[/bold] \\x1b[31m =1+1   ends here" in answer.out
    assert "\x1b" not in answer.out


def test_json_lines_are_assessments(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "flag:N-PROC-DATE", "--config", config, "--json")
    found = [wire.decode_strict(line.encode(), Assessment) for line in answer.out.splitlines()]
    assert [a.key for a in found] == ["net:3", "net:2", "net:1", "net:0"]


def test_csv_has_a_header_and_runs_nothing(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "*", "--config", config, "--csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert len(rows) == 9
    assert rows[0]["key"] == "net:odd"


def test_only_the_number(config: Path, hustings: CommandLine) -> None:
    assert hustings("search", "sunday", "--config", config, "--count").out == "4\n"
    assert hustings("search", "nothing like it", "--config", config, "--count").out == "0\n"


def test_what_the_limit_leaves_out_is_said(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "sunday", "--config", config, "--limit", "3", "--json")
    assert len(answer.out.splitlines()) == 3
    assert answer.err == "4 match, 3 shown; raise --limit for more\n"


def test_a_query_that_does_not_parse_is_pointed_at(config: Path, hustings: CommandLine) -> None:
    answer = hustings("search", "sunday AND (monday", "--config", config)
    assert answer.status == 2
    told, query, mark = answer.err.splitlines()
    assert told.startswith("hustings: column ")
    assert query == "  sunday AND (monday"
    assert mark.index("^") - 2 == int(told.split()[2].rstrip(":")) - 1


def test_posts_that_leave_as_csv_or_json_leave_an_audit_row(config: Path, hustings: CommandLine) -> None:
    for words in (["sunday"], ["sunday", "--count"], ["sunday", "--csv", "--limit", "3"], ["*", "--json"]):
        assert hustings("search", *words, "--config", config).status == 0
    engine = build.open_engine(load_config(config))
    rows = audit.of_action(engine, "export")
    engine.dispose()
    assert [(row.actor, json.loads(row.detail)) for row in rows] == [
        ("operator", {"query": "sunday", "form": "csv", "posts": 3}),
        ("operator", {"query": "*", "form": "json", "posts": 9}),
    ]


def test_nothing_is_exported_where_the_audit_chain_is_gone(config: Path, hustings: CommandLine) -> None:
    (config.parent / "var" / "desk.db").unlink()
    refused = hustings("search", "sunday", "--csv", "--config", config)
    assert (refused.status, refused.out) == (2, "")
    assert "desk.db: no such file" in refused.err
