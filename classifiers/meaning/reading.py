"""What of a post the encoder reads for abuse, and what it makes of it: a short post as it is, of a longer one the
sentences that are worth most, so that chatter around an insult dilutes nothing and a report keeps what makes it one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked
from classifiers.encoder.readable import Readable

__all__ = ["MOST_SENTENCES", "Shares", "read_for_abuse"]

MOST_SENTENCES = 3
"""Readings of one post."""


class Shares(NamedTuple):
    """How likely each code is, by the window from `begin` to `end` that says most."""

    shares: NDArray[np.float32]
    begin: int
    end: int


def read_for_abuse(asked: Asked, tokens: Sequence[str], post: Readable) -> Shares | None:
    """None where nobody can be asked."""
    places = post.windows(len(tokens))
    worth = asked.worth([tokens[begin:end] for begin, end in places]) if len(places) > 1 else [0.0]
    if worth is None:
        return None
    best: Shares | None = None
    for place in np.argsort(-np.array(worth), kind="stable")[:MOST_SENTENCES].tolist():
        begin, end = places[place]
        shares = asked.shares(post.text(begin, end))
        if shares is None:
            return None
        if best is None or shares.sum() > best.shares.sum():
            best = Shares(shares, begin, end)
    return best
