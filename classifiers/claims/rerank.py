"""Gradient-boosted trees as plain arrays: trained by scikit-learn, read without it and without unpickling anything."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.features import FEATURES
from hustings.errors import ModelError

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["Trees", "read_trees", "trees_of", "write_trees"]

MOST_NODES = 1_000_000
MOST_DEPTH = 64
_KINDS: dict[str, type[np.generic]] = {
    "start": np.float64,
    "depth": np.int32,
    "roots": np.int32,
    "feature": np.int32,
    "split": np.float64,
    "low": np.int32,
    "high": np.int32,
    "value": np.float64,
}


class Trees(NamedTuple):
    """All nodes of all trees in one list. A leaf is its own child, so that each row can walk `depth` steps blindly."""

    start: float
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    split: NDArray[np.float64]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    value: NDArray[np.float64]
    depth: int

    def margins(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """The sum of the leaves that each row falls into."""
        at = np.broadcast_to(self.roots, (rows.shape[0], self.roots.size)).copy()
        which = np.arange(rows.shape[0])[:, None]
        for _ in range(self.depth):
            goes_low = rows[which, self.feature[at]] <= self.split[at]
            at = np.where(goes_low, self.low[at], self.high[at])
        margins: NDArray[np.float64] = self.start + self.value[at].sum(axis=1)
        return margins


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """A trained binary model of scikit-learn, whose trees have numeric splits only."""
    parts: list[Any] = [predictor.nodes for (predictor,) in model._predictors]
    offsets = np.concatenate(([0], np.cumsum([nodes.size for nodes in parts])[:-1])).astype(np.int32)
    nodes = np.concatenate(parts)
    shift = np.repeat(offsets, [part.size for part in parts])
    own = np.arange(nodes.size, dtype=np.int32)
    leaf = nodes["is_leaf"].astype(bool)
    return Trees(
        start=float(np.ravel(model._baseline_prediction)[0]),
        roots=offsets,
        feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32),
        split=np.where(leaf, np.inf, nodes["num_threshold"]).astype(np.float64),
        low=np.where(leaf, own, nodes["left"] + shift).astype(np.int32),
        high=np.where(leaf, own, nodes["right"] + shift).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0).astype(np.float64),
        depth=int(nodes["depth"].max()),
    )


def _array(found: object, kind: type[np.generic], name: str) -> NDArray[Any]:
    """What a member holds; numpy gives bytes for one that is no array."""
    if not isinstance(found, np.ndarray) or found.dtype != kind:
        raise ValueError(f"{name!r} is no array of {kind.__name__}")
    return found


def _check_archive(raw: bytes) -> None:
    """Members of an archive of ours are stored as they are: one that unpacks to more than it weighs is a bomb."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("a member is compressed")
    if sum(member.file_size for member in members) > len(raw) or len({m.filename for m in members}) != len(members):
        raise ValueError("the members are larger than the archive, or one stands twice")


def write_trees(trees: Trees) -> bytes:
    """The bytes of the file; the same trees give the same bytes."""
    written = io.BytesIO()
    arrays = {"start": np.array([trees.start]), "depth": np.array([trees.depth], dtype=np.int32)}
    arrays |= {name: getattr(trees, name) for name in ("roots", "feature", "split", "low", "high", "value")}
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), raw.getvalue())
    return written.getvalue()


def read_trees(raw: bytes) -> Trees:
    """Trees that can be walked without leaving them. Raises `ModelError` for anything else."""
    try:
        _check_archive(raw)
        with np.load(io.BytesIO(raw), allow_pickle=False) as found:
            arrays = {name: _array(found[name], kind, name) for name, kind in _KINDS.items()}
        trees = Trees(start=float(arrays.pop("start")[0]), depth=int(arrays.pop("depth")[0]), **arrays)
    except (ValueError, KeyError, IndexError, OSError, EOFError, TypeError, MemoryError, zipfile.BadZipFile) as error:
        raise ModelError(f"the re-ranker's trees cannot be read: {type(error).__name__}: {error}") from error
    size = trees.feature.size
    lists = (trees.feature, trees.split, trees.low, trees.high, trees.value)
    whole = all(part.ndim == 1 and part.size == size for part in lists) and trees.roots.ndim == 1
    if not whole or not 0 < size <= MOST_NODES or not 0 <= trees.depth <= MOST_DEPTH:
        raise ModelError(
            f"the re-ranker's trees have {size} nodes and depth {trees.depth}; lists must be of one length"
        )
    inside = all(part.size and part.min() >= 0 and part.max() < size for part in (trees.low, trees.high, trees.roots))
    if not inside or trees.feature.min() < 0 or trees.feature.max() >= len(FEATURES):
        raise ModelError("the re-ranker's trees point outside themselves")
    if not (np.isfinite(trees.value).all() and np.isfinite(trees.start)) or np.isnan(trees.split).any():
        raise ModelError("the re-ranker's trees hold values that are no numbers")
    return trees
