"""What is wrong with rule files: every problem in one report, each with its place and code."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from alerts.rules.positions import Place

__all__ = ["Code", "Problem", "Report"]

Code = Literal[
    "E01",  # unknown key
    "E02",  # unknown kind
    "E03",  # key not allowed for this kind
    "E04",  # required key missing
    "E05",  # duration not positive or without unit
    "E06",  # window not a multiple of step
    "E07",  # no comparator or contradictory ones
    "E08",  # condition always or never true
    "E09",  # unknown field
    "E10",  # analysed text used for equality, group_by or of
    "E11",  # value not in the vocabulary
    "E12",  # construct the language has not
    "E13",  # too long or too deep
    "E15",  # reaches further back than hits and posts are kept
    "E17",  # duplicate id or name
    "E18",  # version not raised although the logic changed
    "E19",  # no `expires`, or past for a shadow or active rule
    "E20",  # no firing test or no non-firing test
    "E21",  # own test fails
    "E22",  # routing impossible
    "E23",  # estimated groups above `max_groups`
    "E24",  # selects a private person without a recorded approval
    "W05",  # query has no required word
]
"""Codes of the checks that apply to the kinds that are built; hence the gaps."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or (W…) that should be known."""

    code: Code
    place: Place
    rule: str
    key: str
    text: str

    @property
    def is_warning(self) -> bool:
        return self.code.startswith("W")

    def __str__(self) -> str:
        """`rules.toml:12:1: E01 rule "name": windw: …`."""
        rule = f' rule "{self.rule}":' if self.rule else ""
        key = f" {self.key}:" if self.key else ""
        return f"{self.place}: {self.code}{rule}{key} {self.text}"


class Report:
    """Problems as they are found; sorted by place when they are read."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, code: Code, text: str, *, place: Place, rule: str = "", key: str = "") -> None:
        """Note one problem."""
        self._problems.append(Problem(code=code, place=place, rule=rule, key=key, text=text))

    @property
    def errors(self) -> list[str]:
        """Ready-made lines of what makes the rules unusable."""
        return [str(problem) for problem in self._sorted() if not problem.is_warning]

    @property
    def warnings(self) -> list[str]:
        """Ready-made lines of what should be known."""
        return [str(problem) for problem in self._sorted() if problem.is_warning]

    def _sorted(self) -> list[Problem]:
        return sorted(self._problems, key=lambda problem: (problem.place, problem.code))
