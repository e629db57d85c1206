"""One linear head: read from its folder, written to it. Weights are a zlib stream of little-endian int16, one per
bucket, so that sums are exact whatever the order and the batch.

Beside the weights that were learnt from a corpus there may be a second set that withholds flags from protected speech
(see `Withholding`).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS
from classifiers.manifest import Manifest, ModelFile, of_kind, read_file, read_manifest, write_model
from classifiers.plain_files import unpack
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = [
    "WEIGHTS",
    "WITHHOLDS",
    "Head",
    "Weights",
    "Withholding",
    "load_head",
    "load_heads",
    "pack",
    "read_number",
    "read_table",
    "save_head",
]

WEIGHTS = "weights.i16.zlib"
WITHHOLDS = "withholds.i16.zlib"
_BYTES = BUCKETS * 2


class Weights(NamedTuple):
    """Margin = `intercept` + `scale` · Σ `by_bucket` / √(number of features). The last bucket (`NOTHING`) weighs 0."""

    by_bucket: NDArray[np.int16]
    scale: float
    intercept: float

    @classmethod
    def quantised(cls, weights: NDArray[np.float64], intercept: float) -> Weights:
        """Whole numbers in place of the weights of all buckets."""
        scale = float(np.abs(weights).max(initial=0.0)) / 32767 or 1.0
        return cls(np.append(np.round(weights / scale).astype(np.int16), np.int16(0)), scale, intercept)


class Withholding(NamedTuple):
    """A second opinion about a segment of a post: whether it quotes, denies, reports or condemns. Where its own margin
    is at least `at`, that of the head is `to` at most."""

    weights: Weights
    at: float
    to: float

    def settings(self) -> dict[str, int | float | str]:
        """What the manifest's settings say of it."""
        numbers = (self.weights.scale, self.weights.intercept, self.at, self.to)
        return dict(zip(_WITHHOLDS_KEYS, numbers, strict=True))


_KEYS = ("scale", "intercept")
_WITHHOLDS_KEYS = ("withholds_scale", "withholds_intercept", "withholds_at", "withholds_to")


class Head(NamedTuple):
    """A trained head: what it says, and the weights that say it."""

    manifest: Manifest
    weights: Weights
    withholding: Withholding | None = None

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return f"{self.manifest.name}@{self.manifest.version}"


def load_heads(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Head]:
    """The linear heads among these model folders, in their order. Raises `ModelError` for the first bad one."""
    return [load_head(folder, signers=signers) for folder in of_kind(folders, "linear", signers=signers)]


def load_head(folder: Path, *, signers: Signers | None = None) -> Head:
    """The head in `folder`. Raises `ModelError` when a signature, a hash, a size or a key is not what it should be."""
    manifest = read_manifest(folder, kind="linear", signers=signers)
    named = [file.name for file in manifest.files]
    if named not in ([WEIGHTS], [WEIGHTS, WITHHOLDS]):
        raise ModelError(
            f"{folder}: a linear head has one file, {WEIGHTS!r}, or {WITHHOLDS!r} after it; the manifest names "
            f"{', '.join(named) or 'none'}"
        )
    if manifest.settings.get("buckets") != BUCKETS:
        found = manifest.settings.get("buckets")
        raise ModelError(f"{folder}: made for {found!r} buckets, this version has {BUCKETS}")
    tables = [read_table(folder, file) for file in manifest.files]
    weights = Weights(tables[0], *(read_number(folder, manifest, key) for key in _KEYS))
    if len(tables) == 1:
        return Head(manifest, weights)
    scale, intercept, at, to = (read_number(folder, manifest, key) for key in _WITHHOLDS_KEYS)
    return Head(manifest, weights, Withholding(Weights(tables[1], scale, intercept), at, to))


def read_table(folder: Path, file: ModelFile) -> NDArray[np.int16]:
    """The weights of all buckets, and 0 for `NOTHING`. Raises `ModelError` unless the file is what is named."""
    by_bucket = np.zeros(BUCKETS + 1, dtype=np.int16)
    where = f"{folder}: {file.name}"
    raw = unpack(read_file(folder, file), size=_BYTES, where=where, holds="bytes of weights")
    by_bucket[:-1] = np.frombuffer(raw, dtype="<i2")
    return by_bucket


def read_number(folder: Path, manifest: Manifest, key: str) -> float:
    """One of the manifest's settings. Raises `ModelError` where it is missing, no number or not finite."""
    try:
        value = float(manifest.settings[key])
    except (KeyError, ValueError) as error:
        raise ModelError(f"{folder}: settings lack a number for {error}") from error
    if not math.isfinite(value):
        raise ModelError(f"{folder}: {key} is {value}; a model's numbers are finite")
    return value


def save_head(folder: Path, manifest: Manifest, *packed: bytes) -> None:
    """Write a head; `manifest.files` must already name what is `packed` (see `pack`), in this order."""
    (folder / WITHHOLDS).unlink(missing_ok=True)
    names = (file.name for file in manifest.files)
    write_model(folder, manifest, dict(zip(names, packed, strict=True)))


def pack(weights: Weights, name: str = WEIGHTS) -> tuple[bytes, ModelFile]:
    """The weights as bytes for the file, and the manifest's line for it."""
    packed = zlib.compress(weights.by_bucket[:-1].astype("<i2").tobytes(), 9)
    return packed, ModelFile.of(name, packed)
