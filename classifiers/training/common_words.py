"""Words that are common in some language, far more than our own sentences hold: the pieces of text that the encoder's
network learnt as a whole, since its makers met them often (XLM-R's vocabulary, of texts in a hundred languages)."""

from __future__ import annotations

from functools import cache

from classifiers.training.settled_beside import code_reader
from hustings.text import analyse

__all__ = ["common_words"]

_BEGINS = "\u2581"
"""Of a piece that begins a word."""
_SHORTEST = 4
"""Letters of a word: shorter ones are no slips of others (`classifiers.spelling`)."""


@cache
def common_words() -> frozenset[str]:
    """As tokens; none where no encoder is shipped."""
    encoder = code_reader()
    pieces = frozenset[str]() if encoder is None else encoder.session.pieces
    words = (analyse(piece[1:]).tokens for piece in pieces if piece.startswith(_BEGINS) and len(piece[1:]) >= _SHORTEST)
    return frozenset(tokens[0] for tokens in words if len(tokens) == 1 and tokens[0].isalpha())
