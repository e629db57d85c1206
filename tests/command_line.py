"""The command line in the process of a test: the same entry point, its output and exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from runtime.cli import main

__all__ = ["Answer", "CommandLine", "command_line"]

CommandLine = Callable[..., "Answer"]


class Answer(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str

    def masked(self, *paths: tuple[Path, str]) -> str:
        """Status and output as a golden file holds them, with paths of this run replaced."""
        text = f"exit status {self.status}\n{self.out}{self.err}"
        for path, name in paths:
            text = text.replace(str(path), name)
        return text


def command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A function that runs one command: `hustings("check", path, stdin=b"…")`."""

    def hustings(*arguments: object, stdin: bytes = b"") -> Answer:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)

    return hustings
