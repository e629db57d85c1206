"""A BERT that a package carries as an ONNX file, as a folder that transformers opens.

Exports of the usual kind keep the names of biases, norms and embeddings; a matrix gets a number for its name and stands
transposed, and the node that multiplies by it bears the name of the layer: `/encoder/layer.0/output/dense/MatMul`. The
vectors of the base that is pinned differ from those of its ONNX file by less than .00001.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.torch_extra import need
from hustings.errors import ConfigError

__all__ = ["unpack_bert"]

_EMBEDDINGS = "embeddings.word_embeddings.weight"
_PLACES = "embeddings.position_embeddings.weight"
_WIDE = "encoder.layer.0.intermediate.dense.weight"
_MATRIX = re.compile(r"^/?(encoder/layer\.\d+/\S+)/MatMul$")
_LAYER = re.compile(r"^encoder\.layer\.(\d+)\.")
_OF_A_LAYER = 16
_OF_EMBEDDINGS = 5
_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}

F32 = NDArray[np.float32]


def unpack_bert(network: bytes, tokenizer: bytes, folder: Path, where: str, *, attention_heads: int) -> None:
    """Write `model.safetensors`, `config.json`, `tokenizer.json` and `tokenizer_config.json` into `folder`. The number
    of attention heads cannot be read from weights. Raises `ConfigError` when the bytes are no such file."""
    onnx = need("onnx")
    try:
        weights = _weights(onnx, onnx.load_model_from_string(network))
        config = _config(weights, attention_heads)
    except Exception as error:  # what a broken file makes protobuf and NumPy raise has no common class
        raise ConfigError(f"{where}: cut off, or no BERT of the usual form ({error!r})") from error
    layers = config["num_hidden_layers"]
    if len(weights) != _OF_EMBEDDINGS + _OF_A_LAYER * layers:
        wanted = _OF_EMBEDDINGS + _OF_A_LAYER * layers
        raise ConfigError(f"{where}: {len(weights)} tensors were found, a BERT of {layers} layers has {wanted}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_bytes(tokenizer)
    for name, told in (("config.json", config), ("tokenizer_config.json", _TOKENIZER)):
        (folder / name).write_text(json.dumps(told, indent=1) + "\n")
    need("safetensors.numpy").save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})


def _weights(onnx: Any, model: Any) -> dict[str, F32]:
    """The tensors by the names that transformers gives them, in the order of their names."""
    found = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    weights = {name: value for name, value in found.items() if name.startswith(("embeddings.", "encoder."))}
    for node in model.graph.node:
        named = _MATRIX.match(node.name)
        matrix = next((found[name] for name in node.input if name in found), None)
        if node.op_type == "MatMul" and named and matrix is not None:
            weights[f"{named[1].replace('/', '.')}.weight"] = matrix.T
    return {name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in sorted(weights)}


def _config(weights: dict[str, F32], attention_heads: int) -> dict[str, Any]:
    pieces, hidden = weights[_EMBEDDINGS].shape
    numbers = [int(named[1]) for named in map(_LAYER.match, weights) if named]
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": max(numbers) + 1,
        "num_attention_heads": attention_heads,
        "intermediate_size": weights[_WIDE].shape[0],
        "max_position_embeddings": weights[_PLACES].shape[0],
        "vocab_size": pieces,
        "pad_token_id": 0,
    }
