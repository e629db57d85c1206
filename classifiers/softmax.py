"""From margins to how likely each is."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["softmax"]

Numbers = TypeVar("Numbers", bound=NDArray[np.floating[Any]])


def softmax(margins: Numbers) -> Numbers:
    """[n], which add up to 1, of the type of the margins [n]."""
    raised = np.exp(margins - np.maximum.reduce(margins))
    shares: Numbers = raised / np.add.reduce(raised)
    return shares
