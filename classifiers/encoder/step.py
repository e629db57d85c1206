"""The step of the pipeline that lets an encoder read again what a linear head points at.

Chosen is a post of which a linear head is not sure: whose score is high enough that the encoder might flag it, so that
nearly all that it would find among all posts is found still (`EncoderSettings`), and not so high that it would flag it
anyhow. What the encoder says replaces score and flag of the head beside which it speaks; the words that spoke for a
flag, and the example that is like them, are still the linear head's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from classifiers.encoder.heads import EncoderHead
from classifiers.encoder.model import Encoder
from classifiers.encoder.place import place_to_read
from classifiers.encoder.reading import MOST_WORDS, read_words
from classifiers.encoder.settings import EncoderSettings
from classifiers.linear.explain import grounds
from classifiers.linear.model import Head
from classifiers.own_examples import OwnExamples
from classifiers.roster_names import NOBODY, RosterNames
from hustings.types import Assessment, Flag

__all__ = ["Encoders", "read_text"]


class _Voice(NamedTuple):
    """An encoder's head, the linear head beside which it speaks, and what must be kept of its findings."""

    head: EncoderHead
    beside: Head
    keep: float
    keep_listed: float


class Encoders:
    """Reads chosen posts with the encoder of their linear heads, which are among `heads`. Beside no linear head, or
    another version of it than it was calibrated with, an encoder's head says nothing: `silent` names such pairs. Those
    heads see none of the `names`, and an encoder reads `they` in their place. A flag that no linear head gave gets the
    nearest of the `examples`."""

    name = "encoder"

    def __init__(
        self,
        encoders: Sequence[Encoder],
        heads: Sequence[Head],
        settings: EncoderSettings,
        names: RosterNames = NOBODY,
        examples: OwnExamples | None = None,
    ) -> None:
        self._names = names
        self._examples = examples or OwnExamples()
        self.version = "+".join(encoder.label for encoder in encoders) or "none"
        by_label = {head.label: head for head in heads}
        self._voices = []
        silent = []
        for encoder in encoders:
            voices = []
            for head in encoder.heads:
                beside = by_label.get(f"{head.beside}@{head.beside_version}")
                if beside is None:
                    silent.append(f"{encoder.label} beside {head.beside}@{head.beside_version}")
                    continue
                voices.append(_Voice(head, beside, settings.keep, max(settings.keep, settings.keep_listed)))
            self._voices.append((encoder, tuple(voices)))
        self.silent = tuple(silent)

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        done = list(assessments)
        for encoder, voices in self._voices:
            asked = [(place, voice) for place, one in enumerate(done) if (voice := _asking(voices, one))]
            texts = [read_text(done[place], voice.beside, self._names) for place, voice in asked]
            logits = encoder.session.logits(texts)
            for (place, _), row in zip(asked, logits.tolist(), strict=True):
                done[place] = self._refined(done[place], encoder, voices, row)
        return done

    def _refined(
        self, assessment: Assessment, encoder: Encoder, voices: Sequence[_Voice], logits: Sequence[float]
    ) -> Assessment:
        scores = dict(assessment.scores)
        flags = list(assessment.flags)
        for head, beside, _, _ in voices:
            if assessment.models.get(beside.name) != beside.manifest.version:
                continue
            score = scores[head.code] = head.score(logits[head.output], scores[head.code])
            former = next((flag for flag in flags if flag.classifier == beside.label), None)
            if score < head.threshold.value:
                flags = [flag for flag in flags if flag is not former]
                continue
            given = former or self._explained(assessment, beside, head.code)
            flag = replace(given, code=head.code, score=score, threshold=head.threshold.value, classifier=encoder.label)
            flags = [flag if one is former else one for one in flags] if former else [*flags, flag]
        models = {**assessment.models, encoder.manifest.name: encoder.manifest.version}
        return replace(assessment, scores=scores, models=models, flags=tuple(flags))

    def _explained(self, assessment: Assessment, beside: Head, code: str) -> Flag:
        """The flag as the linear head would have given it."""
        why = grounds(beside, assessment, self._names)
        example = self._examples.sentence(why.tokens, code, assessment.lang)
        return Flag(code=code, score=assessment.scores[code], spans=why.spans, example=example)


def read_text(assessment: Assessment, head: Head, names: RosterNames = NOBODY) -> str:
    """What the encoder reads of a post that `head` points at."""
    words = read_words(assessment.post.title, assessment.post.text, names=names)
    return words.text(*place_to_read(head, words.tokens, MOST_WORDS))


def _asking(voices: Sequence[_Voice], assessment: Assessment) -> _Voice | None:
    """The first voice whose linear head scored the post and is not sure of it."""
    for voice in voices:
        if assessment.models.get(voice.beside.name) == voice.beside.manifest.version:
            keep = voice.keep_listed if assessment.targets else voice.keep
            if voice.head.asks(assessment.scores[voice.head.code], keep):
                return voice
    return None
