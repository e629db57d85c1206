"""A base that is packed to 4 bits a weight, to a folder that transformers opens."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers.training.encoder.packed_e5 import unpack_e5
from hustings.errors import ConfigError
from tests.servers.torch_environment import run_with_torch
from tests.tiny_packed_base import HIDDEN, PIECES, packed, tiny_numbers

NUMBERS = tiny_numbers()
PACKED = packed(NUMBERS)
UNPACK = """
import sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from classifiers.training.encoder.packed_e5 import unpack_e5
folder = Path(sys.argv[1])
unpack_e5((folder / "packed.bin").read_bytes(), folder, "here")
np.savez(folder / "weights.npz", **load_file(folder / "model.safetensors"))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, by a Python that can write safetensors."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "packed.bin").write_bytes(PACKED)
    run_with_torch("-c", UNPACK, str(folder), what="unpacking a base")
    return folder


def needs_torch(test: Callable[[Path], None]) -> Callable[[Path], None]:
    return pytest.mark.torch(pytest.mark.xdist_group("torch")(pytest.mark.timeout(1500)(test)))


@needs_torch
def test_each_weight_is_the_one_that_was_packed(unpacked: Path) -> None:
    with np.load(unpacked / "weights.npz") as weights:
        of_layer = "encoder.layer.0"
        for name, own in (
            ("embeddings.word_embeddings.weight", "emb.word"),
            ("embeddings.position_embeddings.weight", "emb.pos"),
            ("embeddings.token_type_embeddings.weight", "emb.type"),
            ("embeddings.LayerNorm.bias", "emb.ln.b"),
            (f"{of_layer}.attention.self.key.weight", "l0.k.w"),
            (f"{of_layer}.attention.output.dense.bias", "l0.ao.b"),
            (f"{of_layer}.attention.output.LayerNorm.weight", "l0.aln.w"),
            (f"{of_layer}.intermediate.dense.weight", "l0.fi.w"),
            (f"{of_layer}.output.dense.weight", "l0.fo.w"),
            (f"{of_layer}.output.LayerNorm.bias", "l0.oln.b"),
        ):
            assert weights[name].dtype == np.float16
            assert np.array_equal(weights[name], NUMBERS[own]), name
        assert len(weights.files) == len(NUMBERS)


@needs_torch
def test_the_configuration_is_that_of_such_a_bert(unpacked: Path) -> None:
    config = json.loads((unpacked / "config.json").read_text())
    sizes = {"vocab_size": len(PIECES), "hidden_size": HIDDEN, "num_hidden_layers": 1, "pad_token_id": 1}
    assert config.items() >= ({"model_type": "bert", "num_attention_heads": 2} | sizes).items()


@needs_torch
def test_the_tokenizer_cuts_by_its_scores(unpacked: Path) -> None:
    pieces = Tokenizer.from_file(str(unpacked / "tokenizer.json"))
    read = pieces.encode("the vote is нет 7")
    assert read.tokens == ["<s>", "▁the", "▁vote", "▁is", "▁нет", "▁", "7", "</s>"]
    assert read.ids == [PIECES.index(one if one in PIECES else "<unk>") for one in read.tokens]


# ── other files ──


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "begins with b''"),
        (b"GGUF" + PACKED[4:], "begins with b'GGUF', wanted is b'E5S1'"),
        (PACKED[:50], "cut off or of another form"),
        (PACKED[: len(PACKED) // 2], "cut off or of another form"),
        (PACKED[:-1], "cut off or of another form"),
        (packed({name: one for name, one in NUMBERS.items() if name != "l0.q.w"}), "cut off or of another form"),
        (packed(NUMBERS | {"emb.pos": NUMBERS["emb.pos"][:7]}), "cut off or of another form"),
        (packed(NUMBERS, ("[PAD]", *PIECES[1:])), r"begins with the pieces \['\[PAD\]'"),
    ],
    ids=["empty", "magic", "head", "half", "last byte", "a tensor", "a shape", "special pieces"],
)
def test_a_file_that_is_cut_off_or_of_another_form_is_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    with pytest.raises(ConfigError, match=f"e5.bin: {reason}"):
        unpack_e5(raw, tmp_path / "base", "e5.bin")
    assert not (tmp_path / "base").exists()


HEAD = PACKED[: PACKED.index(b"l0.oln.w") + 40]


@settings(max_examples=300)
@given(st.integers(4, len(HEAD) - 1), st.integers(0, 255), st.sampled_from([1, 2, 4, 8]))
def test_no_byte_of_the_head_breaks_it_otherwise(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, many: int
) -> None:
    raw = PACKED[:at] + bytes([byte]) * many + PACKED[at + many :]
    with suppress(ConfigError):
        unpack_e5(raw, tmp_path_factory.mktemp("base"), "e5.bin")
