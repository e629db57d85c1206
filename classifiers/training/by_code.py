"""How well a model that gives many codes tells each of them: precision, recall, and what a code is mostly taken for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from classifiers.training.measures import wilson
from hustings.codebook import matches

__all__ = ["NOTHING", "CodeQuality", "Confusion", "Share", "by_code", "share_of"]

NOTHING = "none"
"""In place of a code: the post has none, or the model said none."""


class Share(Struct, frozen=True):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class Confusion(Struct, frozen=True):
    """Another code, and on how many posts."""

    code: str
    n: int


class CodeQuality(Struct, frozen=True, kw_only=True):
    """One code. `n` posts have it, `given` got it. An answer is right when it is the post's code or one below it;
    `coarser` posts got a code above theirs instead, which is true and says less: it counts for the precision of that
    code and not for the recall of theirs. `taken_for` is the most frequent wrong answer to posts with the code,
    `given_for` what most posts have that got it wrongly. None where there is nothing to measure."""

    code: str
    n: int
    given: int
    precision: Share | None
    recall: Share | None
    coarser: int
    taken_for: Confusion | None
    given_for: Confusion | None


def share_of(right: int, n: int) -> Share | None:
    """With Wilson's interval."""
    if not n:
        return None
    low, high = wilson(right, n)
    return Share(round(right / n, 4), round(low, 4), round(high, 4))


def by_code(labels: Sequence[str], answers: Sequence[str]) -> list[CodeQuality]:
    """Every code that is a label or an answer, in the order of names, `NOTHING` last."""
    pairs = Counter(zip(labels, answers, strict=True))
    codes = sorted({*labels, *answers}, key=lambda code: (code == NOTHING, code))
    return [_quality(code, pairs) for code in codes]


def _quality(code: str, pairs: Counter[tuple[str, str]]) -> CodeQuality:
    own = {answer: count for (label, answer), count in pairs.items() if label == code}
    given = {label: count for (label, answer), count in pairs.items() if answer == code}
    coarser = sum(count for answer, count in own.items() if answer != code and matches(code, answer))
    found = sum(count for answer, count in own.items() if matches(answer, code))
    true = sum(count for label, count in given.items() if _on_one_branch(label, code))
    n, times = sum(own.values()), sum(given.values())
    return CodeQuality(
        code=code,
        n=n,
        given=times,
        precision=share_of(true, times),
        recall=share_of(found, n),
        coarser=coarser,
        taken_for=_commonest(code, own),
        given_for=_commonest(code, given),
    )


def _on_one_branch(one: str, other: str) -> bool:
    return matches(one, other) or matches(other, one)


def _commonest(code: str, others: dict[str, int]) -> Confusion | None:
    """Of those on other branches; of equally many the first by name."""
    wrong = [Confusion(other, count) for other, count in others.items() if not _on_one_branch(other, code)]
    return min(wrong, key=lambda one: (-one.n, one.code), default=None)
