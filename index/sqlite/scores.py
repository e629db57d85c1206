"""Scores as they lie in a row: what `score.<code>` compares, read back exactly.

SQLite's own JSON functions may be off by one unit in the last place, so the comparison calls back into Python. Terms
(terms.py) keep that to the few rows that can meet it.
"""

from __future__ import annotations

import msgspec

from hustings.types import Assessment

__all__ = ["SCORE_FUNCTION", "packed", "score_of"]

SCORE_FUNCTION = "score_of"
"""SQL function of (`posts.scores`, code): the score or NULL."""


class _Scores(msgspec.Struct, frozen=True, array_like=True):
    """Every head's number, and the flags' own, in the order in which `number_value` looks at them."""

    of_heads: dict[str, float]
    of_flags: list[tuple[str, float]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Scores)


def packed(assessment: Assessment) -> bytes | None:
    """None when there is no score at all."""
    if not assessment.scores and not assessment.flags:
        return None
    return _encoder.encode(_Scores(assessment.scores, [(flag.code, flag.score) for flag in assessment.flags]))


def score_of(raw: bytes | None, code: str) -> float | None:
    """`hustings.query.fields.number_value` of `score.<code>`: the highest of the code and its children."""
    if raw is None:
        return None
    scores = _decoder.decode(raw)
    below = code + "-"
    found = [score for of, score in scores.of_heads.items() if of == code or of.startswith(below)]
    if not found:
        found = [score for of, score in scores.of_flags if of == code or of.startswith(below)]
    return max(found, default=None)
