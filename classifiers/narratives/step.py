"""The step that tells election narratives, and what only looks like one, in languages that have seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from classifiers.linear.explain import spans_of
from classifiers.narratives.model import Teller
from classifiers.narratives.seeds import PROTECTED
from hustings.types import Assessment, Flag

__all__ = ["FLAGGED_PROTECTED", "LEAST_SHOWN", "Narratives", "flagged_codes"]

FLAGGED_PROTECTED = frozenset({"X-COUNTER", "X-OFFICIAL", "X-SATIRE"})
"""Protected codes that become flags: rules and stories tell answers, notices and jokes from claims by them. The other
protected codes are scores only."""
LEAST_SHOWN = 0.05
"""Probability from which on a code stands among the scores of a post."""


class Narratives:
    """Adds the scores of codes that are worth a look, and flags for those that reach their thresholds, each with the
    words that spoke for it. A post is either harm or protected: the likelier of the two is flagged."""

    name = "narratives"

    def __init__(self, tellers: Sequence[Teller]) -> None:
        self.version = "+".join(teller.label for teller in tellers) or "none"
        self._tellers = {teller.manifest.language: teller for teller in tellers}

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        done = list(assessments)
        places: dict[str, list[int]] = {}
        for place, assessment in enumerate(assessments):
            if assessment.lang in self._tellers and (assessment.tokens or assessment.title_tokens):
                places.setdefault(assessment.lang, []).append(place)
        for language, mine in places.items():
            teller = self._tellers[language]
            tokens = [_tokens(assessments[place]) for place in mine]
            worth = teller.worth_telling(tokens).tolist()
            found = teller.probabilities([tokens[one] for one in worth])
            for one, probabilities in zip(worth, found, strict=True):
                done[mine[one]] = _told(assessments[mine[one]], teller, probabilities)
        return done


def _tokens(assessment: Assessment) -> Sequence[str]:
    return (*assessment.title_tokens, *assessment.tokens) if assessment.title_tokens else assessment.tokens


def _told(assessment: Assessment, teller: Teller, probabilities: Mapping[str, float]) -> Assessment:
    thresholds = teller.heads.thresholds
    shown = {code: score for code, score in probabilities.items() if score >= LEAST_SHOWN}
    flags = [
        Flag(
            code=code,
            score=probabilities[code],
            threshold=thresholds[code],
            classifier=teller.label,
            spans=spans_of(teller.reason(code, _tokens(assessment)), assessment),
        )
        for code in flagged_codes(probabilities, thresholds)
    ]
    return replace(
        assessment,
        scores={**shown, **assessment.scores},
        models={**assessment.models, teller.manifest.name: teller.manifest.version},
        flags=(*assessment.flags, *flags),
    )


def flagged_codes(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> list[str]:
    """The codes that are flagged, likeliest first: those of harm that reach their thresholds, or the protected one
    where that is likelier than any of them. A code that a flagged one refines is left out: who says "wrong date" has
    said "wrong procedure"."""
    reached = [code for code, threshold in thresholds.items() if probabilities[code] >= threshold]
    reached.sort(key=lambda code: -probabilities[code])
    if reached and reached[0].startswith(PROTECTED):
        return reached[:1]
    harm = [code for code in reached if not code.startswith(PROTECTED)]
    return [code for code in harm if not any(other.startswith(f"{code}-") for other in harm)]
