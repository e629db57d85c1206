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
from classifiers.training.nb_logistic import Fit, Settings, logistic

__all__ = ["adapt"]


def adapt(prior: Weights, rows: Any, labels: NDArray[np.int64], settings: Settings) -> Fit:
    """Train on the rows of `nb_logistic.matrix`. The smaller `settings.penalty`, the nearer the
    weights stay to the prior. The same rows give the same weights."""
    by_column = prior.by_bucket[:-1] * prior.scale
    by_column[BUCKETS // 2 :] /= settings.word_weight  # `matrix` counts words so much heavier
    known = np.asarray(rows @ by_column).ravel() + prior.intercept
    change, shift = logistic(rows, labels, settings.penalty, np.ones(rows.shape[0]), known)
    weights = by_column + change
    weights[BUCKETS // 2 :] *= settings.word_weight
    return Fit(weights, prior.intercept + shift)
