"""Posts assessed for the flags of one version alone, each wording read once.

A version is judged by its own flags: those of other models are taken away before the suites' runner counts. An encoder
leaves to its linear heads what they are sure of; it is judged together with them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from classifiers.encoder.reading import read_words
from classifiers.linear.step import LinearHeads
from classifiers.pipeline import Pipeline
from hustings.types import Assessment, Post

__all__ = ["OnlyFlagsOf"]


class OnlyFlagsOf:
    """Assesses like `pipeline`, and leaves in only the flags of one version, or of some that speak together. Steps
    behind theirs are left out: they take nothing from a flag.

    Where their steps see the same in two posts, as in a disguise that the analyser undoes, they are asked once, however
    often and in whatever suite it comes: an encoder takes milliseconds for each. A flag's spans are then those of the
    first such post.
    """

    def __init__(self, tags: str | Collection[str], pipeline: Pipeline) -> None:
        self._tags = frozenset([tags] if isinstance(tags, str) else tags)
        own = [place for place, step in enumerate(pipeline.steps) if not self._tags.isdisjoint(step.version.split("+"))]
        begin, end = (own[0], own[-1] + 1) if own else (len(pipeline.steps),) * 2
        self._before = Pipeline(pipeline.steps[:begin])
        self._steps = pipeline.steps[begin:end]
        self._reads_tokens_alone = all(isinstance(step, LinearHeads) for step in self._steps)
        self._known: dict[Hashable, Assessment] = {}

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]:
        ready = self._before.assess(posts, first_collected)
        seen = [self._seen(one) for one in ready]
        new: dict[Hashable, Assessment] = {}
        for key, one in zip(seen, ready, strict=True):
            if key not in self._known:
                new.setdefault(key, one)
        asked = list(new.values())
        for step in self._steps:
            asked = step.classify(asked)
        self._known |= zip(new, map(self._judged, asked), strict=True)
        return [
            replace(one, scores=known.scores, models=known.models, flags=known.flags)
            for one, known in zip(ready, map(self._known.__getitem__, seen), strict=True)
        ]

    def _seen(self, assessment: Assessment) -> Hashable:
        """All of a post that the version's steps look at."""
        seen = (assessment.lang, assessment.title_tokens, assessment.tokens)
        if self._reads_tokens_alone:
            return seen
        return (*seen, bool(assessment.targets), read_words(assessment.post.title, assessment.post.text).read)

    def _judged(self, assessment: Assessment) -> Assessment:
        return replace(assessment, flags=tuple(flag for flag in assessment.flags if flag.classifier in self._tags))
