"""An encoder's folder: `network.onnx`, `tokenizer.json`, `heads.json` and the manifest that vouches for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from classifiers.encoder.heads import HEADS, EncoderHead, read_heads
from classifiers.encoder.session import Session
from classifiers.manifest import Manifest, of_kind, read_file, read_manifest
from classifiers.signing import Signers
from hustings.errors import ModelError

__all__ = ["FILES", "NETWORK", "TOKENIZER", "Encoder", "load_encoder", "load_encoders"]

NETWORK = "network.onnx"
TOKENIZER = "tokenizer.json"
FILES = (NETWORK, TOKENIZER, HEADS)


class Encoder(NamedTuple):
    """An open encoder: what it says, what its outputs mean, and the network."""

    manifest: Manifest
    heads: tuple[EncoderHead, ...]
    session: Session

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return f"{self.manifest.name}@{self.manifest.version}"


def load_encoders(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Encoder]:
    """The encoders among these model folders, in their order; none is no error. Raises `ModelError` for the first bad
    one, and when two speak beside the same head."""
    found = of_kind(folders, "encoder", signers=signers)
    encoders = [load_encoder(folder, signers=signers) for folder in found]
    speaking: dict[str, str] = {}
    for encoder in encoders:
        for head in encoder.heads:
            first = speaking.setdefault(head.beside, encoder.manifest.name)
            if first != encoder.manifest.name:
                raise ModelError(f"{first} and {encoder.manifest.name} both speak beside {head.beside!r}; one may")
    return encoders


def load_encoder(folder: Path, *, signers: Signers | None = None) -> Encoder:
    """The encoder in `folder`. Raises `ModelError` when anything in it is not what the manifest says."""
    manifest = read_manifest(folder, kind="encoder", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(f"{folder}: an encoder has the files {FILES!r}; the manifest names {tuple(files)!r}")
    heads = read_heads(read_file(folder, files[HEADS]), str(folder))
    network, tokenizer = read_file(folder, files[NETWORK]), read_file(folder, files[TOKENIZER])
    session = Session.open(network, tokenizer, where=str(folder))
    for head in heads:
        if head.output >= session.outputs:
            raise ModelError(f"{folder}: {head.code} is output {head.output}, the network has {session.outputs}")
    return Encoder(manifest, heads, session)
