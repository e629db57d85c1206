"""Trained columns: one for each code, for each protected code and for ordinary talk, which compete for every post.

Between the features of a post and its columns stand hidden units (a rectifier each): they learn what a claim is beside
a denial, a question or another place, which no sum over single features can tell.

Two files of a model's folder hold them. `codes.json` says what the columns are; `columns.zlib` is a zlib stream of
little-endian numbers: the features that have weights (uint32, rising), for each of them a weight a unit (int8), a scale
and a bias a unit, a weight a unit and column, and a bias a column (float32).
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from classifiers.narratives.evidence import Evidence
from classifiers.plain_files import unpack
from classifiers.softmax import softmax
from classifiers.typed_json import read_typed
from hustings.errors import ModelError

__all__ = [
    "CODES",
    "COLUMNS",
    "Columns",
    "Network",
    "codes_given",
    "pack_columns",
    "unpack_columns",
]

CODES = "codes.json"
COLUMNS = "columns.zlib"
_MOST_CODES = 100
_MOST_FEATURES = 1 << 18
_MOST_UNITS = 1 << 10
_LARGEST = 127

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]


class Column(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code is flagged where harm is as likely as the model's threshold and as this one; above 1 it never is: the
    data do not support it."""

    code: Annotated[str, Meta(min_length=1, max_length=60)]
    threshold: Annotated[float, Meta(ge=0)] = 0.0


class _Codes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    columns: Annotated[tuple[Column, ...], Meta(min_length=2, max_length=_MOST_CODES)]
    features: Annotated[int, Meta(ge=1, le=_MOST_FEATURES)]
    units: Annotated[int, Meta(ge=1, le=_MOST_UNITS)]


class Network(NamedTuple):
    """What was learnt: the matrix columns that have weights, [features, units] weights and biases of units, [units,
    codes] weights and biases of codes."""

    codes: tuple[str, ...]
    numbers: I64
    inner: F32
    inner_bias: F32
    outer: F32
    outer_bias: F32


class Columns(NamedTuple):
    """`row_of` gives every feature its row of `inner`; the last row, of features without weights, is 0."""

    codes: tuple[str, ...]
    row_of: NDArray[np.int32]
    inner: F32
    inner_bias: F32
    outer: F32
    outer_bias: F32
    thresholds: tuple[float, ...]

    def shares(self, evidence: Evidence) -> F32:
        """How likely each column is, all together 1."""
        units = self._units(evidence)
        return softmax(np.maximum(units, 0, out=units).dot(self.outer) + self.outer_bias)

    def spoke_for(self, evidence: Evidence, column: int, against: F32) -> F32:
        """What each feature adds to a column's margin, less its mean share in the others' by the weights `against`, by
        the units that the post woke."""
        awake = self._units(evidence) > 0
        gain = (self.outer[:, column] - self.outer @ against) * awake
        spoke: F32 = evidence.values * (self._rows(evidence) @ gain)
        return spoke

    def _units(self, evidence: Evidence) -> F32:
        found: F32 = evidence.values.dot(self._rows(evidence))
        found += self.inner_bias
        return found

    def _rows(self, evidence: Evidence) -> F32:
        return self.inner.take(self.row_of.take(evidence.numbers), axis=0)


def pack_columns(network: Network, thresholds: Mapping[str, float]) -> dict[str, bytes]:
    """The two files of columns."""
    scales = np.abs(network.inner).max(axis=0) / _LARGEST
    scales[scales == 0] = 1.0
    whole = np.round(network.inner / scales).astype("<i1")
    columns = [Column(code=code, threshold=thresholds.get(code, 0.0)) for code in network.codes]
    head = _Codes(columns=tuple(columns), features=len(network.numbers), units=whole.shape[1])
    floats = (scales, network.inner_bias, network.outer.ravel(), network.outer_bias)
    raw = network.numbers.astype("<u4").tobytes() + whole.tobytes() + np.concatenate(floats).astype("<f4").tobytes()
    text = json.dumps(msgspec.to_builtins(head), ensure_ascii=False, indent=1) + "\n"
    return {CODES: text.encode(), COLUMNS: zlib.compress(raw, 9)}


def codes_given(raw_codes: bytes, where: str) -> tuple[str, ...]:
    """The codes of columns that are ever given. Raises `ModelError` when the bytes are not such a file."""
    return tuple(column.code for column in _read(raw_codes, where).columns if column.threshold <= 1)


def unpack_columns(raw_codes: bytes, packed: bytes, where: str, *, features: int) -> Columns:
    """Raises `ModelError` unless the files are exactly what they should be, every number is finite, and no feature lies
    beyond those that there are."""
    head = _read(raw_codes, where)
    codes, units = tuple(column.code for column in head.columns), head.units
    many = 2 * units + units * len(codes) + len(codes)
    raw = unpack(packed, size=head.features * (4 + units) + 4 * many, where=f"{where}: {COLUMNS}")
    numbers = np.frombuffer(raw, dtype="<u4", count=head.features).astype(np.int64)
    if (np.diff(numbers) <= 0).any() or numbers[-1] >= features:
        raise ModelError(f"{where}: {COLUMNS}: features must rise, and stay below {features}")
    whole = np.frombuffer(raw, dtype="<i1", offset=4 * head.features, count=head.features * units)
    floats = np.frombuffer(raw, dtype="<f4", offset=head.features * (4 + units)).astype(np.float32)
    if not np.isfinite(floats).all():
        raise ModelError(f"{where}: {COLUMNS} holds a number that is not finite")
    scales, inner_bias, outer, outer_bias = np.split(floats, np.cumsum((units, units, units * len(codes))))
    inner = np.zeros((head.features + 1, units), dtype=np.float32)
    inner[:-1] = whole.reshape(head.features, units) * scales
    row_of = np.full(features, head.features, dtype=np.int32)
    row_of[numbers] = np.arange(head.features)
    thresholds = tuple(column.threshold for column in head.columns)
    return Columns(codes, row_of, inner, inner_bias, outer.reshape(units, len(codes)), outer_bias, thresholds)


def _read(raw_codes: bytes, where: str) -> _Codes:
    head = read_typed(raw_codes, _Codes, f"{where}: {CODES}")
    codes = [column.code for column in head.columns]
    if len(set(codes)) != len(codes):
        raise ModelError(f"{where}: {CODES}: a code stands twice among {', '.join(codes)}")
    for column in head.columns:
        if not math.isfinite(column.threshold):
            raise ModelError(f"{where}: {CODES}: {column.code} has a threshold that is not finite")
    return head
