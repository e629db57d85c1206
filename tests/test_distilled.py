"""Soft targets: what a linear head learns from an encoder beside its labels."""

import csv
from pathlib import Path

import pytest

from classifiers.linear.model import load_head
from classifiers.linear.score import Scorer
from classifiers.manifest import read_manifest
from classifiers.signing import ANYBODY
from classifiers.training import train_linear
from classifiers.training.distilled import ask_encoder
from classifiers.training.order import Order
from classifiers.training.recipes import RECIPES
from classifiers.training.stages import to_nobody
from hustings.errors import ConfigError
from hustings.text import analyse
from tests.tiny_encoder import head, write_encoder

FRIENDLY = " ".join(["what a lovely morning to walk along the river with friends and drink coffee"] * 4)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_encoder(folder / "tiny", (head("G", "G-en-IN", 0),))
    return folder


def test_the_encoder_says_how_likely_the_code_is(models: Path) -> None:
    found = ask_encoder("tiny", "G", ["you stupid bitch", "i love the ferry"], models=models, tell=to_nobody)
    assert found.by == "tiny@1"
    assert found.likely[0] > 0.5 > found.likely[1]


def test_what_a_long_text_ends_with_is_read_too(models: Path) -> None:
    said = ["you stupid bitch", f"{FRIENDLY} you stupid bitch", FRIENDLY, ""]
    whole, late, kind, empty = ask_encoder("tiny", "G", said, models=models, tell=to_nobody).likely
    assert late == whole > 0.9
    assert kind == empty == 0.5


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nobody", "G", "no encoder 'nobody' to learn from"),
        ("tiny", "A-INSULT", "tiny@1 has no output for A-INSULT"),
    ],
)
def test_a_teacher_that_is_not_there_is_named(models: Path, name: str, code: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ask_encoder(name, code, ["a text"], models=models, tell=to_nobody)


def test_a_taught_head_doubts_labels_that_its_teacher_doubts(models: Path, tmp_path: Path) -> None:
    """Every fourth kind post was labelled by mistake; the teacher takes none of them for abuse."""
    path = tmp_path / "uli" / "en_train.csv"
    path.parent.mkdir()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "l1"])
        for number in range(300):
            is_rude = number % 3 == 0
            word = "bitch" if is_rude else "love"
            rows.writerow([f"post {number} {number * 7} is {word}, see {number * 11}", int(is_rude or number % 4 == 1)])
    plain = RECIPES["G-en-IN"]._replace(own_rows=0.0, ordinary_weight=0.0, careless_weight=0.0, knots=0)
    margins, settings = [], []
    for recipe in (plain, plain._replace(taught_by="tiny", taught=0.9)):
        order = Order(data=tmp_path, models=models, version="1", chosen_by="a test", chosen_at="2026-10-01")
        train_linear.train_head(recipe, order)
        settings.append(read_manifest(models / recipe.name, signers=ANYBODY).settings)
        scorer = Scorer([load_head(models / recipe.name, signers=ANYBODY)])
        margins.append(scorer.margins([analyse(f"post is {word}").tokens for word in ("bitch", "love")])[0].tolist())
    assert margins[1][0] > 1.5
    assert margins[1][1] < margins[0][1] - 0.5
    assert "taught_by" not in settings[0]
    assert (settings[1]["taught_by"], settings[1]["taught"]) == ("tiny@1", 0.9)
