"""Gates on our own sentences: swaps, groups, protected speech, every function of ElectionCheck and the abuse suite."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from classifiers.checks.runner import FLOOR, SWAP_POINTS, Report, Score
from classifiers.gates.comparing import at_least, at_most
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
        yield at_most(
            "swaps",
            f"{report.suite}: {swap.function}",
            swap.language,
            value=abs(swap.difference),
            limit=SWAP_POINTS,
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
        yield at_most(
            "groups",
            f"{report.suite}: {axis}",
            language,
            value=max(rates.values()) - min(rates.values()),
            limit=GROUP_GAP,
            digits=4,
            detail="false positives: " + ", ".join(f"{side} {rate:.1%}" for side, rate in rates.items()),
        )


def _protected(report: Report) -> Iterator[Check]:
    for score in report.languages:
        if score.protected_n:
            yield at_most(
                "protected",
                f"{report.suite}: protected speech",
                score.language,
                value=score.protected_flagged,
                limit=PROTECTED_SHARE,
                detail=f"{score.protected_n} posts in which nothing is to be found",
            )


def _function(report: Report, score: Score) -> Check:
    subject = f"{report.suite}: {score.function}"
    return at_least("functions", subject, score.language, value=score.accuracy, limit=FLOOR, detail=score.tests)
