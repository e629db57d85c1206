"""A network in two parts: its first layers, which also guess what the whole one will say, and the others, which need
not be asked where that is nothing (early exit: Teerapittayanon and others, BranchyNet, 2016; Xin and others, DeeBERT,
2020). The guess costs a fifth of a reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.session import INPUTS, OUTPUT, open_network, open_tokenizer
from hustings.errors import ModelError

__all__ = ["EARLY", "FIRST_LAYERS", "HIDDEN", "Begun", "DividedSession"]

FIRST_LAYERS = 2
"""Of twelve. With .98 kept of what the whole network finds, .13 of tweets about politics had to be read to the end
after one layer, .12 after two and .10 after four."""
_SLOW = ("SkipLayerNormFusion",)
"""What makes one node of an addition and a norm, which takes twice as long as both (onnxruntime 1.32, 384 numbers)."""
HIDDEN = "hidden"
EARLY = "early"

F64 = NDArray[np.float64]


class Begun(NamedTuple):
    """A text read by the first layers: their guesses [topics], and what the others go on from."""

    early: F64
    hidden: NDArray[np.float32]
    mask: NDArray[np.int64]


class DividedSession:
    """Both parts, open, with their tokenizer; each text is read by itself, as in `Session`. `open` takes bytes that
    were checked before."""

    def __init__(self, first: Any, rest: Any, tokenizer: Any, *, topics: int, outputs: int) -> None:
        self._first = first
        self._rest = rest
        self._tokenizer = tokenizer
        self.topics = topics
        self.outputs = outputs

    @classmethod
    def open(cls, first: bytes, rest: bytes, tokenizer: bytes, *, where: str) -> DividedSession:
        """Raises `ModelError` when one of them is not what it should be."""
        begins = open_network(first, where=f"{where}: first layers", without=_SLOW)
        goes_on = open_network(rest, where=where, without=_SLOW)
        begun = {one.name: one.shape for one in begins.get_outputs()}
        inputs = [one.name for one in begins.get_inputs()]
        if inputs != list(INPUTS) or list(begun) != [HIDDEN, EARLY] or not isinstance(begun[EARLY][-1], int):
            raise ModelError(f"{where}: first layers map {inputs!r} to {begun!r}; wanted {INPUTS!r} to hidden, early")
        ends = {one.name: one.shape for one in goes_on.get_outputs()}
        widths = {one.name: one.shape[-1] for one in goes_on.get_inputs()}
        if set(widths) != {HIDDEN, INPUTS[1]} or list(ends) != [OUTPUT] or not isinstance(ends[OUTPUT][-1], int):
            raise ModelError(f"{where}: the other layers map {list(widths)!r} to {ends!r}; wanted hidden to {OUTPUT!r}")
        if widths[HIDDEN] != begun[HIDDEN][-1]:
            raise ModelError(
                f"{where}: first layers make {begun[HIDDEN][-1]} numbers of a piece, the others take {widths[HIDDEN]}"
            )
        pieces = open_tokenizer(tokenizer, where)
        return cls(begins, goes_on, pieces, topics=begun[EARLY][-1], outputs=ends[OUTPUT][-1])

    @property
    def pieces(self) -> frozenset[str]:
        """What texts are cut into."""
        return frozenset(self._tokenizer.get_vocab())

    def begin(self, text: str) -> Begun:
        """What the first layers make of a text."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        mask = np.ones_like(ids)
        hidden, early = self._first.run([HIDDEN, EARLY], {INPUTS[0]: ids, INPUTS[1]: mask})
        return Begun(early[0].astype(np.float64), hidden, mask)

    def finish(self, begun: Begun) -> F64:
        """[outputs]: the logits of a text that was begun."""
        found: F64 = self._rest.run([OUTPUT], {HIDDEN: begun.hidden, INPUTS[1]: begun.mask})[0][0].astype(np.float64)
        return found

    def logits(self, texts: Sequence[str]) -> F64:
        """[texts, outputs]: of texts that are all read to the end."""
        return np.array([self.finish(self.begin(text)) for text in texts]).reshape(len(texts), self.outputs)
