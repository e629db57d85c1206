"""What is asked for when a model is made: one value that every function that makes one takes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["SEED", "Order"]

SEED = 20261018


class Order(NamedTuple):
    """What is asked for: where the data lie and the models go, and what the manifest says about who chose what. A
    function that is given its rows, or the folder to write into, beside it asks for neither `data` nor `models`."""

    data: Path
    models: Path
    version: str
    chosen_by: str
    chosen_at: str
    seed: int = SEED
