"""Every command explains itself with an example, and what the documents promise exists."""

from __future__ import annotations

import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from runtime.cli import app
from tests.command_line import command_line

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> dict[str, str]:
    """The words of every command, and its help."""
    found: dict[str, str] = {}

    def walk(command: object, words: list[str]) -> None:
        children = getattr(command, "commands", None)
        if children:
            for name, child in children.items():
                walk(child, [*words, name])
        else:
            found[" ".join(words)] = str(getattr(command, "help", ""))

    walk(typer.main.get_command(app), [])
    return found


@pytest.mark.parametrize("words", commands())
def test_the_help_of_every_command_has_an_example_of_that_command(words: str) -> None:
    text = commands()[words]
    example = re.search(r"Examples?: (.+)", text, re.DOTALL)
    assert example is not None
    assert f"hustings {words}" in example.group(1)


@pytest.mark.parametrize("words", commands())
def test_the_help_of_every_command_is_shown(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hustings = command_line(capsys, monkeypatch)
    answer = hustings(*words.split(), "--help")
    assert answer.status == 0
    assert answer.out.lstrip().startswith(f"Usage: hustings {words}")
    assert answer.err == ""


def test_commands_in_the_documents_exist() -> None:
    known = commands()
    said = {
        (path.name, call.strip())
        for path in DOCUMENTS
        for block in re.findall(r"```.*?```|`[^`\n]+`", path.read_text("utf-8"), re.DOTALL)
        for call in re.findall(r"(?:^|[\s`/])hustings +([a-z][a-z-]*(?: +[a-z][a-z/ -]*)?)", block)
    }
    assert said
    unknown = {(name, call) for name, call in said if not any(is_meant(call, words) for words in known)}
    assert unknown == set()


def is_meant(call: str, words: str) -> bool:
    """Whether `rules check` or `rules check / test / run` mean the command with these words."""
    said, named = call.split(), words.split()
    return said[0] == named[0] and (len(named) == 1 or len(said) == 1 or said[1] in {*named, *named[1].split("-")})


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    def processor_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-P", "-m", "runtime.cli", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(processor_seconds() for _ in range(5)) <= 0.3


def test_only_light_modules_are_imported_before_a_command_runs() -> None:
    heavy = {"numpy", "pydantic", "sqlalchemy", "msgspec", "rich", "httpx", "sklearn", "spacy", "fastapi"}
    code = f"import runtime.cli, sys; print(sorted({heavy!r} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    line = '{"source":"x","native_id":"%d","text":"hello","published_at":"%s","collected_at":"%s"}\n'
    now = "2027-03-10T12:00:00Z"
    posts.write_text("".join(line % (n, now, now) for n in range(3000)))
    command = f"{shlex.quote(sys.executable)} -P -m runtime.cli assess {shlex.quote(str(posts))} --json | head -n 1"
    found = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, check=False)
    assert found.stderr == b""
    assert found.stdout.count(b"\n") == 1
