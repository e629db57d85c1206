"""One language's columns, asked about a post: is it harm, which code, and which words say so?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.narratives.columns import Columns
from classifiers.narratives.concepts import Concepts, Found
from classifiers.narratives.evidence import Evidence, evidence_of
from classifiers.narratives.seeds import PROTECTED
from classifiers.narratives.subject import Subjects

__all__ = ["FLAGGED_HARM", "Reader", "Reading", "parent_of"]

FLAGGED_HARM = ("N-", "A-THREAT", "A-INSULT")
"""Codes of harm that begin so may be given by columns; others, such as `G`, only compete."""
_WHOLE = 48
"""Words up to which a post is read as a whole; a longer one is read by windows, so that chatter dilutes nothing."""
_WINDOW = 30
_STEP = 10
_MOST_READ = 240
_SURE = 0.5
"""Share of its list that a code must have to be given itself; else the coarser code is: wrong procedure, not which."""
_LEAST = 1e-3
"""Shares nearer to 0 or 1 than this tell nothing more."""


class Reading(NamedTuple):
    """`margin` is the log-odds of harm, and `code` the likeliest one that the post speaks of, or the coarser one that
    it belongs to. `protected` is the likeliest protected code and `protected_share` how likely it is. `begin` and
    `evidence` say what was read; `column` is the code's own, or its likeliest child's;
    `threshold` is the probability that this column asks for beside the model's own."""

    margin: float
    code: str
    protected: str
    protected_share: float
    begin: int
    evidence: Evidence
    column: int
    threshold: float


class Reader:
    """Columns with the words and subjects that they were trained beside."""

    def __init__(self, concepts: Concepts, subjects: Subjects, columns: Columns) -> None:
        self.concepts = concepts
        self._subjects = subjects
        self._columns = columns
        codes = columns.codes
        self._harm = [k for k, code in enumerate(codes) if code.startswith(FLAGGED_HARM)]
        self._protected = [k for k, code in enumerate(codes) if code.startswith(PROTECTED)]
        self._core = frozenset().union(*(group for own in subjects.groups.values() for group in own[:1]))

    def read(self, tokens: Sequence[str]) -> Reading | None:
        """None for a post that speaks of nothing that any code is about."""
        found = self.concepts.find(tokens[:_MOST_READ])
        if self._core.isdisjoint([one.concept for one in found]):
            return None
        if len(tokens) <= _WHOLE:
            return self._part(tokens, found, 0)
        readings = [
            self._part(tokens[begin : begin + _WINDOW], _within(found, begin, begin + _WINDOW), begin)
            for begin in range(0, min(len(tokens), _MOST_READ) - _WINDOW + _STEP, _STEP)
        ]
        return max((one for one in readings if one is not None), key=lambda one: one.margin, default=None)

    def words(self, reading: Reading, tokens: int) -> NDArray[np.float64]:
        """What each of the tokens that were read adds to the code, against what competes with harm."""
        columns = self._columns
        against = np.ones(len(columns.codes))
        against[self._harm] = 0.0
        return columns.spoke_for(reading.evidence, reading.column, against / against.sum(), tokens)

    def _part(self, tokens: Sequence[str], found: Sequence[Found], begin: int) -> Reading | None:
        concepts = {one.concept for one in found}
        codes = self._columns.codes
        possible = [k for k in self._harm if self._subjects.possible(codes[k], concepts)]
        if not possible:
            return None
        evidence = evidence_of(self.concepts, tokens, found)
        shares = self._columns.shares(evidence).tolist()
        harm = min(max(math.fsum(shares[k] for k in possible), _LEAST), 1 - _LEAST)
        lists: dict[str, float] = {}
        for k in possible:
            lists[parent_of(codes[k])] = lists.get(parent_of(codes[k]), 0.0) + shares[k]
        coarse = max(lists, key=lists.__getitem__)
        best = max((k for k in possible if parent_of(codes[k]) == coarse), key=shares.__getitem__)
        code = codes[best] if shares[best] >= _SURE * lists[coarse] else coarse
        protected = max(self._protected, key=shares.__getitem__)
        margin = math.log(harm / (1 - harm))
        return Reading(
            margin, code, codes[protected], shares[protected], begin, evidence, best, self._columns.thresholds[best]
        )


def parent_of(code: str) -> str:
    """The coarser code that a code belongs to: `N-PROC` for `N-PROC-DATE`; itself when it is the list's own."""
    return code.rpartition("-")[0] if code.count("-") > 1 else code


def _within(found: Sequence[Found], begin: int, end: int) -> list[Found]:
    return [Found(place - begin, concept) for place, concept in found if begin <= place < end]
