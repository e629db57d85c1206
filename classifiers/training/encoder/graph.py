"""An ONNX network taken apart and put together by its nodes: what serving does at once becomes one node (`fused`), and
the first layers become a network of their own (`divided`, `whole`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import EARLY, FIRST_LAYERS, HIDDEN
from classifiers.encoder.session import INPUTS
from classifiers.training.encoder.torch_extra import need
from hustings.errors import ModelError

__all__ = ["divided", "fused", "hidden_size", "whole"]

F64 = NDArray[np.float64]

_RUNTIME = "com.microsoft"
"""Where onnxruntime keeps operators of its own."""
_PADDING = "padding"


def fused(network: bytes) -> bytes:
    """The same network, in which attention is one node, as is each GELU: what the exporter writes of them takes a
    fifth of the time, since onnxruntime does not know it again. Raises `ModelError` for one that is no BERT."""
    onnx = need("onnx")
    model = onnx.load_from_string(network)
    graph = _Graph(model)
    for softmax in graph.of_kind("Softmax"):
        shown = graph.only_user(graph.only_user(softmax, "Where"), "MatMul")
        cut = graph.only_user(graph.only_user(shown, "Transpose"), "Reshape")
        compared = graph.makes(graph.makes_all(softmax)[0].input[0])
        asked, keys = (graph.sum_behind(name) for name in compared.input)
        values = graph.sum_behind(shown.input[1])
        graph.replace(
            cut,
            onnx.helper.make_node(
                "MultiHeadAttention",
                [asked, keys, values, "", _PADDING],
                [cut.output[0]],
                name=f"{softmax.name}_attention",
                domain=_RUNTIME,
                num_heads=graph.width(asked) // graph.head_size(asked),
            ),
        )
    for error in graph.of_kind("Erf"):
        divided_by = graph.makes(error.input[0])
        last = graph.only_user(graph.only_user(graph.only_user(error, "Add"), "Mul"), "Mul")
        node = onnx.helper.make_node(
            "Gelu", [divided_by.input[0]], [last.output[0]], name=f"{error.name}_gelu", domain=_RUNTIME
        )
        graph.replace(last, node)
    padding = onnx.helper.make_node("Cast", [INPUTS[1]], [_PADDING], name=_PADDING, to=onnx.TensorProto.INT32)
    model.graph.node.insert(0, padding)
    if all(one.domain != _RUNTIME for one in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid(_RUNTIME, 1))
    del model.graph.value_info[:]
    _keep_needed(model, ())
    raw: bytes = model.SerializeToString()
    return raw


def divided(network: bytes, weights: F64, intercepts: Sequence[float]) -> tuple[bytes, bytes]:
    """The first `FIRST_LAYERS` layers of a `fused` network, ids and mask → what they make of each piece and
    [texts, topics] the mean of that over the pieces times `weights` [hidden, topics] plus `intercepts`; and the other
    layers, which go on from there → logits."""
    onnx = need("onnx")
    first, rest = onnx.load_from_string(network), onnx.load_from_string(network)
    norms = [node.output[0] for node in first.graph.node if node.op_type == "LayerNormalization"]
    hidden = norms[min(2 * FIRST_LAYERS, len(norms) - 1)]  # two to a layer, behind that of the embeddings
    width = int(weights.shape[0])
    for model in (first, rest):
        _rename(model, hidden, HIDDEN)
    del first.graph.output[:]
    first.graph.node.extend(_early(onnx))
    constants = {
        "early_weights": weights.astype(np.float32),
        "early_intercepts": np.array(intercepts, dtype=np.float32),
        "early_last": np.array([2]),
        "early_pieces": np.array([1]),
    }
    first.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in constants.items())
    number = onnx.TensorProto.FLOAT
    described = onnx.helper.make_tensor_value_info(HIDDEN, number, ["texts", "pieces", width])
    early = onnx.helper.make_tensor_value_info(EARLY, number, ["texts", len(intercepts)])
    first.graph.output.extend([described, early])
    _keep_needed(first, ())
    mask = next(one for one in rest.graph.input if one.name == INPUTS[1])
    del rest.graph.input[:]
    rest.graph.input.extend([described, mask])
    _keep_needed(rest, (HIDDEN,))
    return first.SerializeToString(), rest.SerializeToString()


def whole(first: bytes, rest: bytes) -> bytes:
    """The network that `divided` took apart."""
    onnx = need("onnx")
    begun, model = onnx.load_from_string(first), onnx.load_from_string(rest)
    nodes = list(model.graph.node)
    known = {name for node in begun.graph.node for name in node.output}
    del model.graph.node[:]
    model.graph.node.extend(begun.graph.node)
    model.graph.node.extend(node for node in nodes if not known.intersection(node.output))
    kept = {one.name for one in model.graph.initializer}
    model.graph.initializer.extend(one for one in begun.graph.initializer if one.name not in kept)
    del model.graph.input[:]
    model.graph.input.extend(begun.graph.input)
    _keep_needed(model, ())
    raw: bytes = model.SerializeToString()
    return raw


def hidden_size(network: bytes) -> int:
    """How many numbers its layers make of a piece."""
    graph = need("onnx").load_from_string(network).graph
    norm = next(node for node in graph.node if node.op_type == "LayerNormalization")
    return next(int(one.dims[0]) for one in graph.initializer if one.name == norm.input[1])


def _early(onnx: Any) -> Iterator[Any]:
    """The mean over the pieces that are read, through one linear layer."""
    make = onnx.helper.make_node
    yield make("Cast", [INPUTS[1]], ["early_mask"], to=onnx.TensorProto.FLOAT)
    yield make("Unsqueeze", ["early_mask", "early_last"], ["early_each"])
    yield make("Mul", [HIDDEN, "early_each"], ["early_read"])
    yield make("ReduceSum", ["early_read", "early_pieces"], ["early_sum"], keepdims=0)
    yield make("ReduceSum", ["early_mask", "early_pieces"], ["early_many"], keepdims=1)
    yield make("Div", ["early_sum", "early_many"], ["early_mean"])
    yield make("MatMul", ["early_mean", "early_weights"], ["early_margins"])
    yield make("Add", ["early_margins", "early_intercepts"], [EARLY])


def _rename(model: Any, name: str, other: str) -> None:
    for names in (names for node in model.graph.node for names in (node.input, node.output)):
        for place, one in enumerate(names):
            if one == name:
                names[place] = other


def _keep_needed(model: Any, given: Collection[str]) -> None:
    """Leave out all that no output needs when what is called `given` is there anyhow."""
    graph = model.graph
    makes = {name: node for node in graph.node for name in node.output if name not in given}
    needed: set[str] = set()
    asked = [one.name for one in graph.output]
    while asked:
        name = asked.pop()
        if name not in needed:
            needed.add(name)
            asked += makes[name].input if name in makes else ()
    nodes = [node for node in graph.node if any(name in needed and name in makes for name in node.output)]
    kept = [one for one in graph.initializer if one.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)


class _Graph:
    """A network's nodes by what they make and who uses it."""

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._array = need("onnx").numpy_helper.to_array
        self._made = {name: node for node in self._graph.node for name in node.output}
        self._kept = {one.name: one for one in self._graph.initializer}
        self._users: dict[str, list[Any]] = {}
        for node in self._graph.node:
            for name in node.input:
                self._users.setdefault(name, []).append(node)

    def of_kind(self, kind: str) -> list[Any]:
        return [node for node in self._graph.node if node.op_type == kind]

    def makes(self, name: str) -> Any:
        if name not in self._made:
            raise ModelError(f"the exported network has no node that makes {name!r}")
        return self._made[name]

    def makes_all(self, node: Any) -> list[Any]:
        """The nodes from which this one takes something that is made."""
        return [self._made[name] for name in node.input if name in self._made]

    def only_user(self, node: Any, kind: str) -> Any:
        """The one node of that kind that uses what this one makes."""
        found = [one for one in self._users.get(node.output[0], []) if one.op_type == kind]
        if len(found) != 1:
            raise ModelError(f"the exported network is no BERT: {len(found)} {kind} behind {node.name}")
        return found[0]

    def sum_behind(self, name: str) -> str:
        """What a bias was added to, before it was cut into heads."""
        node = self.makes(name)
        while node.op_type != "Add":
            node = self.makes_all(node)[0]
        return str(node.output[0])

    def width(self, added: str) -> int:
        """Of what a bias was added to."""
        return next(int(self._kept[name].dims[0]) for name in self.makes(added).input if name in self._kept)

    def head_size(self, added: str) -> int:
        """Into parts of that size it is cut."""
        sizes = next(node for node in self._users[added] if node.op_type == "Reshape").input[1]
        if sizes not in self._kept:
            sizes = self._made[sizes].input[-1]
        return int(self._array(self._kept[sizes]).ravel()[-1])

    def replace(self, node: Any, by: Any) -> None:
        place = list(self._graph.node).index(node)
        self._graph.node.remove(node)
        self._graph.node.insert(place, by)
