"""What of a post the encoder reads for abuse, and what it makes of it: a short post as it is, of a longer one the
sentences that are worth most, so that chatter around an insult dilutes nothing and a report keeps what makes it one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.asked import Asked
from classifiers.encoder.heads import log_odds
from classifiers.encoder.readable import Readable
from classifiers.narratives.seeds import PROTECTED

__all__ = ["FINAL", "MOST_SENTENCES", "Shares", "read_for_abuse"]

MOST_SENTENCES = 3
"""Readings of one post."""
FINAL = ".।"
"""Marks that are not read at the end. Reports end with a full stop and abuse seldom does, so the encoder takes it for a
sign: of the Arabic abuse functions three in ten went unseen with one behind them, as with exclamation marks, which are
read as one."""
_LEAST = 1e-6
"""Shares nearer to 0 or 1 than this tell nothing more."""


class Shares(NamedTuple):
    """How likely each code is, by the window from `begin` to `end` that says most, and the `margin` of abuse there:
    its log-odds, and what is said for it by what the window is worth asking about. `protected` is how likely it is any
    kind of protected speech, `early` what the first layers guessed."""

    shares: NDArray[np.float32]
    margin: float
    protected: float
    early: float
    begin: int
    end: int


def read_for_abuse(
    asked: Asked,
    tokens: Sequence[str],
    post: Readable,
    worth_says: float,
    *,
    whole: float | None = None,
    least_early: float = -math.inf,
) -> Shares | None:
    """With so much of worth in a margin; None where nobody can be asked, and where the first layers of the encoder
    guess less than `least_early` of all that is read. `whole` is what the post is worth as one, where that is known."""
    places = post.windows(tokens, signs=True)
    if whole is not None and len(places) == 1:
        worth: list[float] | None = [whole]
    else:
        worth = asked.worth([tokens[begin:end] for begin, end in places])
    if worth is None:
        return None
    best: Shares | None = None
    for place in np.argsort(-np.array(worth), kind="stable")[:MOST_SENTENCES].tolist():
        begin, end = places[place]
        text = post.text(begin, end).rstrip(FINAL)
        early = asked.early(text, worth[place])
        shares = asked.shares(text) if early is not None and early >= least_early else None
        if early is None or shares is None:
            continue
        margin = log_odds(float(shares.sum()), _LEAST) + worth_says * worth[place]
        if best is None or margin > best.margin:
            best = Shares(shares, margin, asked.likely_any(PROTECTED, text), early, begin, end)
    return best
