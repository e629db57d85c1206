"""An encoder joined anew with another version of a linear head: what must be there, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifiers.encoder.silence import silences
from classifiers.store import ModelStore
from tests.command_line import CommandLine, command_line
from tests.model_folders import make_head
from tests.tiny_encoder import head, write_encoder

hustings = pytest.fixture(command_line)
HEADER = "rewire_id,text,label_sexist,label_category,label_vector\n"
THREATS = "1. threats, plans to harm and incitement"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The tiny encoder beside two heads, and a version of one of them that waits."""
    folder = tmp_path / "models"
    make_head(folder / "G-en", "bitch")
    make_head(folder / "G-en@2", "bitch", "women", version="2")
    make_head(folder / "G-THR-en", "kill", name="G-THR-en")
    write_encoder(folder / "encoder-en", (head("G", "G-en", 0), head("G-THR", "G-THR-en", 1)))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows in the place of those that decide how scores are joined."""
    words = ("bitch", "women", "kill", "river", "morning", "love")
    rows = []
    for number in range(240):
        word = words[number % len(words)]
        sexist = "sexist" if word in ("bitch", "women", "kill") else "not sexist"
        category = THREATS if word == "kill" else "none"
        rows.append(f"{number},the {word} number {number} of row {number * 7},{sexist},{category},none\n")
    path = tmp_path / "data" / "edos" / "dev.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + "".join(rows))
    return tmp_path / "data"


def test_it_waits_as_the_next_version_and_speaks_beside_the_version_that_was_named(
    models: Path, data: Path, hustings: CommandLine
) -> None:
    answer = hustings("model", "join", "encoder-en", "--beside", "G-en@2", "--models", models, "--data", data, "--json")
    told = json.loads(answer.out)
    assert told["model"] == "encoder-en@2"
    assert told["next"][-1] == f"hustings model promote encoder-en --version 2 --models {models}"
    store = ModelStore(models)
    serving = store.serving()
    assert serving["encoder-en"] == models / "encoder-en"
    joined = {**serving, "encoder-en": models / "encoder-en@2", "G-en": models / "G-en@2"}
    assert silences(joined) == []
    assert [one.beside for one in silences({**serving, "G-en": models / "G-en@2"})] == ["G-en"]


def test_rows_that_a_deployment_has_not_are_named_before_anything_is_done(
    models: Path, tmp_path: Path, hustings: CommandLine
) -> None:
    answer = hustings("model", "join", "encoder-en", "--models", models, "--data", tmp_path)
    assert answer.status == 2
    assert f"{tmp_path}/edos/dev.csv: not there" in answer.err
    assert "--data names the folder that holds edos/dev.csv" in answer.err
    assert not (models / "encoder-en@2").exists()


def test_where_joining_fails_no_empty_version_stays(models: Path, data: Path, hustings: CommandLine) -> None:
    rows = data / "edos" / "dev.csv"
    rows.unlink()
    rows.mkdir()  # what cannot be read
    answer = hustings("model", "join", "encoder-en", "--models", models, "--data", data)
    assert (answer.status, "cannot be read" in answer.err) == (2, True)
    assert not (models / "encoder-en@2").exists()


def test_what_it_does_not_speak_beside_is_told(models: Path, data: Path, hustings: CommandLine) -> None:
    beside = hustings("model", "join", "encoder-en", "--beside", "G-hi@2", "--models", models, "--data", data)
    assert "--beside G-hi@2: encoder-en speaks beside G-en, G-THR-en" in beside.err
    assert "no recipe for an encoder 'encoder-pt'" in hustings("model", "join", "encoder-pt", "--models", models).err
