"""A head that learns from few rows what another head does not know: logistic regression round its weights.

The new weights are those of the prior plus a change that is kept small: a few hundred reviews move what they speak of
and leave the rest as it was learnt from many thousands of rows. Definitions of labels are not mixed: the prior is where
learning starts, not more data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS
from classifiers.linear.model import Weights
from classifiers.training.nb_logistic import Fit, Settings

__all__ = ["adapt"]

F64 = NDArray[np.float64]


def adapt(prior: Weights, rows: Any, labels: NDArray[np.int64], settings: Settings) -> Fit:
    """Train on the rows of `nb_logistic.matrix`. `settings.penalty` is liblinear's C: the smaller, the nearer the
    weights stay to the prior. The same rows give the same weights."""
    from scipy.optimize import minimize

    by_column = prior.by_bucket[:-1] * prior.scale
    by_column[BUCKETS // 2 :] /= settings.word_weight  # `matrix` counts words so much heavier
    known = np.asarray(rows @ by_column).ravel() + prior.intercept
    used = np.flatnonzero(np.diff(rows.tocsc().indptr))
    small = rows.tocsc()[:, used].tocsr()
    signs = np.where(labels == 1, 1.0, -1.0)

    def loss(parameters: F64) -> tuple[float, F64]:
        change, shift = parameters[:-1], parameters[-1]
        margins = signs * (known + small @ change + shift)
        slopes = -signs / (1.0 + np.exp(np.clip(margins, -700, 700)))
        value = settings.penalty * np.logaddexp(0.0, -margins).sum() + 0.5 * float(change @ change)
        gradient = np.append(settings.penalty * (small.T @ slopes) + change, settings.penalty * slopes.sum())
        return float(value), gradient

    found = minimize(loss, np.zeros(len(used) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights = np.asarray(by_column, dtype=np.float64).copy()
    weights[used] += found.x[:-1]
    weights[BUCKETS // 2 :] *= settings.word_weight
    return Fit(weights, prior.intercept + float(found.x[-1]))
