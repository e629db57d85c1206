"""Functional tests of others, from a table in the form of HateCheck (Röttger et al. 2021) and Multilingual HateCheck:
each row a post, what it tests (`functionality`) and whether it is `hateful` or `non-hateful` (`label_gold`). Nothing is
learnt or settled on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from classifiers.checks.runner import Report, Score
from classifiers.checks.suite import Case, Function, Suite
from classifiers.csv_table import read_table
from classifiers.training.text_file import read_text
from hustings.errors import ConfigError

__all__ = ["HARM", "Verdict", "load_outside_suite", "verdict"]

HARM = ("A", "G", "N-INCITE", "N-PART-THREAT")
"""Any of these codes, or a finer one, says that a post is hateful: the tests ask for no more."""
_COLUMNS = ("functionality", "test_case", "label_gold")
_LABELS = {"hateful": True, "non-hateful": False}


class Verdict(Struct, frozen=True, kw_only=True):
    """All posts together: the F1 of either label and their mean, as the papers of these suites give them."""

    posts: int
    hateful: int
    macro_f1: float
    f1_hateful: float
    f1_other: float


def load_outside_suite(path: Path, language: str) -> Suite:
    """The table at `path`, plain or gzip, whose posts are of that language. A functionality that has posts of
    either label becomes two functions. Raises `ConfigError` for what is no such table, naming the line."""
    table = read_table(read_text(path), str(path))
    lacking = [column for column in _COLUMNS if column not in table.columns]
    if lacking:
        raise ConfigError(f"{path}: no column {', '.join(lacking)}; there are {', '.join(table.columns)}")
    functions: dict[str, Function] = {}
    cases: dict[str, list[Case]] = defaultdict(list)
    for line in table.lines:
        name, post, label = (line.cells.get(column, "") for column in _COLUMNS)
        if line.is_askew or not name or not post.strip() or label not in _LABELS:
            raise ConfigError(
                f"{path}: line {line.number}: a functionality, a post and a label, {' or '.join(_LABELS)}, are needed"
            )
        expected = HARM if _LABELS[label] else ()
        called = f"{name} ({label})"
        functions.setdefault(called, Function(id=called, tests=name, expected=expected))
        number = len(cases[called])
        cases[called].append(
            Case(
                id=f"{language}/{called}/{number}",
                function=called,
                language=language,
                text=post,
                expected=expected,
                template=number,
            )
        )
    if not cases:
        raise ConfigError(f"{path}: no posts")
    return Suite(
        name="outside",
        title=path.name,
        harm=HARM,
        functions=tuple(functions.values()),
        languages=(language,),
        cases=tuple(case for group in cases.values() for case in group),
    )


def verdict(report: Report) -> Verdict:
    """What a run of such a suite comes to."""
    hateful = [score for score in report.scores if score.expected]
    others = [score for score in report.scores if not score.expected]
    found, many = _right(hateful), sum(score.n for score in hateful)
    spared, rest = _right(others), sum(score.n for score in others)
    f1_hateful = _f1(found, many - found, rest - spared)
    f1_other = _f1(spared, rest - spared, many - found)
    return Verdict(
        posts=many + rest,
        hateful=many,
        macro_f1=round((f1_hateful + f1_other) / 2, 4),
        f1_hateful=round(f1_hateful, 4),
        f1_other=round(f1_other, 4),
    )


def _right(scores: Sequence[Score]) -> int:
    return sum(round(score.accuracy * score.n) for score in scores)


def _f1(right: int, missed: int, wrong: int) -> float:
    return 2 * right / max(2 * right + missed + wrong, 1)
