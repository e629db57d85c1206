"""Who learns from reviews: linear heads of one code. The others are told what they learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.pipeline import shipped_models
from classifiers.store import ModelStore
from hustings.errors import ConfigError
from runtime.build import codebook
from runtime.teachable import teachable
from tests.command_line import CommandLine, command_line

hustings = pytest.fixture(command_line)
SHIPPED = ModelStore(shipped_models())


@pytest.mark.parametrize(
    ("name", "code", "language"),
    [
        ("G-en", "G", "en"),
        ("A-INSULT-pt", "A-INSULT", "pt"),
        ("N-PROC-DATE-en", "N-PROC-DATE", "en"),
        ("CW-en", "CW", "en"),
    ],
)
def test_a_linear_head_of_one_code_learns_from_reviews(name: str, code: str, language: str) -> None:
    assert teachable(name, SHIPPED, codebook()) == (code, language)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("N-en", r"kind narratives; it learns from seed sentences.*classifiers/seeds/en\.toml.*N-PROC-DATE-en"),
        ("N-de", r"kind narratives; it learns from seed sentences.*N-PROC-DATE-de"),
        ("A-it", r"kind meaning; it is settled beside the encoder.*classifiers/seeds/abuse/it\.toml.*A-INSULT-it"),
        ("claims", r"kind claims; it learns from pairs.*`hustings model train claims --out FOLDER`"),
        ("encoder-en", r"kind encoder; it learns beside a linear head.*--kind encoder --beside HEAD --from-desk"),
        ("embed-en", "kind embedder; it is served as it comes"),
        ("CW-CLAIM-en", "ranked and never flagged; its head is called CW-en"),
    ],
)
def test_every_other_model_is_told_what_it_learns_from(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        teachable(name, SHIPPED, codebook())


@pytest.mark.parametrize("command", [("model", "train", "N-en", "--from-desk"), ("corpus", "build", "N-en")])
def test_it_is_told_before_anything_is_done(command: tuple[str, ...], tmp_path: Path, hustings: CommandLine) -> None:
    config = tmp_path / "hustings.toml"
    config.write_text('[deployment]\nname = "x"\ndata = "var"\n')
    answer = hustings(*command, "--config", config)
    assert (answer.status, answer.out) == (2, "")
    assert "learns from seed sentences" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["hustings.toml"]
