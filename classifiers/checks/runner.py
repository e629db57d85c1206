"""Runs a suite through whatever assesses posts, and says how well each function is told in each language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple, Protocol

from msgspec import Struct

from classifiers.checks.suite import Case, Function, Suite
from hustings.codebook import matches
from hustings.types import Assessment, Post

__all__ = [
    "FLOOR",
    "SWAP_POINTS",
    "Assessing",
    "Failure",
    "LanguageScore",
    "Report",
    "Score",
    "SwapScore",
    "below",
    "is_right",
    "run",
    "uneven",
]

BATCH = 512
FLOOR = 0.5
"""Share of its cases that every function must get right."""
SWAP_POINTS = 2.0
"""Points by which the sides of a swap may differ."""
EXAMPLES = 3
_WHEN = datetime(2027, 3, 14, 12, tzinfo=UTC)


class Assessing(Protocol):
    """What a runner needs of `classifiers.pipeline.Pipeline`."""

    def assess(self, posts: Sequence[Post], first_collected: Mapping[str, datetime]) -> list[Assessment]: ...


class Failure(Struct, frozen=True, kw_only=True):
    """A post that was judged wrongly, and all codes that it got."""

    text: str
    expected: tuple[str, ...]
    flags: tuple[str, ...]


class Score(Struct, frozen=True, kw_only=True):
    """One function in one language. `accuracy` is the share of posts judged rightly, `flagged` the share that got any
    code of harm, right or wrong; `failures` are the first few."""

    function: str
    language: str
    tests: str
    expected: tuple[str, ...]
    n: int
    accuracy: float
    flagged: float
    failures: tuple[Failure, ...]


class SwapScore(Struct, frozen=True, kw_only=True):
    """How often either side of a swap is flagged. `difference` is in points of a hundred, first side minus second;
    `unequal` counts the pairs in which only one post was flagged."""

    function: str
    language: str
    axis: str
    sides: tuple[str, str]
    pairs: int
    rates: tuple[float, float]
    difference: float
    unequal: int


class LanguageScore(Struct, frozen=True, kw_only=True):
    """One language in short. `harm` and `innocent` are mean accuracies over functions in which something, or nothing,
    is to be found; None where a language has no such function. `protected_n` posts should get no code of harm (swaps,
    which have a table of their own, aside), `protected_flagged` is the share of them that did."""

    language: str
    functions: int
    below_floor: int
    harm: float | None
    innocent: float | None
    protected_n: int
    protected_flagged: float


class Report(Struct, frozen=True, kw_only=True):
    """What a run found. `scores` stand worst first. `models` are those that scored any post, with their versions."""

    suite: str
    title: str
    digest: str
    cases: int
    models: dict[str, str]
    scores: tuple[Score, ...]
    swaps: tuple[SwapScore, ...]
    languages: tuple[LanguageScore, ...]


class _Judged(NamedTuple):
    case: Case
    flags: tuple[str, ...]
    right: bool
    harmful: bool


def run(suite: Suite, assessing: Assessing) -> Report:
    """Assess every case of the suite, each as a post of its own whose source declares the language."""
    models: dict[str, str] = {}
    judged: list[_Judged] = []
    for first in range(0, len(suite.cases), BATCH):
        cases = suite.cases[first : first + BATCH]
        assessments = assessing.assess([_post(suite, case) for case in cases], {})
        for case, assessment in zip(cases, assessments, strict=True):
            models |= assessment.models
            codes = tuple(dict.fromkeys(flag.code for flag in assessment.flags))
            right = is_right(codes, case.expected, suite.harm)
            judged.append(_Judged(case, codes, right, not is_right(codes, (), suite.harm)))
    functions = {function.id: function for function in suite.functions}
    scores = [_score(functions[group[0].case.function], group) for group in _grouped(judged)]
    return Report(
        suite=suite.name,
        title=suite.title,
        digest=suite.digest,
        cases=len(suite.cases),
        models=dict(sorted(models.items())),
        scores=tuple(sorted(scores, key=lambda score: (score.accuracy, score.function, score.language))),
        swaps=tuple(
            _swap_score(functions[group[0].case.function], group) for group in _grouped(judged) if group[0].case.side
        ),
        languages=tuple(_language_score(language, scores, judged) for language in suite.languages),
    )


def is_right(flags: Iterable[str], expected: Sequence[str], harm: Sequence[str]) -> bool:
    """Whether a post got what it should: nothing of `harm` where nothing is expected, else one of the `expected` codes,
    a refinement of it, or the code that it refines (`N-PROC` for `N-PROC-DATE`), the bare head of a list excepted."""
    if not expected:
        return not any(matches(flag, code) for flag in flags for code in harm)
    return any(matches(flag, code) or ("-" in flag and matches(code, flag)) for flag in flags for code in expected)


def below(report: Report, floor: float = FLOOR) -> tuple[Score, ...]:
    """The functions whose accuracy in a language is under the floor, worst first."""
    return tuple(score for score in report.scores if score.accuracy < floor)


def uneven(report: Report, points: float = SWAP_POINTS) -> tuple[SwapScore, ...]:
    """The swaps whose sides differ by more than so many points, worst first."""
    apart = [swap for swap in report.swaps if abs(swap.difference) > points]
    return tuple(sorted(apart, key=lambda swap: (-abs(swap.difference), swap.function, swap.language)))


def _post(suite: Suite, case: Case) -> Post:
    native_id = f"{case.id}/{case.side}" if case.side else case.id
    return Post(
        source=f"checks-{suite.name}",
        native_id=native_id,
        text=case.text,
        lang=case.language,
        published_at=_WHEN,
        collected_at=_WHEN,
    )


def _grouped(judged: Sequence[_Judged]) -> Iterator[list[_Judged]]:
    """By language and function; cases stand in that order."""
    for _, group in groupby(judged, key=lambda one: (one.case.language, one.case.function)):
        yield list(group)


def _score(function: Function, group: Sequence[_Judged]) -> Score:
    failures = [
        Failure(text=one.case.text, expected=one.case.expected, flags=one.flags) for one in group if not one.right
    ]
    return Score(
        function=function.id,
        language=group[0].case.language,
        tests=function.tests,
        expected=tuple(sorted({code for one in group for code in one.case.expected})),
        n=len(group),
        accuracy=_share(sum(one.right for one in group), len(group)),
        flagged=_share(sum(one.harmful for one in group), len(group)),
        failures=tuple(failures[:EXAMPLES]),
    )


def _swap_score(function: Function, group: Sequence[_Judged]) -> SwapScore:
    one, other = group[::2], group[1::2]
    counts = sum(judged.harmful for judged in one), sum(judged.harmful for judged in other)
    return SwapScore(
        function=function.id,
        language=one[0].case.language,
        axis=function.swap,
        sides=(one[0].case.side, other[0].case.side),
        pairs=len(one),
        rates=(_share(counts[0], len(one)), _share(counts[1], len(one))),
        difference=round(100 * (counts[0] - counts[1]) / len(one), 1),
        unequal=sum(first.harmful != second.harmful for first, second in zip(one, other, strict=True)),
    )


def _language_score(language: str, scores: Sequence[Score], judged: Sequence[_Judged]) -> LanguageScore:
    own = [score for score in scores if score.language == language]
    innocent = [
        one.harmful for one in judged if one.case.language == language and not one.case.expected and not one.case.side
    ]
    return LanguageScore(
        language=language,
        functions=len(own),
        below_floor=sum(score.accuracy < FLOOR for score in own),
        harm=_mean([score.accuracy for score in own if score.expected]),
        innocent=_mean([score.accuracy for score in own if not score.expected]),
        protected_n=len(innocent),
        protected_flagged=_share(sum(innocent), len(innocent)),
    )


def _mean(accuracies: Sequence[float]) -> float | None:
    return round(sum(accuracies) / len(accuracies), 4) if accuracies else None


def _share(part: int, whole: int) -> float:
    return round(part / max(whole, 1), 4)
