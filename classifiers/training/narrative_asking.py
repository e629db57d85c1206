"""About which posts narratives ask the encoder: few enough that a stream stays fast, and hardly one less of those that
it would flag."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.manifest import Metric
from classifiers.training.by_code import share_of

__all__ = ["LEAST_ASKED", "LEAST_READ_ON", "Asks", "asking", "least_worth", "settle_asks"]

LEAST_ASKED = 0.97
"""Share of what would be flagged if the encoder read everything about which it must still be asked …"""
LEAST_READ_ON = 0.98
"""… and of that, the share that must be read to the end."""
_DECIMALS = 4

F64 = NDArray[np.float64]


class Asks(NamedTuple):
    """See `SenseSettings`."""

    weight: float
    least: float
    least_else: float

    def about(self, by_columns: F64, worth: F64) -> NDArray[np.bool_]:
        """Which rows the encoder is asked about; margins by columns are NaN where a row speaks of nothing."""
        nothing = np.isnan(by_columns)
        return np.where(nothing, worth >= self.least_else, by_columns + self.weight * worth >= self.least)


def settle_asks(by_columns: F64, worth: F64, flagged: NDArray[np.bool_], least_kept: float) -> Asks:
    """`by_columns` [rows] are margins, NaN where a row speaks of nothing that columns know, `worth` [rows] those of the
    head for that, or what first layers guess, `flagged` which rows the encoder would flag, of which that share
    is kept. How much worth counts beside columns is what tells best which rows those are (logistic regression)."""
    from sklearn.linear_model import LogisticRegression

    speaks = ~np.isnan(by_columns)
    both = np.stack((by_columns[speaks], worth[speaks]), axis=1)
    columns, beside = LogisticRegression().fit(both, flagged[speaks]).coef_[0].tolist()
    weight = round(max(beside, 0.0) / max(columns, 1e-3), _DECIMALS)
    return Asks(
        weight,
        least_worth(both @ (1.0, weight), flagged[speaks], least_kept),
        least_worth(worth[~speaks], flagged[~speaks], least_kept),
    )


def asking(
    labels: NDArray[np.int64], flagged: NDArray[np.bool_], is_read: NDArray[np.bool_], *, on: str
) -> list[Metric]:
    """`recall_kept`: of the rows that are rightly flagged if the encoder reads everything, the share that it
    reads; `share_read`: of all these rows, among which there is far more harm than in a stream."""
    right = flagged & (labels == 1)
    found = {"recall_kept": is_read[right], "share_read": is_read}
    shares = {name: share_of(int(claims.sum()), len(claims)) for name, claims in found.items()}
    return [
        Metric(name=name, on=on, value=share.value, low=share.low, high=share.high, n=len(found[name]))
        for name, share in shares.items()
        if share is not None
    ]


def least_worth(values: F64, flagged: NDArray[np.bool_], least_kept: float) -> float:
    """The value that all flagged rows have but for those that may be lost."""
    return round(float(np.quantile(values[flagged], 1 - least_kept)), _DECIMALS)
