"""The step of the pipeline that scores posts with the linear heads of their language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from classifiers.by_language import places_by_language
from classifiers.linear.explain import Grounds, all_grounds
from classifiers.linear.model import Head
from classifiers.linear.repeats import few_repeats
from classifiers.linear.score import F64, Scorer
from classifiers.own_examples import OwnExamples
from classifiers.roster_names import NOBODY, Read, RosterNames
from hustings.codebook import CHECK_WORTHY
from hustings.types import Assessment, Flag

__all__ = ["LinearHeads", "heads_for"]


class LinearHeads:
    """Adds every head's score, and a flag with the words that spoke for it and the nearest of our own posts (one of the
    `examples`) where the score reaches the threshold; a head for `CHECK_WORTHY` flags nothing. A post is scored only by
    the heads of its own language. What the people and parties are called who are watched counts for nothing: the heads
    do not see these `names`."""

    name = "linear-heads"

    def __init__(
        self,
        heads: Sequence[Head],
        languages: Sequence[str] = (),
        names: RosterNames = NOBODY,
        examples: OwnExamples | None = None,
    ) -> None:
        self._names = names
        self._examples = examples or OwnExamples()
        self.version = "+".join(head.label for head in heads) or "none"
        spoken = {head.manifest.language.split("-")[0] for head in heads}
        self._scorers = {
            language: Scorer(chosen) for language in sorted(spoken) if (chosen := heads_for(language, heads, languages))
        }

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        done = list(assessments)
        for language, mine in places_by_language(assessments, self._scorers).items():
            for place, scored in zip(mine, self._scored(language, [done[place] for place in mine]), strict=True):
                done[place] = scored
        return done

    def _scored(self, language: str, posts: Sequence[Assessment]) -> list[Assessment]:
        scorer = self._scorers[language]
        read = [few_repeats(self._names.said(one.title_tokens, one.tokens)) for one in posts]
        scores = scorer.scores([one.tokens for one in read])
        flags = self._flags(scorer.heads, scores, posts, read)
        codes = [head.manifest.code for head in scorer.heads]
        models = {head.name: head.manifest.version for head in scorer.heads}
        done = []
        for one, own, given in zip(posts, scores.T.tolist(), flags, strict=True):
            by_code = {**one.scores, **dict(zip(codes, own, strict=True))}
            done.append(replace(one, scores=by_code, models={**one.models, **models}, flags=given))
        return done

    def _flags(
        self, heads: Sequence[Head], scores: F64, posts: Sequence[Assessment], read: Sequence[Read]
    ) -> list[tuple[Flag, ...]]:
        """The flags of each post, those that it had before among them."""
        flags = [post.flags for post in posts]
        for head, own in zip(heads, scores, strict=True):
            if head.manifest.code == CHECK_WORTHY:
                continue
            flagged = np.flatnonzero(own >= head.manifest.threshold.value).tolist()
            grounds = all_grounds(head, [posts[place] for place in flagged], [read[place] for place in flagged])
            for place, why in zip(flagged, grounds, strict=True):
                flags[place] = (*flags[place], self._flag(head, float(own[place]), why, posts[place].lang))
        return flags

    def _flag(self, head: Head, score: float, why: Grounds, language: str) -> Flag:
        manifest = head.manifest
        return Flag(
            code=manifest.code,
            score=score,
            threshold=manifest.threshold.value,
            classifier=head.label,
            spans=why.spans,
            example=self._examples.sentence(why.tokens, manifest.code, language),
        )


def heads_for(language: str, heads: Sequence[Head], languages: Sequence[str]) -> list[Head]:
    """One head a code. A head of a region ("en-IN") speaks only where the deployment lists that region, and then in
    place of the language's common head."""
    chosen: dict[str, Head] = {}
    for head in sorted(heads, key=lambda head: ("-" in head.manifest.language, head.name)):
        tag = head.manifest.language
        if tag == language or (tag.split("-")[0] == language and tag in languages):
            chosen[head.manifest.code] = head
    return list(chosen.values())
