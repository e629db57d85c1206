"""`phase:P-CAMP` as ranges of publication time, by the electoral calendar of the configuration."""

from __future__ import annotations

from itertools import pairwise

from hustings.errors import QueryError
from hustings.query.combine import any_of
from hustings.query.excerpt import shown
from hustings.query.scanner import Lexeme
from hustings.query.tree import Between, Node
from hustings.query.vocabulary import Vocabulary, nearest
from hustings.roster import Phase, phase_at

__all__ = ["read_phase"]


def read_phase(code: str | None, lexeme: Lexeme, vocabulary: Vocabulary) -> Node:
    """The node for one phase, or for any of them (None)."""
    phases = vocabulary.phases
    if not phases:
        raise QueryError(
            "`phase` reads the electoral calendar, which is not loaded; name the configuration with --config",
            column=lexeme.column - len("phase:"),
            code="E09",
        )
    known = {phase.code.casefold(): phase.code for phase in phases}
    if code is not None and code.casefold() not in known:
        raise QueryError(
            f"no phase {shown(code)} in the calendar; {nearest(code, known.values())}", column=lexeme.column, code="E11"
        )
    wanted = set(known.values()) if code is None else {known[code.casefold()]}
    ranges = _ranges(phases, wanted)
    if not ranges:
        raise QueryError(
            f"phase {shown(code or '*')} holds no time: earlier phases of the calendar cover it",
            column=lexeme.column,
            code="E11",
        )
    return any_of(ranges)


def _ranges(phases: tuple[Phase, ...], wanted: set[str]) -> list[Between]:
    """Where `phase_at` gives one of the codes: of phases that overlap, the first in the calendar counts."""
    bounds = sorted({bound for phase in phases for bound in (phase.start, phase.end)})
    ranges: list[Between] = []
    for start, end in pairwise(bounds):
        if phase_at(phases, start) not in wanted:
            continue
        if ranges and ranges[-1].end == start:
            ranges[-1] = Between("published", ranges[-1].start, end)
        else:
            ranges.append(Between("published", start, end))
    return ranges
