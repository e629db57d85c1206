"""The step of the pipeline that scores posts with the linear heads of their language."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from classifiers.linear.explain import grounds
from classifiers.linear.model import Head
from classifiers.linear.score import Scorer
from classifiers.own_examples import OwnExamples
from classifiers.roster_names import NOBODY, RosterNames
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
        places: dict[str, list[int]] = {}
        for place, assessment in enumerate(assessments):
            if assessment.lang in self._scorers and (assessment.tokens or assessment.title_tokens):
                places.setdefault(assessment.lang, []).append(place)
        for language, mine in places.items():
            scorer = self._scorers[language]
            scores = scorer.scores([self._tokens(assessments[place]) for place in mine])
            for column, place in enumerate(mine):
                done[place] = self._scored(assessments[place], scorer.heads, scores[:, column].tolist())
        return done

    def _scored(self, assessment: Assessment, heads: Sequence[Head], scores: Sequence[float]) -> Assessment:
        by_code = dict(assessment.scores)
        models = dict(assessment.models)
        flags = []
        for head, score in zip(heads, scores, strict=True):
            manifest = head.manifest
            by_code[manifest.code] = score
            models[head.name] = manifest.version
            if score >= manifest.threshold.value and manifest.code != CHECK_WORTHY:
                why = grounds(head, assessment, self._names)
                flags.append(
                    Flag(
                        code=manifest.code,
                        score=score,
                        threshold=manifest.threshold.value,
                        classifier=head.label,
                        spans=why.spans,
                        example=self._examples.sentence(why.tokens, manifest.code, assessment.lang),
                    )
                )
        return replace(assessment, scores=by_code, models=models, flags=(*assessment.flags, *flags))

    def _tokens(self, assessment: Assessment) -> Sequence[str]:
        if not assessment.title_tokens:
            return self._names.without(assessment.tokens).tokens
        return self._names.without(assessment.title_tokens, assessment.tokens).tokens


def heads_for(language: str, heads: Sequence[Head], languages: Sequence[str]) -> list[Head]:
    """One head a code. A head of a region ("en-IN") speaks only where the deployment lists that region, and then in
    place of the language's common head."""
    chosen: dict[str, Head] = {}
    for head in sorted(heads, key=lambda head: ("-" in head.manifest.language, head.name)):
        tag = head.manifest.language
        if tag == language or (tag.split("-")[0] == language and tag in languages):
            chosen[head.manifest.code] = head
    return list(chosen.values())
