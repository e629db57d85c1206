"""The weights of all columns of a language, for the buckets that its examples fill and no others.

The file is a zlib stream of little-endian numbers: the buckets (uint32, rising), then each column's weights (int16).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS, Features
from classifiers.linear.model import Weights
from classifiers.manifest import ModelFile
from classifiers.narratives.heads import Column
from hustings.errors import ModelError

__all__ = ["TABLE", "Table", "pack_table", "unpack_table"]

TABLE = "table.zlib"
_BYTES_A_BUCKET = 4
_BYTES_A_WEIGHT = 2


class Table(NamedTuple):
    """`weights[column]` are what every function of `classifiers.linear` takes, by row instead of by bucket; the last
    row is that of all unknown buckets and weighs 0."""

    row_of: NDArray[np.intp]
    weights: tuple[Weights, ...]

    def known(self, found: Features) -> Features:
        """The same features, named by row."""
        return found._replace(
            characters=tuple(self.row_of[buckets] for buckets in found.characters),
            words=self.row_of[found.words],
            pairs=self.row_of[found.pairs],
        )


def make_table(buckets: NDArray[np.uint32], by_column: NDArray[np.int16], columns: Sequence[Column]) -> Table:
    """The table of [columns, buckets] whole numbers."""
    row_of = np.full(BUCKETS + 1, len(buckets), dtype=np.intp)
    row_of[buckets] = np.arange(len(buckets))
    padded = np.append(by_column, np.zeros((len(by_column), 1), dtype=np.int16), axis=1)
    return Table(
        row_of, tuple(Weights(own, one.scale, one.intercept) for own, one in zip(padded, columns, strict=True))
    )


def pack_table(buckets: NDArray[np.uint32], by_column: NDArray[np.int16]) -> tuple[bytes, ModelFile]:
    """The file's bytes and the manifest's line for it."""
    raw = buckets.astype("<u4").tobytes() + by_column.astype("<i2").tobytes()
    packed = zlib.compress(raw, 9)
    return packed, ModelFile(name=TABLE, bytes=len(packed), sha256=hashlib.sha256(packed).hexdigest())


def unpack_table(packed: bytes, *, rows: int, columns: Sequence[Column], where: str) -> Table:
    """Raises `ModelError` unless the stream holds exactly `rows` rising buckets and their weights."""
    if not 0 < rows <= BUCKETS:
        raise ModelError(f"{where}: {rows} rows; a table has at least one and at most {BUCKETS}")
    wanted = rows * (_BYTES_A_BUCKET + _BYTES_A_WEIGHT * len(columns))
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, wanted + 1)
    except zlib.error as error:
        raise ModelError(f"{where}: {TABLE} is not a zlib stream ({error})") from error
    if len(raw) != wanted or not stream.eof or stream.unused_data:
        raise ModelError(f"{where}: {TABLE} must hold exactly {wanted} bytes; found {len(raw)} or more")
    buckets = np.frombuffer(raw, dtype="<u4", count=rows)
    if buckets[-1] >= BUCKETS or (np.diff(buckets.astype(np.int64)) <= 0).any():
        raise ModelError(f"{where}: {TABLE}: buckets must rise and stay below {BUCKETS}")
    weights = np.frombuffer(raw, dtype="<i2", offset=rows * _BYTES_A_BUCKET).reshape(len(columns), rows)
    return make_table(buckets, weights.astype(np.int16), columns)
