"""Which encoders would say nothing: each head of an encoder is joined with one version of a linear head, and silent
beside every other. Asked before what serves is changed; nothing is loaded but manifests and `heads.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from classifiers.encoder.heads import HEADS, read_heads
from classifiers.manifest import Manifest, read_file, read_manifest
from classifiers.signing import ANYBODY

__all__ = ["Silence", "silences"]


class Silence(NamedTuple):
    """A head of an encoder that says nothing: it was joined with `beside` in the version `joined_with`, and `serves` is
    another one, or None where no such head serves."""

    encoder: str
    version: str
    code: str
    beside: str
    joined_with: str
    serves: str | None

    def __str__(self) -> str:
        other = f"not with {self.beside}@{self.serves}" if self.serves is not None else f"and no {self.beside} serves"
        return (
            f"{self.encoder}@{self.version} falls silent for {self.code}: it was joined with "
            f"{self.beside}@{self.joined_with}, {other}"
        )


def silences(models: Mapping[str, Path], about: str | None = None) -> list[Silence]:
    """What would be silent if these models served, by name; with `about`, only what concerns the model of that name.
    Raises `ModelError` for a manifest or a list of heads that cannot be read; signatures are not asked for."""
    manifests = {name: read_manifest(folder, signers=ANYBODY) for name, folder in models.items()}
    found = []
    for name, manifest in manifests.items():
        if manifest.kind != "encoder":
            continue
        for head in read_heads(_heads_file(manifest, models[name]), str(models[name])):
            beside = manifests.get(head.beside)
            serves = beside.version if beside is not None and beside.kind == "linear" else None
            if serves != head.beside_version and about in (None, name, head.beside):
                found.append(Silence(name, manifest.version, head.code, head.beside, head.beside_version, serves))
    return found


def _heads_file(manifest: Manifest, folder: Path) -> bytes:
    return read_file(folder, next(file for file in manifest.files if file.name == HEADS))
