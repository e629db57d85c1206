"""What a model says of a post is added to what is said already: no code gets two flags, and a flag and the score of its
code are one model's. What a second opinion withholds is taken back with its score."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from msgspec.structs import replace

from classifiers.manifest import Manifest
from hustings.types import Assessment, Flag, Withheld

__all__ = ["added", "is_flagged", "withheld", "withheld_score"]

_WITHHELD = 1.2
"""How far below the threshold a withheld flag is put, in log-odds."""


def is_flagged(assessment: Assessment, code: str) -> bool:
    """Whether the post has the code already."""
    return any(flag.code == code for flag in assessment.flags)


def added(assessment: Assessment, manifest: Manifest, scores: Mapping[str, float], flag: Flag | None) -> Assessment:
    """The post with the model's `scores` and its flag, if it gives one and the post has no such code. A code that has a
    score keeps it, unless this flag is the first of that code: rules and searches read scores."""
    if flag is not None and is_flagged(assessment, flag.code):
        flag = None
    together = {**scores, **assessment.scores}
    if flag is not None:
        together[flag.code] = flag.score
    return replace(
        assessment,
        scores=together,
        models={**assessment.models, manifest.name: manifest.version},
        flags=assessment.flags if flag is None else (*assessment.flags, flag),
    )


def withheld(assessment: Assessment, manifest: Manifest, codes: Collection[str]) -> Assessment:
    """The post without its flags of these codes, for which the model answers from now on; their scores say no more than
    `withheld_score`, and the flags stand among those that were withheld."""
    taken = [flag for flag in assessment.flags if flag.code in codes]
    lowered = {flag.code: min(flag.score, withheld_score(flag.threshold)) for flag in taken}
    return replace(
        assessment,
        scores={**assessment.scores, **lowered},
        models={**assessment.models, manifest.name: manifest.version},
        flags=tuple(flag for flag in assessment.flags if flag not in taken),
        withheld=(*assessment.withheld, *(Withheld(flag=flag, by=manifest.tag) for flag in taken)),
    )


def withheld_score(threshold: float) -> float:
    """The most that a post scores whose flag is withheld: so little that an encoder seldom reads it again."""
    return 1 / (1 + math.exp(_WITHHELD) * (1 - threshold) / threshold)
