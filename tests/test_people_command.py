"""`hustings people link`: the way back for somebody who has forgotten their password."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desk import people
from desk.database.connect import open_database
from hustings.clock import SystemClock
from tests.command_line import CommandLine, command_line
from tests.desk_world import itself

CONFIG = """
[deployment]
name = "Test"
[desk]
base_url = "https://desk.example/"
"""
PASSWORD = "four unlike plain words"


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "my.toml"
    path.write_text(CONFIG)
    return path


def database(config: Path) -> str:
    return f"sqlite:///{config.parent / 'var' / 'desk.db'}"


def test_the_sole_lead_chooses_a_new_password_by_the_link(hustings: CommandLine, config: Path) -> None:
    engine, clock = open_database(database(config)), SystemClock()
    lead = people.create(engine, login="oda", password=PASSWORD, role="lead", by="tests", clock=clock)
    told = hustings("people", "link", "Oda", config)
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("A new password for oda (lead), once, until ")
    token = told.out.partition("https://desk.example/new-password/")[2].strip()
    new = "another calm sentence"
    assert people.use_password_link(engine, token, password=new, clock=clock, then=itself) == lead
    assert people.sign_in(engine, login="oda", password=new, clock=clock) == lead
    engine.dispose()


def test_the_link_as_json(hustings: CommandLine, config: Path) -> None:
    engine, clock = open_database(database(config)), SystemClock()
    people.create(engine, login="oda", password=PASSWORD, role="lead", by="tests", clock=clock)
    told = json.loads(hustings("people", "link", "oda", "--config", config, "--json").out)
    token = told["link"].removeprefix("https://desk.example/new-password/")
    assert (told["login"], told["role"]) == ("oda", "lead")
    assert people.password_link_holder(engine, token, clock=clock) is not None
    assert (
        timedelta()
        < clock.now() + people.LINK_LASTS - datetime.fromisoformat(told["expires_at"])
        < timedelta(minutes=5)
    )
    engine.dispose()


def test_who_is_not_there_is_told_with_who_is(hustings: CommandLine, config: Path) -> None:
    engine = open_database(database(config))
    people.create(engine, login="oda", password=PASSWORD, role="lead", by="tests", clock=SystemClock())
    engine.dispose()
    told = hustings("people", "link", "ada", config)
    assert (told.status, told.out) == (2, "")
    assert told.err == "hustings: nobody has the login 'ada'; known are oda (lead)\n"


def test_where_no_desk_has_run_no_database_is_made(hustings: CommandLine, config: Path) -> None:
    (config.parent / "var").mkdir()
    told = hustings("people", "link", "oda", config)
    assert told.status == 2
    assert "the desk has never run here, or its database was taken away" in told.err
    assert not (config.parent / "var" / "desk.db").exists()
