"""Trained columns: one for each code, for each protected code and for ordinary talk, which compete for every post.

Two files of a model's folder hold them. `codes.json` says what the columns are; `columns.zlib` is a zlib stream of
little-endian numbers: the features that have weights (uint32, rising), then for each of them a weight a column (int16).
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from classifiers.manifest import ModelFile
from classifiers.narratives.evidence import Evidence
from classifiers.plain_files import unpack
from hustings.errors import ModelError

__all__ = ["CODES", "COLUMNS", "Columns", "codes_given", "pack_columns", "unpack_columns"]

CODES = "codes.json"
COLUMNS = "columns.zlib"
_MOST_CODES = 100
_MOST_FEATURES = 1 << 17
_LARGEST = 32767

F64 = NDArray[np.float64]


class Column(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A margin is `intercept` + `scale` · Σ whole weight · value. The code is flagged where harm is as likely as the
    model's threshold and as this one; above 1 it never is: the data do not support it."""

    code: Annotated[str, Meta(min_length=1, max_length=60)]
    scale: float
    intercept: float
    threshold: Annotated[float, Meta(ge=0)] = 0.0


class _Codes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    columns: Annotated[tuple[Column, ...], Meta(min_length=2, max_length=_MOST_CODES)]
    features: Annotated[int, Meta(ge=1, le=_MOST_FEATURES)]


class Columns(NamedTuple):
    """`weights` are [features + 1, codes]; the last row, of features without weights, is 0."""

    codes: tuple[str, ...]
    rows: dict[int, int]
    weights: F64
    intercepts: F64
    thresholds: tuple[float, ...]

    def shares(self, evidence: Evidence) -> F64:
        """How likely each column is, all together 1."""
        unknown = len(self.weights) - 1
        rows = [self.rows.get(number, unknown) for number in evidence.numbers]
        margins = self.intercepts + np.asarray(evidence.values) @ self.weights[rows]
        raised = np.exp(margins - margins.max())
        shares: F64 = raised / raised.sum()
        return shares

    def spoke_for(self, evidence: Evidence, column: int, against: F64, tokens: int) -> F64:
        """What each token adds to a column's margin, less its mean share in the others' by the weights `against`."""
        unknown = len(self.weights) - 1
        rows = [self.rows.get(number, unknown) for number in evidence.numbers]
        own = self.weights[rows]
        gains = np.asarray(evidence.values) * (own[:, column] - own @ against)
        by_token = np.zeros(tokens)
        for gain, places in zip(gains.tolist(), evidence.places, strict=True):
            for place in places:
                by_token[place] += gain / len(places)
        return by_token


def pack_columns(
    codes: Sequence[str], numbers: NDArray[np.int64], weights: F64, intercepts: F64, thresholds: Mapping[str, float]
) -> dict[str, tuple[bytes, ModelFile]]:
    """The two files of columns with [codes, features] weights, and the manifest's lines for them."""
    scales = np.abs(weights).max(axis=1) / _LARGEST
    scales[scales == 0] = 1.0
    whole = np.round(weights / scales[:, None]).astype("<i2")
    columns = [
        Column(code=code, scale=float(scale), intercept=round(float(intercept), 6), threshold=thresholds.get(code, 0.0))
        for code, scale, intercept in zip(codes, scales, intercepts, strict=True)
    ]
    tree = msgspec.to_builtins(_Codes(columns=tuple(columns), features=len(numbers)))
    raw = zlib.compress(numbers.astype("<u4").tobytes() + whole.T.tobytes(), 9)
    return {
        CODES: _named(CODES, (json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()),
        COLUMNS: _named(COLUMNS, raw),
    }


def codes_given(raw_codes: bytes, where: str) -> tuple[str, ...]:
    """The codes of columns that are ever given. Raises `ModelError` when the bytes are not such a file."""
    return tuple(column.code for column in _read(raw_codes, where).columns if column.threshold <= 1)


def unpack_columns(raw_codes: bytes, packed: bytes, where: str) -> Columns:
    """Raises `ModelError` unless the files are exactly what they should be and every number is finite."""
    head = _read(raw_codes, where)
    codes = tuple(column.code for column in head.columns)
    wanted = head.features * (4 + 2 * len(codes))
    raw = unpack(packed, size=wanted, where=f"{where}: {COLUMNS}")
    numbers = np.frombuffer(raw, dtype="<u4", count=head.features).astype(np.int64)
    if (np.diff(numbers) <= 0).any():
        raise ModelError(f"{where}: {COLUMNS}: features must rise")
    whole = np.frombuffer(raw, dtype="<i2", offset=4 * head.features).reshape(head.features, len(codes))
    weights = np.zeros((head.features + 1, len(codes)))
    weights[:-1] = whole * np.array([column.scale for column in head.columns])
    rows = {number: row for row, number in enumerate(numbers.tolist())}
    intercepts = np.array([column.intercept for column in head.columns])
    return Columns(codes, rows, weights, intercepts, tuple(column.threshold for column in head.columns))


def _read(raw_codes: bytes, where: str) -> _Codes:
    try:
        head = msgspec.json.decode(raw_codes, type=_Codes)
    except msgspec.MsgspecError as error:
        raise ModelError(f"{where}: {CODES}: {error}") from error
    codes = [column.code for column in head.columns]
    if len(set(codes)) != len(codes):
        raise ModelError(f"{where}: {CODES}: a code stands twice among {', '.join(codes)}")
    for column in head.columns:
        if not all(map(math.isfinite, (column.scale, column.intercept, column.threshold))):
            raise ModelError(f"{where}: {CODES}: {column.code} has a number that is not finite")
    return head


def _named(name: str, raw: bytes) -> tuple[bytes, ModelFile]:
    return raw, ModelFile(name=name, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
