"""An encoder of one's own, end to end: an imported corpus in Portuguese, linear heads, fine-tuning with PyTorch by the
command line, promotion, and posts that are read again without PyTorch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from classifiers.encoder.model import load_encoder
from classifiers.signing import ANYBODY
from tests.command_line import command_line
from tests.model_folders import Keys
from tests.own_corpora import WORDS, rows, write_rows
from tests.servers.missing import leave_out
from tests.servers.torch_environment import TorchMissing, python_with_torch

pytestmark = [pytest.mark.torch, pytest.mark.xdist_group("torch"), pytest.mark.timeout(1800)]

ROOT = Path(__file__).parent.parent
CONFIG = """
models = "models"
model_signers = ["keys/ours.pub"]
[deployment]
name = "Velmara"
[charter]
languages = ["pt"]
"""
HEADS = {"A-INSULT-pt": "insults", "A-THREAT-pt": "threats"}
BESIDE = [option for head, corpus in HEADS.items() for option in ("--beside", head, "--corpus", f"{corpus}@1")]
REASON = ("--reason", "a test of what is learnt, not of the suites")


class Deployment(NamedTuple):
    """A deployment with two linear heads in service, and a Python that has torch."""

    folder: Path
    python: Path

    @property
    def config(self) -> Path:
        return self.folder / "my.toml"

    def with_torch(self, *command: object) -> str:
        done = subprocess.run(
            [str(self.python), "-P", *map(str, command)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr[-3000:]}"

    def train(self, base: Path) -> str:
        return self.with_torch(
            "-c", "from runtime.cli import main; main()", "model", "train", "encoder-pt", "--kind", "encoder",
            "--base", base, *BESIDE, "--config", self.config, "--key", self.folder / "keys" / "ours.key",
            "--epochs", 4, "--rate", 5e-3, "--json",
        )  # fmt: skip


class Trained(NamedTuple):
    deployment: Deployment
    told: dict[str, Any]
    again: dict[str, Any]
    base: Path

    @property
    def folder(self) -> Path:
        return self.deployment.folder / "models" / "encoder-pt@1"

    def metric(self, name: str, on: str) -> float:
        return float(next(one["value"] for one in self.told["metrics"] if (one["name"], one["on"]) == (name, on)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    try:
        python = python_with_torch()
    except TorchMissing as missing:
        leave_out("training an encoder", missing)
    root = tmp_path_factory.mktemp("own")
    one = deployment(root / "one", python)
    other = Deployment(root / "other", python)
    shutil.copytree(one.folder, other.folder)
    base = root / "base"
    one.with_torch("-m", "tests.train_tiny_encoder", base, *WORDS)
    made = [where.train(base) for where in (one, other)]
    assert all(told.startswith("{") for told in made), made
    return Trained(one, json.loads(made[0]), json.loads(made[1]), base)


def deployment(folder: Path, python: Path) -> Deployment:
    """Corpora imported, a linear head taught by each, both promoted."""
    folder.mkdir()
    key = Keys(folder / "keys").private
    config = folder / "my.toml"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        for head, corpus in HEADS.items():
            found = rows(threats=corpus == "threats", seed=3 + len(corpus))
            told = ("--text", "body", "--label", "abusive", "--positive", "1", "--licence", "CC-BY-4.0")
            hustings(patch, "corpus", "import", write_rows(folder / f"{corpus}.jsonl", found), "--name", corpus, *told,
                     "--source", "made for tests", "--language", "pt", "--config", config)  # fmt: skip
            hustings(patch, "model", "train", head, "--corpus", corpus, "--config", config, "--key", key)
            hustings(patch, "model", "promote", head, "--version", "1", "--config", config, *REASON)
    return Deployment(folder, python)


def hustings(patch: pytest.MonkeyPatch, *arguments: object) -> str:
    import io
    from contextlib import redirect_stdout

    from runtime.cli import main

    patch.setenv("COLUMNS", "120")
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert not ended.value.code, (arguments, ended.value.code)
    return out.getvalue()


def test_the_command_makes_a_signed_version_with_its_papers_and_says_what_is_next(trained: Trained) -> None:
    assert trained.told["model"] == "encoder-pt@1"
    assert {path.name for path in trained.folder.iterdir()} == {
        "network.onnx", "tokenizer.json", "heads.json", "manifest.json", "manifest.sig", "gates.json", "made.json",
    }  # fmt: skip
    assert Path(trained.told["card"]).exists()
    assert "promote encoder-pt --version 1" in trained.told["next"][-1]
    assert not list((trained.deployment.folder / "models").glob("*.checkpoint"))


def test_each_head_has_its_output_and_its_corpus(trained: Trained) -> None:
    encoder = load_encoder(trained.folder, signers=ANYBODY)
    assert [(one.code, one.beside, one.beside_version, one.output) for one in encoder.heads] == [
        ("A-INSULT", "A-INSULT-pt", "1", 0),
        ("A-THREAT", "A-THREAT-pt", "1", 1),
    ]
    assert encoder.manifest.language == "pt"
    rude, threat = encoder.session.logits(
        ["vamos visitar esse bandido hoje da ponte com igreja", "vamos afogar esse padeiro hoje da ponte com igreja"]
    )
    assert rude[0] > 0 > rude[1]
    assert threat[0] < rude[0]
    assert threat[1] - threat[0] > rude[1] - rude[0]  # beside our own posts the little corpus makes none likely yet


def test_the_licence_of_each_corpus_stands_in_the_manifest(trained: Trained) -> None:
    uses = [(data["file"], data["use"], data["licence"]) for data in trained.told["data"]]
    for corpus in HEADS.values():
        assert (f"{corpus}@1/rows.jsonl", "training", "CC-BY-4.0") in uses
        assert (f"{corpus}@1/rows.jsonl (held-out fifth)", "measuring", "CC-BY-4.0") in uses


def test_it_is_measured_on_the_held_out_fifth(trained: Trained) -> None:
    on = "A-INSULT-pt: insults@1/rows.jsonl (held-out fifth), read all, chosen on other folds"
    assert trained.metric("pr_auc", on) > 0.9
    held_out = next(data["rows"] for data in trained.told["data"] if data["file"].startswith("insults@1/rows.jsonl ("))
    assert 100 < held_out < 170
    assert len(trained.told["epochs"]) == 4


def test_the_same_corpora_and_seed_give_the_same_encoder(trained: Trained) -> None:
    other = trained.deployment.folder.parent / "other" / "models" / "encoder-pt@1"
    for name in ("network.onnx", "tokenizer.json", "heads.json"):
        assert (trained.folder / name).read_bytes() == (other / name).read_bytes()
    assert trained.told["metrics"] == trained.again["metrics"]


def test_a_base_without_a_tokenizer_is_refused_before_anything_is_learnt(trained: Trained, tmp_path: Path) -> None:
    """transformers makes an empty one, under which all posts are alike."""
    bare = tmp_path / "bare"
    shutil.copytree(trained.base, bare)
    for path in bare.glob("*token*"):
        path.unlink()
    opening = (
        "import sys; from classifiers.training.encoder.network import open_base; open_base(sys.argv[1], 1, seed=1)"
    )
    assert "has no tokenizer.json" in trained.deployment.with_torch("-c", opening, bare)
    assert trained.deployment.with_torch("-c", opening, trained.base) == ""


def test_it_serves_beside_its_heads_and_is_joined_anew_when_one_changes(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No torch from here on: promotion, a post, a new version of a linear head, and the same network beside that."""
    run, config = command_line(capsys, monkeypatch), trained.deployment.config
    key = trained.deployment.folder / "keys" / "ours.key"
    assert run("model", "promote", "encoder-pt", "--version", "1", "--config", config, *REASON).status == 0
    post = {
        "source": "feed", "native_id": "1", "text": "vamos afogar esse bandido hoje para longe da igreja com ela",
        "lang": "pt", "published_at": "2026-10-02T10:00:00Z", "collected_at": "2026-10-02T10:00:00Z",
    }  # fmt: skip
    line = json.dumps(post).encode()
    assessed = json.loads(run("assess", "-", "--config", config, "--json", stdin=line).out)
    assert assessed["models"]["encoder-pt"] == "1"
    assert {flag["classifier"] for flag in assessed["flags"] if flag["code"] in ("A-INSULT", "A-THREAT")} == {
        "encoder-pt@1"
    }
    made = run("model", "train", "A-INSULT-pt", "--corpus", "insults", "--config", config, "--key", key)
    assert made.status == 0, made.err
    run("model", "promote", "A-INSULT-pt", "--version", "2", "--config", config, *REASON)
    joined = run("model", "join", "encoder-pt", "--config", config, "--key", key, "--json")
    assert joined.status == 0, joined.err
    again = load_encoder(trained.folder.parent / "encoder-pt@2", signers=ANYBODY)
    assert [one.beside_version for one in again.heads] == ["2", "1"]
    for name in ("network.onnx", "tokenizer.json"):
        assert (trained.folder.parent / "encoder-pt@2" / name).read_bytes() == (trained.folder / name).read_bytes()
    run("model", "promote", "encoder-pt", "--version", "2", "--config", config, *REASON)
    assessed = json.loads(run("assess", "-", "--config", config, "--json", stdin=line).out)
    assert (assessed["models"]["A-INSULT-pt"], assessed["models"]["encoder-pt"]) == ("2", "2")
    other = run(
        "model", "train", "encoder-pt", "--kind", "encoder", "--network", trained.folder, *BESIDE, "--config", config,
        "--seed", 1,
    )  # fmt: skip
    assert (other.status, "other rows would be held out" in other.err) == (2, True)
