import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hustings.errors import ConfigError, ModelError
from runtime.commands.model import app

ROWS = [
    {"text": "she is a stupid bitch who belongs in the kitchen", "label": "yes", "who": "a"},
    {"text": "the ferry was late again this morning", "label": "no", "who": "b"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_score_prints_one_bare_number_a_line_in_order(rows: Path) -> None:
    high, low = (json.loads(line) for line in run("score", "G-en", "--data", rows, "--json").splitlines())
    assert 1 >= high > 0.9 > 0.3 > low >= 0


def test_narratives_can_be_asked_too(rows: Path) -> None:
    assert len(run("score", "N-en", "--data", rows, "--json").splitlines()) == 2


def test_list_gives_name_language_threshold_data_and_metrics() -> None:
    found = {model["name"]: model for model in json.loads(run("list", "--json"))}
    assert found["G-en"]["language"] == "en"
    assert found["G-en"]["threshold"]["value"] > 0
    assert found["G-en"]["data"][0]["licence"] == "CC0-1.0"
    assert {"macro_f1", "pr_auc", "ece"} <= {metric["name"] for metric in found["G-en"]["metrics"]}
    assert "G-en" in run("list")


def test_evaluate_measures_the_whole_and_each_group(rows: Path) -> None:
    arguments = ("--data", rows, "--label", "label", "--positive", "yes", "--group", "who")
    found = json.loads(run("evaluate", "G-en", *arguments, "--json"))
    assert {metric["on"] for metric in found} == {"rows.jsonl", "who=a", "who=b"}
    assert next(m["value"] for m in found if m["name"] == "macro_f1" and m["on"] == "rows.jsonl") == 1.0
    assert "macro_f1" in run("evaluate", "G-en", *arguments)


def test_train_makes_narratives_from_our_own_seeds_alone(rows: Path, tmp_path: Path) -> None:
    run("train", "N-es", "--out", tmp_path / "models", "--at", "2026-10-01")
    run("score", "N-es", "--data", rows, "--models", tmp_path / "models")


def test_what_is_wrong_is_told(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="G-en"):
        run("score", "G-xx", "--data", rows)
    with pytest.raises(ConfigError, match="line 1: no key 'body'"):
        run("score", "G-en", "--data", rows, "--text", "body")
    with pytest.raises(ConfigError, match="nowhere"):
        run("score", "G-en", "--data", tmp_path / "nowhere.jsonl")
