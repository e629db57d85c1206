"""A trained network to one 8-bit ONNX file, and the gates that it must pass on the way.

The export goes through `dynamo=True`: the older exporter gave a file that ran and was silently wrong by .1 to .3 in
each number. Weights are quantised per channel, signed, and to 7 of the 8 bits: with all 8, sums saturate on x86
processors without VNNI (a published system fell from 87 to 40 % accuracy there), and unsigned weights take half as
long again. The projections down from the wide layers, whose inputs have the largest outliers, get scales for blocks of
64 instead: on EDOS that halved the error (mean distance of logits .15 → .07) for a seventh more time.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.session import INPUTS, OUTPUT
from classifiers.training.encoder.network import Network
from classifiers.training.encoder.torch_extra import need
from classifiers.training.measures import average_precision
from hustings.errors import ModelError

__all__ = ["Agreement", "agreement", "check_agreement", "export", "export_mean", "quantise", "tokenizer_bytes"]

F64 = NDArray[np.float64]

MOST_LOST = 0.01
"""Average precision that quantising may cost, or what one of the rows in which something is found is worth, where they
are few (of 44 threats one that changes its rank can be .02); raised so after encoder-en@13 was refused for .016, with
.2 % of its flags changed …"""
MOST_CHANGED = 0.03
"""… and the share of posts whose flag it may change, one way or the other."""
_EXPORT_DISTANCE = 1e-3
_OPSET = 18
_BLOCK = 64
_FLOAT = 1  # onnx.TensorProto.FLOAT, for tensors whose type shape inference did not find


class Agreement(NamedTuple):
    """How far the 8-bit network is from the trained one on the same texts: distances of logits, average precision lost,
    and the share of flags that change at one threshold."""

    mean: float
    largest: float
    lost: float
    changed: float


def export(network: Network, outputs: Sequence[int]) -> bytes:
    """The network with only these outputs, as float32 ONNX. Raises `ModelError` when it does not compute the same."""
    torch = need("torch")
    return _exported(torch, _chosen(torch, network.module, outputs))


def export_mean(network: Network) -> bytes:
    """The encoder alone, whose output is the mean of its last layer, as float32 ONNX. Raises as `export` does."""
    torch = need("torch")
    return _exported(torch, _mean(torch, network.module))


def _exported(torch: Any, module: Any) -> bytes:
    need("onnxscript")
    module = module.eval()
    ids, mask = torch.ones((2, 9), dtype=torch.int64), torch.ones((2, 9), dtype=torch.int64)
    mask[1, 5:] = 0
    sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("pieces", max=512)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            module,
            (ids, mask),
            str(path),
            dynamo=True,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes={"input_ids": sizes, "attention_mask": sizes},
            opset_version=_OPSET,
            external_data=False,
            verbose=False,
        )
        raw = path.read_bytes()
    _check_export(torch, module, raw)
    return raw


def quantise(network: bytes) -> bytes:
    """The same network with 8-bit weights."""
    onnx = need("onnx")
    quantization = need("onnxruntime.quantization")
    preparing = need("onnxruntime.quantization.shape_inference")
    in_blocks = need("onnxruntime.quantization.matmul_nbits_quantizer")
    logging.getLogger(in_blocks.__name__).setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        names = ("exact.onnx", "prepared.onnx", "blocks.onnx", "small.onnx")
        exact, prepared, blocks, small = (Path(folder) / name for name in names)
        exact.write_bytes(network)
        preparing.quant_pre_process(str(exact), str(prepared), skip_symbolic_shape=True)
        model = onnx.load(str(prepared))
        narrowing = in_blocks.MatMulNBitsQuantizer(
            model,
            algo_config=in_blocks.DefaultWeightOnlyQuantConfig(
                block_size=_BLOCK, is_symmetric=True, accuracy_level=4, bits=8
            ),
            nodes_to_exclude=[node.name for node in model.graph.node if not _narrows(node, model.graph)],
        )
        narrowing.process()
        narrowing.model.save_model_to_file(str(blocks))
        quantization.quantize_dynamic(
            str(blocks),
            str(small),
            per_channel=True,
            reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
            extra_options={"DefaultTensorType": _FLOAT},
        )
        return small.read_bytes()


def _narrows(node: Any, graph: Any) -> bool:
    """Whether the node multiplies with a constant that has more rows than columns."""
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    rows, columns = shapes.get(node.input[1], (0, 0)) if node.op_type == "MatMul" else (0, 0)
    return bool(rows > columns and rows % _BLOCK == 0)


def agreement(exact: F64, small: F64, labels: NDArray[np.int64], threshold: float) -> Agreement:
    """Both are logits of the same texts under one output; `threshold` is a logit."""
    distance = np.abs(exact - small)
    return Agreement(
        round(float(distance.mean()), 4),
        round(float(distance.max(initial=0.0)), 4),
        round(average_precision(labels, exact) - average_precision(labels, small), 4),
        round(float(np.mean((exact >= threshold) != (small >= threshold))), 4),
    )


def check_agreement(name: str, found: Agreement, *, positives: int) -> None:
    """Raises `ModelError` when quantising costs more than it may on rows so many of which are positive."""
    most_lost = max(MOST_LOST, 1 / max(positives, 1))
    if found.lost > most_lost or found.changed > MOST_CHANGED:
        raise ModelError(
            f"{name}: 8 bits cost {found.lost} of average precision (at most {most_lost:.3g}) and change "
            f"{found.changed:.1%} of the flags (at most {MOST_CHANGED:.0%}); logits differ by {found.mean} on average, "
            f"by {found.largest} at most"
        )


def tokenizer_bytes(network: Network) -> bytes:
    """The tokenizer as serving reads it."""
    raw: str = network.tokenizer.to_str()
    return raw.encode()


def _chosen(torch: Any, module: Any, outputs: Sequence[int]) -> Any:
    """The module without the outputs that only helped learning."""

    class Chosen(torch.nn.Module):  # type: ignore[misc]  # torch is not imported at module level
        def __init__(self) -> None:
            super().__init__()
            self.encoder = module.encoder
            self.heads = torch.nn.Linear(module.heads.in_features, len(outputs))
            with torch.no_grad():
                self.heads.weight.copy_(module.heads.weight[list(outputs)])
                self.heads.bias.copy_(module.heads.bias[list(outputs)])

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            last = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(last.dtype)
            return self.heads((last * mask).sum(1) / mask.sum(1))

    return Chosen()


def _mean(torch: Any, module: Any) -> Any:
    class Mean(torch.nn.Module):  # type: ignore[misc]  # torch is not imported at module level
        def __init__(self) -> None:
            super().__init__()
            self.encoder = module.encoder

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            last = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(last.dtype)
            return (last * mask).sum(1) / mask.sum(1)

    return Mean()


def _check_export(torch: Any, module: Any, raw: bytes) -> None:
    """Other sizes than the exporter saw, and padding."""
    import onnxruntime

    session = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
    draw = np.random.default_rng(0)
    for texts, pieces in ((1, 3), (5, 40), (3, 96)):
        ids = draw.integers(0, module.encoder.config.vocab_size, (texts, pieces))
        mask = np.ones_like(ids)
        mask[-1, pieces // 2 + 1 :] = 0
        with torch.inference_mode():
            wanted = module(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        found = session.run([OUTPUT], dict(zip(INPUTS, (ids, mask), strict=True)))[0]
        if (distance := float(np.abs(wanted - found).max())) > _EXPORT_DISTANCE:
            raise ModelError(f"the exported network is off by {distance:.4f} on {texts} texts of {pieces} pieces")
