"""Puts the ids of known claims beside posts that a cheap step pointed at."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from classifiers.claims.claim import Claim
from classifiers.claims.matcher import ClaimMatcher, Reranker
from hustings.types import Assessment

__all__ = ["KnownClaims"]

POINTED_AT = ("N", "X-COUNTER")
"""Looking up costs as much as forty cheap steps, so only posts with such a flag are looked up: narratives, and answers
to them, which are about the same claim."""


class KnownClaims:
    """Writes `claims` for flagged posts. Says which fact-check is about the same claim, not what it found."""

    name = "claims"

    def __init__(
        self, claims: Sequence[Claim], reranker: Reranker | None, *, former: KnownClaims | None = None
    ) -> None:
        """Without claims or without a re-ranker nothing is matched. `former` lends its index when its claims are the
        same objects."""
        self.version = reranker.manifest.version if reranker else "none"
        self._claims = claims
        self._matcher = None
        if claims and reranker is not None:
            lent = former._matcher if former is not None and former._claims is claims else None
            self._matcher = ClaimMatcher(claims, reranker, retriever=lent.retriever if lent else None)

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        if self._matcher is None:
            return list(assessments)
        return [self._with_claims(one, self._matcher) if _is_pointed_at(one) else one for one in assessments]

    def _with_claims(self, assessment: Assessment, matcher: ClaimMatcher) -> Assessment:
        found = matcher.sure((*assessment.title_tokens, *assessment.tokens))
        return replace(assessment, claims=tuple(match.id for match in found)) if found else assessment


def _is_pointed_at(assessment: Assessment) -> bool:
    return any(
        flag.code == code or flag.code.startswith(f"{code}-") for flag in assessment.flags for code in POINTED_AT
    )
