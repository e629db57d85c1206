"""What a user reads when something is wrong: no traceback, what and where and what to do, and the exit status.

All answers stand in one golden file, so that a reviewer reads them as a user does."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from hustings.clock import SystemClock
from ingest.log_sqlite import SqliteLog
from runtime.init import Answers, write_election
from tests.command_line import Answer, CommandLine, command_line

POST = (
    b'{"source":"x","native_id":"1","text":"hi",'
    b'"published_at":"2027-03-10T12:00:00Z","collected_at":"2027-03-10T12:00:01Z"}'
)
CHARTER = """
[charter]
requester = "Observatory"
mandate = "Watch"
period = [2027-03-10, 2099-12-31]
languages = ["en"]
recipients = ["Network"]
legal_basis = "public interest"
contacts = ["desk@observatory.example"]
dpia_ref = "DPIA-1"
"""
GOOD = '[deployment]\nname = "Test"\n' + CHARTER


@pytest.fixture
def hustings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return command_line(capsys, monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Broken things of every kind."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "posts.jsonl").write_bytes(POST + b"\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56")
    (tmp_path / "holds-something").mkdir()
    (tmp_path / "holds-something" / "file").touch()
    for name, line in {
        "roster-gone": 'roster = "none.toml"',
        "rules-gone": 'rules = ["rules/*.toml"]',
        "models-gone": 'models = "no-such-models"',
        "models-empty": 'models = "holds-something"',
        "data-is-a-file": "",
        "unknown-source": '[[source]]\nname = "a"\nkind = "feed"\nurl = "https://news.example/feed"',
        "secret-gone": '[[partner]]\nid = "p"\nname = "P"\npseudonym_key = { file = "none.key" }',
    }.items():
        text = GOOD.replace("[deployment]", line + "\n[deployment]", 1) if not line.startswith("[[") else GOOD + line
        if name == "data-is-a-file":
            text = GOOD.replace('name = "Test"', 'name = "Test"\ndata = "empty/var"')
        (tmp_path / f"{name}.toml").write_text(text)
    (tmp_path / "elsewhere.toml").write_text(GOOD + '[desk]\ndatabase_url = "postgresql://desk.example/hustings"\n')
    (tmp_path / "replay.toml").write_text(GOOD.replace('name = "Test"', 'name = "Test"\nclock = "replay"'))
    write_election(tmp_path / "new", Answers(name="New"))
    return tmp_path


CASES: dict[str, list[str]] = {
    "no such command": ["harvest"],
    "assess: no such file": ["assess", "none.jsonl"],
    "assess: a folder": ["assess", "holds-something"],
    "assess: cut gzip": ["assess", "cut.jsonl.gz"],
    "assess: configuration gone": ["assess", "posts.jsonl", "--config", "none.toml"],
    "assess: models gone": ["assess", "posts.jsonl", "--config", "models-gone.toml"],
    "check: no such file": ["check", "none.toml"],
    "check: empty file": ["check", "empty"],
    "check: binary file": ["check", "binary"],
    "check: a folder": ["check", "holds-something"],
    "check: roster gone": ["check", "roster-gone.toml"],
    "check: rules gone": ["check", "rules-gone.toml"],
    "check: models gone": ["check", "models-gone.toml"],
    "check: models empty": ["check", "models-empty.toml"],
    "check: data folder is a file": ["check", "data-is-a-file.toml"],
    "check: unknown kind of source": ["check", "unknown-source.toml"],
    "check: a partner's key is gone": ["check", "secret-gone.toml"],
    "check: no configuration": ["check"],
    "check: two configurations": ["check", "good.toml", "--config", "new/hustings.toml"],
    "run: charter incomplete": ["run", "new/hustings.toml"],
    "run: no such file": ["run", "none.toml"],
    "loop: no such loop": ["loop", "harvest", "good.toml"],
    "loop: no such file": ["loop", "analyze", "none.toml"],
    "status: nothing has run": ["status", "good.toml"],
    "search: nothing has run": ["search", "*", "--config", "good.toml"],
    "search: no query": ["search", "flag:", "--config", "good.toml"],
    "search: unknown field": ["search", "flags:G", "--config", "good.toml"],
    "search: no configuration here": ["search", "*"],
    "backup: nothing has run": ["backup", "copy", "--config", "good.toml"],
    "backup: desk elsewhere": ["backup", "copy", "--config", "elsewhere.toml"],
    "restore: no backup": ["restore", "holds-something", "--config", "good.toml"],
    "restore: no such folder": ["restore", "none", "--config", "good.toml"],
    "prune: a replay": ["prune", "replay.toml"],
    "prune: nothing has run": ["prune", "good.toml"],
    "dead-letters: nothing has run": ["dead-letters", "list", "--config", "good.toml"],
    "source lift: nothing has run": ["source", "lift", "a", "--config", "good.toml"],
    "evidence verify: nothing has run": ["evidence", "verify", "good.toml"],
    "audit verify: nothing has run": ["audit", "verify", "good.toml"],
    "audit verify: nothing has run, named as an option": ["audit", "verify", "--config", "good.toml"],
    "audit verify: no checkpoint": ["audit", "verify", "good.toml", "--lodged", "12"],
    "init: a folder that holds something": ["init", "holds-something", "--yes"],
    "init: below a file": ["init", "empty/x", "--yes"],
    "init: no day": ["init", "x", "--yes", "--first-day", "1 March"],
    "init: last before first": ["init", "x", "--yes", "--first-day", "2027-03-02", "--last-day", "2027-03-01"],
    "init: no language": ["init", "x", "--yes", "--languages", "en,spanish!"],
}


def test_what_a_user_reads_when_something_is_wrong(
    folder: Path, hustings: CommandLine, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("HUSTINGS_CONFIG", raising=False)
    shown = []
    for name, arguments in CASES.items():
        answer = hustings(*arguments)
        assert answer.status in (1, 2), name
        assert "Traceback" not in answer.err, name
        shown.append(f"=== {name}\n$ hustings {' '.join(arguments)}\n{masked(answer, folder)}")
    assert not (folder / "var").exists(), "a command that only looks makes nothing"
    golden("cli_errors.txt", "\n".join(shown))


@pytest.mark.parametrize("words", [("check", "--json", "--offline"), ("audit", "verify"), ("evidence", "verify")])
def test_a_configuration_is_named_as_an_argument_as_an_option_or_by_the_environment(
    folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HUSTINGS_CONFIG", "none.toml")
    named = hustings(*words, "good.toml")
    assert "none.toml" not in named.out + named.err
    assert hustings(*words, "--config", "good.toml") == named
    assert hustings(*words, "good.toml", "--config", "good.toml") == named
    monkeypatch.setenv("HUSTINGS_CONFIG", "good.toml")
    assert hustings(*words) == named


def masked(answer: Answer, folder: Path) -> str:
    shipped = Path(str(resources.files("classifiers").joinpath("models")))
    lines = answer.masked((folder, "/here"), (shipped, "/shipped")).splitlines()
    return "\n".join("models: …" if line.startswith("models: ") else line for line in lines) + "\n"


def test_another_logs_index_is_refused(folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from index.sqlite import SqliteIndex
    from ingest.log_sqlite import SqliteLog as Log

    monkeypatch.chdir(folder)
    (folder / "var").mkdir()
    index = SqliteIndex(folder / "var" / "index").open()
    index.write([], log_id="f00d" * 8, positions={0: 1})
    index.close()
    Log(folder / "var" / "log", clock=SystemClock()).open().close()
    answer = hustings("status", "good.toml")
    assert answer.status == 2
    assert "the index was filled from log 'f00df00df00df00df00df00df00df00d', but this log is" in answer.err
    answer = hustings("loop", "analyze", "good.toml")
    assert answer.status == 2
    assert "event='loop_failed'" in answer.err
    assert "StoreError" in answer.err


def test_a_port_that_is_taken_is_said_before_anything_starts(
    folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (folder / "port.toml").write_text(GOOD + f"[desk]\nport = {port}\n")
        answer = hustings("run", "port.toml")
    assert answer.status == 2
    assert f"desk: cannot listen at 127.0.0.1:{port}: Address already in use" in answer.err


def test_a_deployment_runs_once(folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "var").mkdir()
    with (folder / "var" / "running.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = hustings("run", "good.toml")
    assert answer.status == 2
    assert "another `hustings run` is at work on this deployment" in answer.err


def test_a_log_that_is_none_is_named(folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "var" / "log").mkdir(parents=True)
    (folder / "var" / "log" / "log.db").write_bytes(b"no database at all" * 100)
    answer = hustings("status", "good.toml")
    assert answer.status == 2
    assert "log.db: is not a SQLite database" in answer.err


def test_text_that_steers_terminals_is_written_out(
    folder: Path, hustings: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hustings.types import DeadLetter
    from ingest.dead_letters import append_dead_letters

    monkeypatch.chdir(folder)
    (folder / "var").mkdir()
    log = SqliteLog(folder / "var" / "log", clock=SystemClock()).open()
    letter = DeadLetter(
        id="ab" * 16,
        stage="collect",
        reason="not_json",
        detail="[/red] \x1b[2J",
        origin="a: row 1",
        original=b"\x1b]0;owned\x07 \xe2\x80\xae",
        at=SystemClock().now(),
    )
    append_dead_letters(log, [letter], code_version="test")
    log.close()
    listed = hustings("dead-letters", "list", "--config", "good.toml")
    shown = hustings("dead-letters", "show", "abab", "--config", "good.toml")
    assert (listed.status, shown.status) == (0, 0)
    assert r"[/red] \x1b[2J" in listed.out
    assert r"\x1b]0;owned\x07 \u202e" in shown.out
    assert "\x1b" not in listed.out + shown.out
