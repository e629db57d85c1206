"""What other models say differently of the same posts: the report of a replay."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hustings.contracts import Index
from hustings.types import Assessment

__all__ = ["CodeDifference", "DifferenceReport", "Differences"]

EXAMPLES = 5
"""Keys of posts that are named for each code and direction."""


class CodeDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Posts by one code: flagged by both, only by what is live, only by the replay; keys of some of them."""

    code: str
    both: int
    lost: int
    gained: int
    lost_examples: list[str]
    gained_examples: list[str]


class DifferenceReport(msgspec.Struct, frozen=True, kw_only=True):
    """`compared` posts stand in both indices at one revision; `only_in_replay` are those that the live one has not, or
    at another revision. `models` are those of the two, by name."""

    compared: int
    only_in_replay: int
    changed: int
    live_models: dict[str, str]
    replay_models: dict[str, str]
    codes: list[CodeDifference]


class Differences:
    """Compares batches of rescored posts with what is live, as they are written."""

    def __init__(self, live: Index) -> None:
        self._live = live
        self._compared = self._changed = self._alone = 0
        self._both: dict[str, int] = {}
        self._only: dict[tuple[str, str], list[str]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._models: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def add(self, rescored: Sequence[Assessment]) -> None:
        """One batch."""
        standing = self._live.get([one.key for one in rescored])
        for after in rescored:
            before = standing.get(after.key)
            if before is None or before.post.revision != after.post.revision:
                self._alone += 1
                continue
            self._compared += 1
            self._models[0].update(before.models)
            self._models[1].update(after.models)
            old, new = ({flag.code for flag in one.flags} for one in (before, after))
            self._changed += old != new
            for code in old & new:
                self._both[code] = self._both.get(code, 0) + 1
            for side, codes in (("lost", old - new), ("gained", new - old)):
                for code in codes:
                    self._counts[side, code] = self._counts.get((side, code), 0) + 1
                    examples = self._only.setdefault((side, code), [])
                    if len(examples) < EXAMPLES:
                        examples.append(after.key)

    def report(self) -> DifferenceReport:
        """What was found so far, codes in order."""
        codes = sorted({*self._both, *(code for _, code in self._counts)})
        return DifferenceReport(
            compared=self._compared,
            only_in_replay=self._alone,
            changed=self._changed,
            live_models=dict(sorted(self._models[0].items())),
            replay_models=dict(sorted(self._models[1].items())),
            codes=[
                CodeDifference(
                    code=code,
                    both=self._both.get(code, 0),
                    lost=self._counts.get(("lost", code), 0),
                    gained=self._counts.get(("gained", code), 0),
                    lost_examples=self._only.get(("lost", code), []),
                    gained_examples=self._only.get(("gained", code), []),
                )
                for code in codes
            ],
        )
