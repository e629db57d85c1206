"""A base that a package carries as an ONNX file, to a folder that transformers opens."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from classifiers.training.encoder.bases import BASES, find_base
from hustings.errors import ConfigError
from tests.servers.torch_environment import run_with_torch

UNPACK = """
import json, sys
from pathlib import Path
import torch
from transformers import AutoModel, BertConfig, BertModel
from classifiers.training.encoder.onnx_bert import unpack_bert
from hustings.errors import ConfigError

class Plain(BertModel):
    def forward(self, ids, mask, kinds):
        return super().forward(input_ids=ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state

folder = Path(sys.argv[1])
torch.manual_seed(1)
sizes = dict(vocab_size=60, hidden_size=32, num_hidden_layers=2, intermediate_size=48, max_position_embeddings=20)
config = BertConfig(**sizes, num_attention_heads=4, attn_implementation="eager")
bert = Plain(config, add_pooling_layer=False).eval()
for weights in bert.parameters():  # equal ones would be exported once
    weights.data.normal_(0, 0.2)
ids = torch.arange(3, 15).reshape(2, 6)
given = (ids, torch.ones_like(ids), torch.zeros_like(ids))
names = ["input_ids", "attention_mask", "token_type_ids"]
torch.onnx.export(bert, given, str(folder / "bert.onnx"), input_names=names, dynamo=False)
raw = (folder / "bert.onnx").read_bytes()
unpack_bert(raw, b"{}", folder / "base", "here", attention_heads=4)
again = AutoModel.from_pretrained(str(folder / "base"), attn_implementation="eager").eval()
with torch.no_grad():
    read = again(input_ids=given[0], attention_mask=given[1], token_type_ids=given[2]).last_hidden_state
    apart = bert(*given) - read
told = {"apart": float(apart.abs().max()), "files": sorted(p.name for p in (folder / "base").iterdir())}
told["config"] = json.loads((folder / "base" / "config.json").read_text())
small = torch.nn.Linear(4, 4)
torch.onnx.export(small, torch.ones(1, 4), str(folder / "other.onnx"), dynamo=False)
told["refused"] = []
for bad in (b"", raw[: len(raw) // 2], (folder / "other.onnx").read_bytes()):
    try:
        unpack_bert(bad, b"{}", folder / "bad", "here", attention_heads=4)
    except ConfigError as error:
        told["refused"].append(str(error))
told["left"] = (folder / "bad").exists()
print("told " + json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of a tiny BERT that was exported and unpacked, by a Python that has torch."""
    folder = tmp_path_factory.mktemp("base")
    printed = run_with_torch("-c", UNPACK, str(folder), what="unpacking a base")
    line = next(line for line in printed.splitlines() if line.startswith("told "))
    found: dict[str, Any] = json.loads(line.removeprefix("told "))
    return found


@pytest.mark.torch
@pytest.mark.xdist_group("torch")
@pytest.mark.timeout(1500)
def test_what_is_unpacked_reads_as_what_was_exported(told: dict[str, Any]) -> None:
    assert told["apart"] < 1e-5
    assert told["files"] == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    sizes = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 48}
    assert told["config"].items() >= {**sizes, "num_attention_heads": 4, "max_position_embeddings": 20}.items()


@pytest.mark.torch
@pytest.mark.xdist_group("torch")
@pytest.mark.timeout(1500)
def test_what_is_no_bert_or_cut_off_is_refused_and_leaves_nothing(told: dict[str, Any]) -> None:
    assert [reason.startswith("here: cut off, or no BERT of the usual form") for reason in told["refused"]] == [
        True
    ] * 3
    assert not told["left"]


def test_a_jar_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    base = BASES["bge-small-en-v1.5"]
    with zipfile.ZipFile(tmp_path / base.file, "w") as archive:
        archive.writestr(base.onnx, b"something else")
    with pytest.raises(ConfigError, match="pinned is 9dff55eb"):
        find_base("bge-small-en-v1.5", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [base.file]


def test_without_maven_a_jar_is_told_to_need_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"embeddings-bge-small-en-v15:0\.36\.2 is fetched by Maven.*no 'mvn'"):
        find_base("bge-small-en-v1.5", tmp_path)
