"""One rule for all commands that work on a deployment: the named file, else HUSTINGS_CONFIG, else here."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main

from runtime.cli import app
from runtime.commands.config_path import VARIABLE
from tests.command_line import CommandLine, command_line

hustings = pytest.fixture(command_line)

AS_AN_ARGUMENT = {
    "check": [],
    "setup": [],
    "run": [],
    "status": [],
    "prune": [],
    "replay": ["--into", "told.jsonl"],
    "collect": [],
    "analyze": [],
    "watch": [],
    "deliver": [],
    "desk": [],
    "loop": ["analyze"],
    "people link": ["ana"],
    "index create": [],
    "index check": [],
    "index migrate": [],
    "index rebuild": [],
    "index verify": [],
    "index prune": [],
    "index drop": ["old"],
    "index keys": ["--out", "keys"],
    "evidence verify": [],
    "audit verify": [],
    "topics create": [],
    "topics check": [],
}
"""With what else they must be told. The file is their last argument."""
AS_AN_OPTION = {
    "search": ["flag:N"],
    "backup": ["copy"],
    "restore": ["copy"],
    "erase": ["net:1", "--reason", "asked"],
    "claims import": ["claims.csv"],
    "claims list": [],
    "claims remove": ["c-1"],
    "claims match": ["--queries", "posts.jsonl"],
    "corpus import": ["rows.csv", "--name", "own", "--text", "text", "--label", "label", "--positive", "yes",
                      "--licence", "CC0-1.0", "--source", "us", "--language", "en"],
    "corpus build": ["G-en"],
    "dead-letters list": [],
    "dead-letters show": ["3f2a"],
    "dead-letters replay": ["3f2a"],
    "source lift": ["herald"],
}  # fmt: skip
HERE = {
    "search", "backup", "restore", "erase", "claims import", "claims list", "claims remove", "dead-letters list",
    "dead-letters show", "dead-letters replay", "source lift",
}  # fmt: skip
"""These take ./hustings.toml where nothing is named."""
WITHOUT = {"demo", "assess", "rules check", "rules test", "rules run", "corpus list"}
"""These, and all commands about models, mean something else without a configuration, so they read a named one only."""


def parameters() -> dict[str, list[str | None]]:
    """What each command says of the configuration that it takes: help, and the variable."""
    found: dict[str, list[str | None]] = {}

    def walk(command: object, words: list[str]) -> None:
        for name, child in getattr(command, "commands", {}).items():
            walk(child, [*words, name])
        for one in getattr(command, "params", ()):
            if one.name == "config":
                found[" ".join(words)] = [one.help, one.envvar]

    walk(typer.main.get_command(app), [])
    return found


def test_no_command_that_takes_a_configuration_is_forgotten_here() -> None:
    found = {words for words in parameters() if not words.startswith("model ")}
    assert found == {*AS_AN_ARGUMENT, *AS_AN_OPTION, *WITHOUT}


@pytest.mark.parametrize("words", [*AS_AN_ARGUMENT, *AS_AN_OPTION])
def test_a_named_configuration_goes_before_that_of_the_environment_and_this_before_the_one_here(
    words: str, hustings: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("claims.csv", "claim,rating\n"), ("posts.jsonl", ""), ("rows.csv", "text,label\n")):
        (tmp_path / name).write_text(text)
    more = {**AS_AN_ARGUMENT, **AS_AN_OPTION}[words]
    named = ["named.toml"] if words in AS_AN_ARGUMENT else ["--config", "named.toml"]
    monkeypatch.setenv(VARIABLE, "environment.toml")
    assert "named.toml: no such file" in told(hustings(*words.split(), *more, *named))
    assert "environment.toml: no such file" in told(hustings(*words.split(), *more))
    monkeypatch.setenv(VARIABLE, "")
    nothing = told(hustings(*words.split(), *more))
    assert ("hustings.toml: no such file" in nothing) is (words in HERE)


def told(answer: object) -> str:
    status, out, err = answer  # type: ignore[misc]  # an Answer
    assert status in (1, 2)
    return f"{out}{err}"


@pytest.mark.parametrize("words", [*AS_AN_ARGUMENT, *AS_AN_OPTION])
def test_the_help_names_the_variable(words: str) -> None:
    text, variable = parameters()[words]
    assert variable == VARIABLE or VARIABLE in str(text)
