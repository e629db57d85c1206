"""Texts to logits, by onnxruntime, each text by itself.

A text is never padded to its neighbours' length: the 8-bit network takes the scale of its numbers from all that it is
given at once, so a neighbour would change a post's score, and what the pipeline says must not depend on batches.
Alone, a text also costs nothing for padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hustings.errors import ModelError

__all__ = ["INPUTS", "MOST_PIECES", "OUTPUT", "Session", "open_network", "open_tokenizer"]

MOST_PIECES = 96
"""Word pieces that are read, the two special ones included."""

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "logits"


class Session:
    """An open network with its tokenizer. `open` takes bytes that were checked before."""

    def __init__(self, network: Any, tokenizer: Any, outputs: int) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self.outputs = outputs

    @classmethod
    def open(cls, network: bytes, tokenizer: bytes, *, where: str) -> Session:
        """Raises `ModelError` when one of them is not what it should be."""
        opened = open_network(network, where=where)
        inputs = tuple(one.name for one in opened.get_inputs())
        outputs = [(one.name, one.shape) for one in opened.get_outputs()]
        if inputs != INPUTS or [name for name, _ in outputs] != [OUTPUT] or not isinstance(outputs[0][1][-1], int):
            raise ModelError(
                f"{where}: the network maps {inputs!r} to {outputs!r}; wanted {INPUTS!r} to {OUTPUT!r} [texts, heads]"
            )
        return cls(opened, open_tokenizer(tokenizer, where), outputs[0][1][-1])

    @property
    def pieces(self) -> frozenset[str]:
        """What texts are cut into."""
        return frozenset(self._tokenizer.get_vocab())

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """[texts, outputs]."""
        found = np.zeros((len(texts), self.outputs))
        for row, encoding in enumerate(self._tokenizer.encode_batch(list(texts))):
            ids = np.array([encoding.ids], dtype=np.int64)
            found[row] = self._network.run([OUTPUT], {INPUTS[0]: ids, INPUTS[1]: np.ones_like(ids)})[0][0]
        return found


def open_network(network: bytes, *, where: str, without: Sequence[str] = ()) -> Any:
    """An onnxruntime session of these bytes, `without` these of its optimizers. Raises `ModelError`.

    A text is read by one thread: its some 25 word pieces are too few to be shared out. Several threads may read several
    texts at a time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(without)
        )
    except Exception as error:  # onnxruntime raises classes of its own that share no base
        raise ModelError(f"{where}: onnxruntime cannot open the network ({_first_line(error)})") from error


def open_tokenizer(tokenizer: bytes, where: str) -> Any:
    """The tokenizer of these bytes, which pads nothing and cuts after `MOST_PIECES`. Raises `ModelError`."""
    from tokenizers import Tokenizer

    try:
        pieces = Tokenizer.from_buffer(tokenizer)
    except Exception as error:  # raises bare Exception
        raise ModelError(f"{where}: not a tokenizer.json ({_first_line(error)})") from error
    pieces.no_padding()
    pieces.enable_truncation(MOST_PIECES)
    return pieces


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
