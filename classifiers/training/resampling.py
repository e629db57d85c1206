"""Resamples of rows with replacement, for intervals (bootstrap). Rows that tell one story are drawn together: fifty
posts that pass on one sentence are one observation, and drawn one by one they would look like fifty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESAMPLES", "resamples"]

RESAMPLES = 1000


def resamples(size: int, *, seed: int, clusters: NDArray[np.intp] | None = None) -> list[NDArray[np.int64]]:
    """Places of rows for each resample, none where there are no rows. `clusters` is a number for each row, the same for
    those that stay together; without it each row stands alone, and so does each when all numbers differ."""
    draw = np.random.default_rng(seed)
    count = RESAMPLES if size else 0
    if clusters is None:
        return [draw.integers(0, size, size) for _ in range(count)]
    order = np.argsort(clusters, kind="stable")
    _, first, sizes = np.unique(clusters[order], return_index=True, return_counts=True)
    return [_rows(draw.integers(0, len(sizes), len(sizes)), order, first, sizes) for _ in range(count)]


def _rows(
    drawn: NDArray[np.int64], order: NDArray[np.intp], first: NDArray[np.intp], sizes: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The rows of the clusters that were drawn."""
    counts = sizes[drawn]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows: NDArray[np.int64] = order[np.repeat(first[drawn], counts) + within].astype(np.int64)
    return rows
