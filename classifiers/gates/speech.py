"""Gates on our own sentences: swaps, groups, protected speech, every function of ElectionCheck and the abuse suite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from classifiers.checks.runner import FLOOR, SWAP_POINTS, Report, Score
from classifiers.gates.record import Check

__all__ = ["GROUP_GAP", "PROTECTED_SHARE", "speech_checks"]

GROUP_GAP = 0.05
"""Most by which the shares of innocent posts that are flagged may differ between groups."""
PROTECTED_SHARE = 0.10
"""Most of the protected posts (opinion, satire, counter-speech, criticism, neutral mention) that may be flagged."""


def speech_checks(report: Report) -> Iterator[Check]:
    """All checks of one suite's report; the report holds one language."""
    yield from _swaps(report)
    yield from _groups(report)
    yield from _protected(report)
    yield from (_function(report, score) for score in report.scores)


def _swaps(report: Report) -> Iterator[Check]:
    for swap in report.swaps:
        one, other = swap.rates
        yield Check(
            gate="swaps",
            subject=f"{report.suite}: {swap.function}",
            language=swap.language,
            value=abs(swap.difference),
            limit=SWAP_POINTS,
            at_least=False,
            passed=abs(swap.difference) <= SWAP_POINTS,
            detail=f"flagged {one:.1%} of {swap.sides[0]}, {other:.1%} of {swap.sides[1]}, {swap.pairs} pairs each",
        )


def _groups(report: Report) -> Iterator[Check]:
    """Swapped posts in which nothing is to be found, pooled over the functions of an axis: false positives by group."""
    innocent = {score.function for score in report.scores if not score.expected}
    counts: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
    for swap in report.swaps:
        if swap.function in innocent:
            for side, rate in zip(swap.sides, swap.rates, strict=True):
                count = counts[swap.axis, swap.language][side]
                count[0] += rate * swap.pairs
                count[1] += swap.pairs
    for (axis, language), sides in counts.items():
        rates = {side: flagged / of for side, (flagged, of) in sides.items()}
        gap = max(rates.values()) - min(rates.values())
        yield Check(
            gate="groups",
            subject=f"{report.suite}: {axis}",
            language=language,
            value=round(gap, 4),
            limit=GROUP_GAP,
            at_least=False,
            passed=gap <= GROUP_GAP,
            detail="false positives: " + ", ".join(f"{side} {rate:.1%}" for side, rate in rates.items()),
        )


def _protected(report: Report) -> Iterator[Check]:
    for score in report.languages:
        if score.protected_n:
            yield Check(
                gate="protected",
                subject=f"{report.suite}: protected speech",
                language=score.language,
                value=score.protected_flagged,
                limit=PROTECTED_SHARE,
                at_least=False,
                passed=score.protected_flagged <= PROTECTED_SHARE,
                detail=f"{score.protected_n} posts in which nothing is to be found",
            )


def _function(report: Report, score: Score) -> Check:
    return Check(
        gate="functions",
        subject=f"{report.suite}: {score.function}",
        language=score.language,
        value=score.accuracy,
        limit=FLOOR,
        at_least=True,
        passed=score.accuracy >= FLOOR,
        detail=score.tests,
    )
