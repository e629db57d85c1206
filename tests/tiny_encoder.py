"""An encoder small enough to be understood: the logit of a text is the sum of its words' weights, less a hundred for
every neighbour that is read with it.

`python -m tests.tiny_encoder` makes `tests/golden/tiny_network.onnx`, `tiny_codes_first.onnx` and
`tiny_codes_network.onnx` anew; it needs the `torch` extra for `onnx`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from classifiers.encoder.codes import CODES, pack_codes
from classifiers.encoder.heads import EncoderHead, Keep, pack_heads
from classifiers.encoder.model import NETWORK, TOKENIZER
from classifiers.encoder.worth import TOPICS, Worth, worth_file
from classifiers.linear.features import BUCKETS
from classifiers.linear.model import Weights, pack
from classifiers.manifest import Calibration, Manifest, ModelFile, Threshold, analyser_hash, write_manifest
from classifiers.spelling import WORDS_FILE, pack_words

NETWORK_FILE = Path(__file__).parent / "golden" / "tiny_network.onnx"
CODES_FIRST_FILE = NETWORK_FILE.with_name("tiny_codes_first.onnx")
CODES_NETWORK_FILE = NETWORK_FILE.with_name("tiny_codes_network.onnx")

WEIGHTS = {"unknown": (0.0, 0.0), "bitch": (8.0, 0.0), "women": (1.0, 0.0), "love": (-9.0, -9.0), "kill": (2.0, 9.0)}
"""Of each word under the two outputs, sexism and threat."""

READ_AS = ("N-PROC-DATE", "X-COUNTER", "ordinary")
CODE_WEIGHTS = {
    "unknown": (0.0, 0.0, 1.0),
    "bitch": (0.0, 0.0, 0.0),
    "women": (0.0, 0.0, 0.0),
    "love": (0.0, 3.0, 0.0),
    "kill": (3.0, 0.0, 0.0),
}
"""Of each word under the three codes; what stands first is also what it adds to the guesses of the first layers about
both topics."""
EVEN_WORTH = Weights(np.zeros(BUCKETS + 1, dtype=np.int16), 1.0, 0.0)
"""Every post has margin 0."""

THRESHOLD = Threshold(
    value=0.5, reason="", chosen_by="a test", chosen_at="2026-10-01", chosen_on="", precision=1.0, recall=1.0
)
KEEPS = (
    Keep(keep=0.985, from_score=0.2, read=0.1),
    Keep(keep=0.99, from_score=0.05, read=0.2),
    Keep(keep=1.0, from_score=0.0, read=1.0),
)


def head(code: str, beside: str, output: int, *, beside_version: str = "1") -> EncoderHead:
    """The mean of logit and log-odds is the log-odds of the new score."""
    return EncoderHead(
        code=code,
        beside=beside,
        beside_version=beside_version,
        output=output,
        share=0.5,
        calibration=Calibration(slope=1.0, intercept=0.0),
        threshold=THRESHOLD,
        keeps=KEEPS,
    )


def tokenizer() -> bytes:
    pieces = Tokenizer(WordLevel({word: place for place, word in enumerate(WEIGHTS)}, unk_token="unknown"))
    pieces.normalizer = Lowercase()
    pieces.pre_tokenizer = Whitespace()
    raw: str = pieces.to_str()
    return raw.encode()


def write_embedder(folder: Path) -> Path:
    """The same network, whose two outputs are taken for a vector."""
    content = {NETWORK: NETWORK_FILE.read_bytes(), TOKENIZER: tokenizer()}
    return _write(folder, content, "embedder", "", Calibration(slope=1.0, intercept=0.0))


def write_encoder(folder: Path, heads: tuple[EncoderHead, ...], /, **replaced: bytes) -> Path:
    """An unsigned model, with the name and version of `folder`; `replaced` gives other bytes for network, tokenizer or
    heads."""
    heads_raw, heads_file = pack_heads(heads)
    content = {
        NETWORK: replaced.get("network", NETWORK_FILE.read_bytes()),
        TOKENIZER: replaced.get("tokenizer", tokenizer()),
        heads_file.name: replaced.get("heads", heads_raw),
    }
    return _write(folder, content, "encoder", heads[0].code, heads[0].calibration)


def write_reader(folder: Path, /, **replaced: bytes) -> Path:
    """An encoder that says which of the codes `READ_AS` a text is; `replaced` gives other bytes for the first layers,
    for the network, the others, for codes or, by its topic, a head for worth."""
    content = {
        "first.onnx": replaced.get("first", CODES_FIRST_FILE.read_bytes()),
        NETWORK: replaced.get("network", CODES_NETWORK_FILE.read_bytes()),
        TOKENIZER: tokenizer(),
        CODES: replaced.get("codes", pack_codes(READ_AS)),
        **{worth_file(topic): replaced.get(topic, pack(EVEN_WORTH)[0]) for topic in TOPICS},
    }
    settings = {name: value for topic in TOPICS for name, value in Worth(EVEN_WORTH).settings(topic).items()}
    even = Calibration(slope=1.0, intercept=0.0)
    return _write(folder, content, "embedder", "", even, settings)


def write_meaning(
    folder: Path,
    network: str,
    /,
    *,
    least_worth: float = 0.0,
    least_early: float | None = None,
    least_protected: float | None = 0.8,
    **replaced: bytes,
) -> Path:
    """A model of abuse that asks the reader of codes with that network about `G` and threats; `replaced` gives other
    bytes for codes or words; without `least_early` and `least_protected` it is one as they were up to versions 11 and
    10."""
    settings: dict[str, int | float | str] = {
        "encoder": "encoder-mul",
        "network": network,
        "least_worth": least_worth,
        "worth_says": 0.0,
        "least_threat": 0.87,
        **({} if least_early is None else {"least_early": least_early}),
        **({} if least_protected is None else {"least_protected": least_protected}),
    }
    even = Calibration(slope=1.0, intercept=0.0)
    content = {
        CODES: replaced.get("codes", pack_codes(("A-THREAT", "G"))),
        WORDS_FILE: replaced.get("words", pack_words(["kill", "women"])),
    }
    return _write(folder, content, "meaning", "A", even, settings)


def _write(
    folder: Path,
    content: dict[str, bytes],
    kind: Literal["encoder", "embedder", "meaning"],
    code: str,
    calibration: Calibration,
    settings: Mapping[str, int | float | str] = MappingProxyType({}),
) -> Path:
    folder.mkdir(parents=True)
    for name, raw in content.items():
        (folder / name).write_bytes(raw)
    write_manifest(
        folder,
        Manifest(
            kind=kind,
            name=folder.name.partition("@")[0],
            code=code,
            language="en",
            version=folder.name.partition("@")[2] or "1",
            label="a test's",
            limits="knows five words",
            data=(),
            settings=dict(settings),
            calibration=calibration,
            threshold=THRESHOLD,
            metrics=(),
            files=tuple(ModelFile.of(name, raw) for name, raw in content.items()),
            analyser=analyser_hash("en"),
            code_version="0",
            libraries={},
            seed=1,
        ),
    )
    return folder


def with_version(one: EncoderHead, version: str) -> EncoderHead:
    return msgspec.structs.replace(one, beside_version=version)


def make_network(weights: Mapping[str, tuple[float, ...]]) -> bytes:
    """ids, mask → logits [texts, outputs]."""
    from onnx import helper

    each = helper.make_node("Gather", ["weights", "input_ids"], ["each"])
    return _packed([each, *_summed("each")], _ids(), [_logits(weights)], {**_CONSTANTS, **_by_word(weights)})


def make_divided(weights: Mapping[str, tuple[float, ...]]) -> tuple[bytes, bytes]:
    """ids, mask → hidden [texts, pieces, outputs], early [texts, 2]; and from there → logits [texts, outputs]."""
    from onnx import TensorProto, helper

    hidden = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["texts", "pieces", len(weights["unknown"])])
    early = helper.make_tensor_value_info("early", TensorProto.FLOAT, ["texts", 2])
    guessing = [
        helper.make_node("Gather", ["weights", "input_ids"], ["hidden"]),
        helper.make_node("ReduceSum", ["hidden", "pieces"], ["all"], keepdims=0),
        helper.make_node("MatMul", ["all", "guess"], ["early"]),
    ]
    guess = np.zeros((len(weights["unknown"]), 2), dtype=np.float32)
    guess[0] = 1
    constants = {"pieces": _CONSTANTS["pieces"], "guess": guess, **_by_word(weights)}
    first = _packed(guessing, _ids(), [hidden, early], constants)
    return first, _packed(_summed("hidden", "hidden"), [hidden, _ids()[1]], [_logits(weights)], _CONSTANTS)


_CONSTANTS = {
    "last": np.array([2]),
    "pieces": np.array([1]),
    "one": np.array([1], dtype=np.float32),
    "hundred": np.array([100], dtype=np.float32),
}


def _by_word(weights: Mapping[str, tuple[float, ...]]) -> dict[str, NDArray[np.float32]]:
    return {"weights": np.array(list(weights.values()), dtype=np.float32)}


def _summed(each: str, texts_of: str = "input_ids") -> list[Any]:
    """From what is there of each piece to the logits."""
    from onnx import TensorProto, helper

    return [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask_each"]),
        helper.make_node("Mul", [each, "mask_each"], ["read"]),
        helper.make_node("ReduceSum", ["read", "pieces"], ["sums"], keepdims=0),
        helper.make_node("Shape", [texts_of], ["texts"], start=0, end=1),
        helper.make_node("Cast", ["texts"], ["texts_number"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["texts_number", "one"], ["neighbours"]),
        helper.make_node("Mul", ["neighbours", "hundred"], ["disturbance"]),
        helper.make_node("Sub", ["sums", "disturbance"], ["logits"]),
    ]


def _ids() -> list[Any]:
    from onnx import TensorProto, helper

    sizes = ["texts", "pieces"]
    return [helper.make_tensor_value_info(name, TensorProto.INT64, sizes) for name in ("input_ids", "attention_mask")]


def _logits(weights: Mapping[str, tuple[float, ...]]) -> Any:
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", len(weights["unknown"])])


def _packed(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Mapping[str, NDArray[Any]]
) -> bytes:
    from onnx import helper, numpy_helper

    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "sum of weights", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    raw: bytes = model.SerializeToString()
    return raw


if __name__ == "__main__":
    NETWORK_FILE.write_bytes(make_network(WEIGHTS))
    for file, raw in zip((CODES_FIRST_FILE, CODES_NETWORK_FILE), make_divided(CODE_WEIGHTS), strict=True):
        file.write_bytes(raw)
