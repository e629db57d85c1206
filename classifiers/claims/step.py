"""Puts the ids of known claims beside posts that a cheap step pointed at: flagged, or worth checking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from classifiers.claims.claim import Claim
from classifiers.claims.matcher import ClaimMatcher, Reranker
from classifiers.claims.reader import LANGUAGE, ClaimReader
from classifiers.claims.settings import ClaimSettings
from classifiers.encoder.embed import Embedder
from hustings.codebook import CHECK_WORTHY, matches
from hustings.types import Assessment

__all__ = ["KnownClaims"]

POINTED_AT = ("N", "X-COUNTER")
"""Looking up costs as much as forty cheap steps, so only posts with such a flag are looked up: narratives, and answers
to them, which are about the same claim. So are posts whose check-worthiness reaches its head's threshold."""


class KnownClaims:
    """Writes `claims` for posts that are flagged or worth checking. Says which fact-check is about the same claim, not
    what it found."""

    name = "claims"

    def __init__(
        self,
        claims: Sequence[Claim],
        reranker: Reranker | None,
        *,
        worth_checking: Mapping[str, float] | None = None,
        former: KnownClaims | None = None,
        settings: ClaimSettings | None = None,
        open_embedder: Callable[[str], Embedder | None] = lambda language: None,
    ) -> None:
        """Without claims or without a re-ranker nothing is matched. `worth_checking` holds, by language, the score of
        `CHECK_WORTHY` from which on a post is looked up. `former` lends its index when its claims are the same
        objects, and what it has read of claims. `open_embedder` opens what reads a language, at the first question."""
        self.version = reranker.manifest.version if reranker else "none"
        self._claims = claims
        self._worth_checking = dict(worth_checking or {})
        self._matcher = None
        if claims and reranker is not None:
            lent = former._matcher if former is not None else None
            reading = settings or ClaimSettings()
            reader = ClaimReader(claims, open_embedder, former=lent.reader if lent else None)
            self._matcher = ClaimMatcher(
                claims,
                reranker,
                retriever=lent.retriever if lent and former and former._claims is claims else None,
                reader=reader if reading.by_meaning else None,
                most_read=reading.most_read,
            )

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        if self._matcher is None:
            return list(assessments)
        return [self._with_claims(one, self._matcher) if self._is_pointed_at(one) else one for one in assessments]

    def _with_claims(self, assessment: Assessment, matcher: ClaimMatcher) -> Assessment:
        post = assessment.post
        text = f"{post.title} {post.text}".strip() if assessment.lang == LANGUAGE else ""
        found = matcher.sure((*assessment.title_tokens, *assessment.tokens), text=text)
        return replace(assessment, claims=tuple(match.id for match in found)) if found else assessment

    def _is_pointed_at(self, assessment: Assessment) -> bool:
        from_score = self._worth_checking.get(assessment.lang, 2.0)  # 2: never, where no head ranks the language
        return assessment.scores.get(CHECK_WORTHY, 0.0) >= from_score or any(
            matches(flag.code, code) for flag in assessment.flags for code in POINTED_AT
        )
