import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from classifiers.manifest import read_manifest
from classifiers.signing import load_signers
from hustings.errors import ConfigError, ModelError
from runtime.commands.model import app
from tests.model_folders import Keys, make_head

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
    assert found["G-en"]["head"] == "G-en"
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
    """Signed when a key is given; what it took is noted beside the model."""
    keys = Keys(tmp_path / "keys")
    models = tmp_path / "models"
    (made,) = json.loads(run("train", "N-es", "--out", models, "--at", "2026-10-01", "--key", keys.private, "--json"))
    run("score", "N-es", "--data", rows, "--models", models)
    read_manifest(models / "N-es", signers=keys.signers)
    (listed,) = json.loads(run("list", "--models", models, "--json"))
    assert (listed["training_s"], listed["active"], listed["gates"]) == (made["seconds"], True, "not run")


def test_what_is_wrong_is_told(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="G-en"):
        run("score", "G-xx", "--data", rows)
    with pytest.raises(ConfigError, match="line 1: no key 'body'"):
        run("score", "G-en", "--data", rows, "--text", "body")
    with pytest.raises(ConfigError, match="nowhere"):
        run("score", "G-en", "--data", tmp_path / "nowhere.jsonl")


def test_compare_gives_the_difference_with_its_interval(tmp_path: Path) -> None:
    models = tmp_path / "models"
    make_head(models / "G-en", "clown", version="1")
    make_head(models / "G-en@2", "clown", "muppet", version="2")
    texts = [f"that {'clown' if n % 4 == 0 else 'muppet' if n % 4 == 1 else 'baker'} number {n}" for n in range(80)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": int(n % 4 < 2)}) + "\n" for n, text in enumerate(texts)))
    arguments = ("--data", path, "--label", "label", "--positive", "1", "--models", models)
    found = json.loads(run("compare", "G-en@1", "G-en@2", *arguments, "--json"))
    recall = next(one for one in found["measures"] if one["name"] == "recall")
    assert (found["models"], found["n"]) == (["G-en@1", "G-en@2"], 80)
    assert (recall["values"], recall["difference"]) == ([0.5, 1.0], 0.5)
    assert 0.3 < recall["low"] < 0.5 < recall["high"] < 0.7
    alike = json.loads(run("compare", "G-en", "G-en@1", *arguments, "--json"))
    assert {one["difference"] for one in alike["measures"]} == {0.0}
    assert "difference" in run("compare", "G-en@1", "G-en@2", *arguments)


def test_evaluate_gives_every_measure(rows: Path) -> None:
    found = json.loads(run("evaluate", "G-en", "--data", rows, "--label", "label", "--positive", "yes", "--json"))
    assert {"macro_f1", "f1", "pr_auc", "recall_at_precision_90", "ece", "brier"} <= {one["name"] for one in found}
    assert all({"low", "high", "n"} <= one.keys() for one in found)


def test_keys_are_made_once_and_sign_what_is_whole(tmp_path: Path) -> None:
    key = tmp_path / "ours.key"
    made = json.loads(run("keygen", key, "--json"))
    assert (key.stat().st_mode & 0o777, Path(made["public"]).name) == (0o600, "ours.pub")
    with pytest.raises(ConfigError, match="exists already"):
        run("keygen", key)
    folder = make_head(tmp_path / "models" / "G-en", "clown")
    signed = json.loads(run("sign", folder, "--key", key, "--json"))
    assert signed["key"] == made["key"]
    read_manifest(folder, signers=load_signers([tmp_path / "ours.pub"]))
    (folder / "weights.i16.zlib").write_bytes(b"other")
    with pytest.raises(ModelError, match="truncated or replaced"):
        run("sign", folder, "--key", key)


def test_what_is_no_key_is_told(tmp_path: Path) -> None:
    folder = make_head(tmp_path / "models" / "G-en", "clown")
    (tmp_path / "no.key").write_text("secret")
    with pytest.raises(ConfigError, match="no private key in PEM form"):
        run("sign", folder, "--key", tmp_path / "no.key")
    with pytest.raises(ConfigError, match=r"model_signers: .*cannot be read"):
        load_signers([tmp_path / "nowhere.pub"])
    with pytest.raises(ConfigError, match="no public key in PEM form"):
        load_signers([tmp_path / "no.key"])
