"""An 8-bit network as it is served, read back as what is trained: so a shipped encoder can learn on where nobody kept
its exact weights.

What `export` wrote keeps the names of all that is not multiplied with; a matrix lost its own and is found by what is
added to its product, which is the bias beside it. Rounding is not undone: the weights are those that are served.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import DividedSession
from classifiers.encoder.session import Session
from classifiers.training.encoder.network import MOST_PIECES, Network, logits, module_of, split
from classifiers.training.encoder.torch_extra import need
from hustings.errors import ModelError

__all__ = ["check_read_back", "open_served"]

F32 = NDArray[np.float32]

LEAST_ALIKE = 0.995
"""Correlation that all logits of what was read back must have with those of what is served. It is not 1: serving rounds
what it multiplies, too."""
_WORDS = "encoder.embeddings.word_embeddings.weight"
_PLACES = "encoder.embeddings.position_embeddings.weight"
_KINDS = "encoder.embeddings.token_type_embeddings.weight"
_LAYER = "encoder.encoder.layer.{}."
_PADS = ("<pad>", "[PAD]")
_MIDDLE = 128
"""Zero of `MatMulNBits` in 8 bits, where none is given."""


def open_served(network: bytes, tokenizer: bytes, where: str) -> Network:
    """The torch module of these files with all their outputs, in which nothing is random. Raises `ModelError` for a
    network that `fused(quantise(…))` did not make of a BERT."""
    torch, transformers = need("torch"), need("transformers")
    graph = _Graph(network, where)
    pieces = need("tokenizers").Tokenizer.from_buffer(tokenizer)
    pieces.no_padding()
    pieces.enable_truncation(MOST_PIECES)
    pad = next((number for one in _PADS if (number := pieces.token_to_id(one)) is not None), 0)
    words, hidden = graph.shape(_WORDS)
    config = transformers.BertConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=graph.layers(),
        num_attention_heads=graph.attention_heads(),
        intermediate_size=graph.shape(_LAYER.format(0) + "intermediate.dense.bias")[0],
        max_position_embeddings=graph.shape(_PLACES)[0],
        type_vocab_size=graph.shape(_KINDS)[0],
        layer_norm_eps=graph.epsilon(),
        pad_token_id=pad,
    )
    encoder = transformers.BertModel(config, add_pooling_layer=False)
    module = module_of(torch, encoder, graph.shape("heads.bias")[0])
    found = {name: torch.from_numpy(graph.weight(name)) for name, _ in module.named_parameters()}
    module.load_state_dict(module.state_dict() | found)
    return Network(module, pieces)


def check_read_back(network: Network, session: Session | DividedSession, texts: Sequence[str], where: str) -> None:
    """Raises `ModelError` when the module does not say of these texts what the session that it was read from says."""
    own, served = logits(network, split(network, texts)), session.logits(texts)
    alike = float(np.corrcoef(own.ravel(), served.ravel())[0, 1])
    if not alike >= LEAST_ALIKE:  # also when it is no number
        raise ModelError(
            f"{where}: what was read back of its network correlates with it by {alike:.4f} on {len(texts)} texts, at "
            f"least {LEAST_ALIKE} is needed; train from a base instead"
        )


class _Graph:
    """An ONNX network by the names in it."""

    def __init__(self, network: bytes, where: str) -> None:
        onnx = need("onnx")
        self._where = where
        self._graph = onnx.load_from_string(network).graph
        self._array = onnx.numpy_helper.to_array
        self._kept = {one.name: one for one in self._graph.initializer}
        self._makes = {made: node for node in self._graph.node for made in node.output}

    def weight(self, name: str) -> F32:
        """By the name that it has in torch, and laid out as there."""
        if name in self._kept:
            return self._numbers(name).astype(np.float32)
        if f"{name}_quantized" in self._kept:
            return self._rounded(name)
        bias = f"{name.removesuffix('.weight')}.bias"
        node = self._product(bias)
        if node.op_type == "MatMulInteger":
            return np.ascontiguousarray(self._rounded(node.input[1].removesuffix("_quantized")).T)
        if node.op_type == "MatMulNBits":
            return self._blocks(node)
        raise self._unlike(f"{bias} is added to what {node.op_type} gives")

    def shape(self, name: str) -> tuple[int, ...]:
        found = self._kept.get(name) or self._kept.get(f"{name}_quantized")
        if found is None:
            raise self._unlike(f"it has no {name}")
        return tuple(found.dims)

    def layers(self) -> int:
        pattern = re.compile(_LAYER.replace(".", r"\.").format(r"(\d+)"))
        return 1 + max(int(found[1]) for found in map(pattern.match, self._kept) if found)

    def epsilon(self) -> float:
        """That all layers normalise with."""
        of_norms = (node for node in self._graph.node if node.op_type == "LayerNormalization")
        return float(next(one.f for node in of_norms for one in node.attribute if one.name == "epsilon"))

    def attention_heads(self) -> int:
        found = [node for node in self._graph.node if node.op_type == "MultiHeadAttention"]
        if not found:
            raise self._unlike("no node of it is attention")
        return next(int(one.i) for one in found[0].attribute if one.name == "num_heads")

    def _product(self, bias: str) -> Any:
        """The node that multiplies what this bias is added to; behind an integer product stand a cast and a scale."""
        node = next(self._makes[one] for one in self._adds(bias).input if one in self._makes)
        while node.op_type in ("Mul", "Cast"):
            node = self._makes[node.input[0]]
        return node

    def _adds(self, bias: str) -> Any:
        found = [node for node in self._graph.node if node.op_type == "Add" and bias in node.input]
        if len(found) != 1:
            raise self._unlike(f"{bias} is added in {len(found)} places")
        return found[0]

    def _rounded(self, name: str) -> F32:
        whole, scale, zero = (self._numbers(f"{name}_{part}") for part in ("quantized", "scale", "zero_point"))
        found: F32 = (whole.astype(np.float32) - zero.astype(np.float32)) * scale
        return found

    def _blocks(self, node: Any) -> F32:
        """[outputs, inputs]: blocks of inputs have a scale each."""
        sizes = {one.name: int(one.i) for one in node.attribute}
        if sizes["bits"] != 8 or len(node.input) != 3:
            raise self._unlike(f"{node.input[1]} has {sizes['bits']} bits and {len(node.input)} parts, wanted are 8, 3")
        whole = self._numbers(node.input[1]).reshape(sizes["N"], -1, sizes["block_size"]).astype(np.float32)
        scales = self._numbers(node.input[2]).reshape(sizes["N"], -1, 1)
        found: F32 = ((whole - _MIDDLE) * scales).reshape(sizes["N"], -1)[:, : sizes["K"]].astype(np.float32)
        return np.ascontiguousarray(found)

    def _numbers(self, name: str) -> NDArray[Any]:
        if name not in self._kept:
            raise self._unlike(f"it has no {name}")
        found: NDArray[Any] = self._array(self._kept[name])
        return found

    def _unlike(self, what: str) -> ModelError:
        return ModelError(f"{self._where}: not a network as training writes it: {what}; it cannot be trained on")
