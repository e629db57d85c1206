"""Which models would say less: each head of an encoder is joined with one version of a linear head, and silent beside
every other; narratives and models of abuse ask one network, and no other. Asked before what serves is changed; nothing
is loaded but manifests and `heads.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from classifiers.encoder.codes import network_of
from classifiers.encoder.heads import heads_in
from classifiers.manifest import Manifest, read_manifest
from classifiers.signing import ANYBODY

__all__ = ["Silence", "silences"]

_SIGNS = 8


class Silence(NamedTuple):
    """A head of an encoder that says nothing: it was joined with `beside` in the version `joined_with`, and `serves` is
    another one, or None where no such head serves. Or, `by_network`, a model that asks the network of the encoder
    `beside` whose SHA-256 begins with `joined_with`."""

    encoder: str
    version: str
    code: str
    beside: str
    joined_with: str
    serves: str | None
    by_network: bool = False

    def __str__(self) -> str:
        if self.by_network:
            what = f"{self.encoder}@{self.version} cannot ask what posts mean"
            other = "none" if self.serves is None else self.serves
            return f"{what}: it asks the network {self.joined_with} of {self.beside}, and {other} serves"
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
        if (deaf := _deaf(manifest, manifests)) is not None and about in (None, name, deaf.beside):
            found.append(deaf)
        for head in heads_in(models[name], manifest):
            beside = manifests.get(head.beside)
            serves = beside.version if beside is not None and beside.kind == "linear" else None
            if serves != head.beside_version and about in (None, name, head.beside):
                found.append(Silence(name, manifest.version, head.code, head.beside, head.beside_version, serves))
    return found


def _deaf(manifest: Manifest, beside: Mapping[str, Manifest]) -> Silence | None:
    """A model that asks a network which would not serve."""
    before = {"narratives": "sense_", "meaning": ""}.get(manifest.kind)
    if before is None or f"{before}network" not in manifest.settings:
        return None
    network, encoder = (str(manifest.settings.get(f"{before}{key}", "")) for key in ("network", "encoder"))
    if any(network_of(one) == network for one in beside.values()):
        return None
    named = beside.get(encoder)
    serves = network_of(named)[:_SIGNS] if named is not None else None
    return Silence(
        manifest.name, manifest.version, manifest.code, encoder, network[:_SIGNS], serves or None, by_network=True
    )
