"""One linear head: read from its folder, written to it. The weights are a zlib stream of little-endian int16, one per
bucket, so that sums are exact whatever the order and the batch."""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS
from classifiers.manifest import Manifest, ModelFile, read_file, read_manifest, write_manifest
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["WEIGHTS", "Head", "Weights", "load_head", "load_heads", "pack", "save_head"]

WEIGHTS = "weights.i16.zlib"
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


class Head(NamedTuple):
    """A trained head: what it says, and the weights that say it."""

    manifest: Manifest
    weights: Weights

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return f"{self.manifest.name}@{self.manifest.version}"


def load_heads(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Head]:
    """The linear heads among these model folders, in their order. Raises `ModelError` for the first bad one."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    return [load_head(folder, signers=signers) for folder, kind in kinds if kind == "linear"]


def load_head(folder: Path, *, signers: Signers | None = None) -> Head:
    """The head in `folder`. Raises `ModelError` when a signature, a hash, a size or a key is not what it should be."""
    manifest = read_manifest(folder, kind="linear", signers=signers)
    if [file.name for file in manifest.files] != [WEIGHTS]:
        named = ", ".join(file.name for file in manifest.files) or "none"
        raise ModelError(f"{folder}: a linear head has one file, {WEIGHTS!r}; the manifest names {named}")
    settings = manifest.settings
    if settings.get("buckets") != BUCKETS:
        raise ModelError(f"{folder}: made for {settings.get('buckets')!r} buckets, this version has {BUCKETS}")
    try:
        scale, intercept = float(settings["scale"]), float(settings["intercept"])
    except (KeyError, ValueError) as error:
        raise ModelError(f"{folder}: settings lack a number for {error}") from error
    if not (math.isfinite(scale) and math.isfinite(intercept)):
        raise ModelError(f"{folder}: scale is {scale} and intercept {intercept}; a model's numbers are finite")
    weights = np.zeros(BUCKETS + 1, dtype=np.int16)
    weights[:-1] = np.frombuffer(_unpack(read_file(folder, manifest.files[0]), folder), dtype="<i2")
    return Head(manifest, Weights(weights, scale, intercept))


def save_head(folder: Path, manifest: Manifest, packed: bytes) -> None:
    """Write a head; `manifest.files` must already name `packed` (see `pack`)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(packed)
    write_manifest(folder, manifest)


def pack(weights: Weights) -> tuple[bytes, ModelFile]:
    """The weights as bytes for the file, and the manifest's line for it."""
    packed = zlib.compress(weights.by_bucket[:-1].astype("<i2").tobytes(), 9)
    return packed, ModelFile(name=WEIGHTS, bytes=len(packed), sha256=hashlib.sha256(packed).hexdigest())


def _unpack(packed: bytes, folder: Path) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, _BYTES + 1)
    except zlib.error as error:
        raise ModelError(f"{folder}: {WEIGHTS} is not a zlib stream ({error})") from error
    if len(raw) != _BYTES or not stream.eof or stream.unused_data:
        raise ModelError(f"{folder}: {WEIGHTS} must hold exactly {_BYTES} bytes of weights; found {len(raw)} or more")
    return raw
