"""What is learnt from in an epoch: which rows, and as which pieces each of them is read that time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.training.encoder.careless import Said, Spoilt, read_otherwise
from classifiers.training.encoder.network import Network, Pieces, split

__all__ = ["NO_CODE", "Drawn", "Lesson", "lesson_of"]

NO_CODE = -100
"""The code of a row that has none."""


class Drawn(NamedTuple):
    """The rows of an epoch, and the pieces of each."""

    rows: list[int]
    pieces: Pieces


class Lesson(NamedTuple):
    """`labels` are [rows, tasks], NaN where unknown, `weights` those of the tasks; `codes` [rows] are places among the
    code outputs, `NO_CODE` for none, and None for a network without such outputs. `read` gives what is read in an
    epoch, `rows_an_epoch` of them, the same whenever it is asked. `judged` [rows, outputs] is how likely each output
    is by teachers, None where there are none."""

    labels: NDArray[np.float32]
    weights: Sequence[float]
    codes: NDArray[np.int64] | None
    rows_an_epoch: int
    read: Callable[[int], Drawn]
    judged: NDArray[np.float32] | None = None


def lesson_of(
    network: Network,
    said: Sequence[Said],
    labels: NDArray[np.float32],
    weights: Sequence[float],
    codes: NDArray[np.int64] | None,
    *,
    share: float,
    spoilt: Spoilt,
    seed: int,
    familiar: NDArray[np.bool_] | None = None,
    among: NDArray[np.bool_] | None = None,
) -> Lesson:
    """In each epoch all rows with a code, but for those that are `familiar`, and another `share` of the others, some
    read otherwise (`Spoilt`); none but those `among`, if that is given."""
    rare = np.zeros(len(said), dtype=bool) if codes is None else codes != NO_CODE
    if familiar is not None:
        rare &= ~familiar
    readable = np.ones(len(said), dtype=bool) if among is None else among
    others = np.flatnonzero(~rare & readable)
    rare &= readable
    count = round(share * len(others))
    order = np.random.default_rng([seed, 1]).permutation(others)
    always = np.flatnonzero(rare).tolist()
    plain = split(network, [one.text for one in said]) if not any(spoilt) else None

    def read(epoch: int) -> Drawn:
        first = epoch * count
        rows = sorted([*always, *(int(order[place % len(order)]) for place in range(first, first + count))])
        if plain is not None:
            return Drawn(rows, [plain[row] for row in rows])
        draw = np.random.default_rng([seed, 2, epoch])
        return Drawn(rows, split(network, [read_otherwise(said[row], spoilt, draw) for row in rows]))

    return Lesson(labels, weights, codes, len(always) + count, read)
