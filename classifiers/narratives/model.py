"""One language's model: read from its folder, asked for margins and probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.explain import Reason, reason_of
from classifiers.linear.features import HashKey, features
from classifiers.linear.score import DECIMALS, largest_margins
from classifiers.manifest import Manifest, read_file, read_manifest
from classifiers.narratives.heads import HEADS, Heads, read_heads
from classifiers.narratives.table import TABLE, Table, unpack_table
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["FILES", "Teller", "load_teller", "load_tellers"]

FILES = (HEADS, TABLE)
_HARM, _TELLING, _FIRST_CODE = 0, 1, 2

F64 = NDArray[np.float64]


class Teller(NamedTuple):
    """One language: its manifest, what its columns mean, and their weights."""

    manifest: Manifest
    heads: Heads
    table: Table
    key: HashKey

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return self.manifest.tag

    def harm(self, posts: Sequence[Sequence[str]]) -> F64:
        """How likely each post's tokens hold any of the codes of harm."""
        margins = self._margins(posts, [_HARM])[0]
        return np.array([round(self.manifest.calibration.probability(one), DECIMALS) for one in margins.tolist()])

    def worth_telling(self, posts: Sequence[Sequence[str]]) -> NDArray[np.intp]:
        """Places of the posts in which there is anything to tell."""
        return np.flatnonzero(self._margins(posts, [_TELLING])[0] >= self.heads.telling_from)

    def probabilities(self, posts: Sequence[Sequence[str]]) -> list[dict[str, float]]:
        """For each post the probability of every code, rounded to `DECIMALS`."""
        margins = self._margins(posts, range(_FIRST_CODE, len(self.table.weights)))
        return [
            {
                head.code: round(head.calibration.probability(margin), DECIMALS)
                for head, margin in zip(self.heads.codes, column, strict=True)
            }
            for column in margins.T.tolist()
        ]

    def reason(self, code: str, tokens: Sequence[str]) -> Reason:
        """Where and why the post gets its margin for `code`."""
        place = [head.code for head in self.heads.codes].index(code)
        found = self.table.known(features([tokens], self.key))
        return reason_of(self.table.weights[_FIRST_CODE + place], found)

    def _margins(self, posts: Sequence[Sequence[str]], columns: Iterable[int]) -> F64:
        weights = [self.table.weights[column] for column in columns]
        return largest_margins(weights, self.key, posts, named=self.table.known)


def load_tellers(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Teller]:
    """The tellers among these model folders, in their order. Raises `ModelError` for the first bad one."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    return [load_teller(folder, signers=signers) for folder, kind in kinds if kind == "narratives"]


def load_teller(folder: Path, *, signers: Signers | None = None) -> Teller:
    """The teller in `folder`. Raises `ModelError` when anything in it is not what the manifest says."""
    manifest = read_manifest(folder, kind="narratives", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(
            f"{folder}: a model of narratives has the files {FILES!r}, the manifest names {tuple(files)!r}; "
            f"`hustings model train {manifest.name}` makes it anew"
        )
    rows = manifest.settings.get("rows")
    if not isinstance(rows, int):
        raise ModelError(f"{folder}: settings.rows is {rows!r}; it is the number of rows of {TABLE}")
    heads = read_heads(read_file(folder, files[HEADS]), str(folder))
    packed = read_file(folder, files[TABLE])
    table = unpack_table(packed, rows=rows, columns=heads.columns, where=str(folder))
    return Teller(manifest, heads, table, HashKey.from_seed(manifest.seed))
