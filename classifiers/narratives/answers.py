"""The one code that a model of narratives says of a text, as the pipeline would, for measuring it code by code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from classifiers.narratives.seeds import PROTECTED
from classifiers.narratives.step import Narratives
from classifiers.narratives.teller import Teller
from hustings.text import analyse_all
from hustings.types import Assessment, Post

__all__ = ["answers"]

_LIKELY = 0.5
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def answers(teller: Teller, texts: Sequence[str], *, nothing: str) -> list[str]:
    """For each text, read as one of the model's language: the code of its flag; without a flag, the protected code that
    is likelier than not; else `nothing`."""
    step = Narratives([teller])
    return [_answer(one, nothing) for one in step.classify(_assessments(texts, teller.manifest.language))]


def _assessments(texts: Sequence[str], language: str) -> list[Assessment]:
    return [
        Assessment(
            post=Post(source="file", native_id=str(place), text=text, published_at=_LONG_AGO, collected_at=_LONG_AGO),
            tokens=analysed.tokens,
            lang=language,
            first_collected_at=_LONG_AGO,
        )
        for place, (text, analysed) in enumerate(zip(texts, analyse_all(texts), strict=True))
    ]


def _answer(assessment: Assessment, nothing: str) -> str:
    if assessment.flags:
        return assessment.flags[-1].code
    protected = {code: score for code, score in assessment.scores.items() if code.startswith(PROTECTED)}
    likeliest = max(protected, key=lambda code: (protected[code], code), default=nothing)
    return likeliest if protected.get(likeliest, 0.0) >= _LIKELY else nothing
