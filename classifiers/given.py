"""What a model says of a post is added to what is said already: no code gets two flags, and a flag and the score of its
code are one model's."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from classifiers.manifest import Manifest
from hustings.types import Assessment, Flag

__all__ = ["added", "is_flagged"]


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
