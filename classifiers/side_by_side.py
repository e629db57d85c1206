"""A step whose work several threads share: worth it where most of it is done outside Python, as readings are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from hustings.contracts import Classifier
from hustings.types import Assessment

__all__ = ["classified"]

_MOST_AT_ONCE = 32
"""Posts of a part: few enough that no thread waits long for the last one, enough for what steps do at one go."""


def classified(step: Classifier, assessments: Sequence[Assessment], *, threads: int) -> list[Assessment]:
    """What the step makes of them, in parts that so many threads take in turn. Whatever it raises goes through."""
    size = min(math.ceil(len(assessments) / threads), _MOST_AT_ONCE)
    if threads == 1 or size == len(assessments):
        return step.classify(assessments)
    parts = [assessments[begin : begin + size] for begin in range(0, len(assessments), size)]
    with ThreadPoolExecutor(threads, thread_name_prefix=step.name) as pool:
        return list(chain.from_iterable(pool.map(step.classify, parts)))
