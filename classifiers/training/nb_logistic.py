"""Naive-Bayes-weighted logistic regression (Wang and Manning 2012) on the hashed features.

Each column is scaled by its log-count ratio before the regression. The ratio divides by the *unsmoothed* mass of the
class: with the smoothed one, smoothing times half a million buckets swamps it (GermEval PR-AUC .737 against .783).

A target may be anything from 0 to 1, as what a teacher says of a row is (`classifiers.training.distilled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS, HASH_SEED, NOTHING, Features, HashKey, features

__all__ = ["Fit", "Settings", "fit", "logistic", "matrix", "other_seed"]

F64 = NDArray[np.float64]

_ORIGIN = 3.0
"""How heavy the column is that says of a row that it is none of the corpus: heavier than any n-gram, so that words that
are only frequent there do not learn it."""


_UNTIL = {"maxiter": 300, "ftol": 1e-6, "gtol": 1e-3}
"""Where the search ends: on EDOS dev no measure of a head changes in its third place further on, at half more time."""


class Settings(NamedTuple):
    """`penalty` is that of `logistic`, `smoothing` is added to each bucket's mass, words count `word_weight` times."""

    penalty: float = 4.0
    smoothing: float = 0.1
    word_weight: float = 1.5


class Fit(NamedTuple):
    """Weights of all buckets, ready for scoring: the ratio and the weight of words are within them."""

    weights: F64
    intercept: float


def matrix(posts: Sequence[Sequence[str]], key: HashKey, settings: Settings) -> Any:
    """SciPy CSR [posts, buckets]: counts, words heavier, each row divided by the root of its number of features."""
    from scipy.sparse import csr_matrix

    found = features(posts, key)
    post_of_word = np.repeat(np.arange(len(posts)), np.diff(found.first_word))
    rows, columns, values = _entries(found, post_of_word, settings)
    sizes = np.bincount(rows, minlength=len(posts))
    sparse = csr_matrix((values / np.sqrt(sizes[rows]), (rows, columns)), shape=(len(posts), BUCKETS))
    sparse.sum_duplicates()
    return sparse


def fit(
    rows: Any,
    targets: NDArray[np.int64] | F64,
    settings: Settings,
    *,
    row_weights: F64 | None = None,
    foreign: NDArray[np.bool_] | None = None,
) -> Fit:
    """Train on the rows of `matrix`, each counting `row_weights` times (None: once). The same rows give the same
    weights. How many of the `foreign` rows are positive says nothing about the corpus: a column that is thrown away
    learns it in place of the intercept and of the words that they have in common."""
    from scipy.sparse import csr_matrix, diags, hstack

    weights = np.ones(rows.shape[0]) if row_weights is None else row_weights
    ratio = _ratio(rows, targets, weights, settings.smoothing)
    scaled = (rows @ diags(ratio)).tocsr()
    if foreign is not None:
        scaled = hstack((scaled, csr_matrix(foreign[:, None] * _ORIGIN))).tocsr()
    found, intercept = logistic(scaled, targets, settings.penalty, weights)
    by_bucket = found[:BUCKETS] * ratio
    by_bucket[BUCKETS // 2 :] *= settings.word_weight
    return Fit(by_bucket, intercept)


def logistic(
    rows: Any, targets: NDArray[np.int64] | F64, penalty: float, weights: F64, known: F64 | float = 0.0
) -> tuple[F64, float]:
    """Coefficients and intercept that lose least: `penalty` times the log-loss of all rows, each counting its weight,
    and half of the coefficients' squares. `known` are margins that the rows have anyhow."""
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    used = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]))
    small = rows[:, used]
    turned = small.T.tocsr()  # half of the time of a column-wise product

    def loss(parameters: F64) -> tuple[float, F64]:
        margins = small @ parameters[:-1] + parameters[-1] + known
        likely = 1.0 / (1.0 + np.exp(-np.clip(margins, -700, 700)))
        slopes = penalty * weights * (likely - targets)
        lost = penalty * float(weights @ (np.logaddexp(0.0, margins) - targets * margins))
        gradient = np.append(turned @ slopes + parameters[:-1], slopes.sum())
        return lost + 0.5 * float(parameters[:-1] @ parameters[:-1]), gradient

    with threadpool_limits(1, user_api="blas"):  # threads add in another order: the last digits would be the machine's
        found = minimize(loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options=_UNTIL)
    coefficients = np.zeros(rows.shape[1])
    coefficients[used] = found.x[:-1]
    return coefficients, float(found.x[-1])


def other_seed(seed: int) -> dict[str, int]:
    """What a manifest's settings note of the seed of folds and shuffling, where it is not that of the hash key."""
    return {} if seed == HASH_SEED else {"training_seed": seed}


def _entries(found: Features, post_of_word: NDArray[np.intp], settings: Settings) -> tuple[Any, Any, F64]:
    ends = np.append(found.starts[1:], len(found.characters[0]))
    post_of_position = np.repeat(post_of_word, ends - found.starts)
    parts = [(post_of_position, buckets, 1.0) for buckets in found.characters]
    parts += [(post_of_word, buckets, settings.word_weight) for buckets in (found.words, found.pairs)]
    kept = [(posts[buckets != NOTHING], buckets[buckets != NOTHING], weight) for posts, buckets, weight in parts]
    return (
        np.concatenate([posts for posts, _, _ in kept]),
        np.concatenate([buckets for _, buckets, _ in kept]),
        np.concatenate([np.full(len(posts), weight) for posts, _, weight in kept]),
    )


def _ratio(rows: Any, targets: NDArray[np.int64] | F64, weights: F64, smoothing: float) -> F64:
    turned = rows.T
    positive, negative = turned @ (weights * targets), turned @ (weights * (1 - targets))
    ratio: F64 = np.log((positive + smoothing) / positive.sum()) - np.log((negative + smoothing) / negative.sum())
    ratio[(positive + negative) == 0] = 0.0
    return ratio
