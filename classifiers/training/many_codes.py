"""Many codes of one corpus at once: a weight vector for each column, all over the same rows.

A few dozen sentences of a code say little about what makes a sentence harm at all; all sentences together say it much
better. So each code of harm learns what sets it apart from everything else, and gets a share of the direction that sets
all harm apart from all protected speech. Both are linear, so a column stays one vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.narratives.seeds import PROTECTED

__all__ = ["Columns", "columns_of", "fit_columns", "is_harm", "labels_of"]

HARM_SHARE = 0.5
"""How much of the common direction each code of harm gets. Of 0, .3, .5, .6, 1 and 2 this gave, by cross-validation,
the best recall of the right code while one protected sentence in twenty is flagged."""
PENALTY = 30.0
"""liblinear's C. Between 10 and 100 nothing changes; Naive-Bayes ratios were worse on so few sentences."""
REFINED_BY = 2
"""A code of which at least so many refinements have sentences gets a column of its own: "wrong procedure" can be told
where date, place and way cannot be told apart."""

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Columns(NamedTuple):
    """[columns, features] weights and [columns] intercepts."""

    weights: F64
    intercepts: F64

    def margins(self, rows: Any) -> F64:
        """[columns, rows]."""
        found: F64 = (rows @ self.weights.T).T + self.intercepts[:, None]
        return found


def columns_of(codes: Sequence[str]) -> list[str]:
    """The codes that get a column: those of the sentences, and those that enough of them refine."""
    leaves = sorted(set(codes))
    parents = {code.rpartition("-")[0] for code in leaves if code.count("-") > 1}
    refined = {code for code in parents if sum(leaf.startswith(f"{code}-") for leaf in leaves) >= REFINED_BY}
    return sorted({*leaves, *refined})


def labels_of(code: str, codes: Sequence[str]) -> I64:
    """1 for sentences of that code and of those that refine it."""
    return np.array([int(one == code or one.startswith(f"{code}-")) for one in codes], dtype=np.int64)


def is_harm(codes: Sequence[str]) -> I64:
    """1 for sentences of codes that are not protected."""
    return np.array([int(not code.startswith(PROTECTED)) for code in codes], dtype=np.int64)


def fit_columns(rows: Any, labels: Sequence[I64], *, harm: int, shared_by: Sequence[int], seed: int) -> Columns:
    """Train one column for each array of `labels`. The columns numbered `shared_by` get a share of column `harm`. The
    same rows give the same weights."""
    from sklearn.linear_model import LogisticRegression

    weights = np.empty((len(labels), rows.shape[1]))
    intercepts = np.empty(len(labels))
    for place, own in enumerate(labels):
        model = LogisticRegression(C=PENALTY, solver="liblinear", dual=True, max_iter=2000, random_state=seed)
        model.fit(rows, own)
        weights[place], intercepts[place] = model.coef_[0], model.intercept_[0]
    shared = list(shared_by)
    weights[shared] += HARM_SHARE * weights[harm]
    intercepts[shared] += HARM_SHARE * intercepts[harm]
    return Columns(weights, intercepts)
