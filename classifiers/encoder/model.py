"""An encoder's folder: `network.onnx`, `tokenizer.json`, `heads.json`, for one that reads narratives `codes.json`, and
the manifest that vouches for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.heads import HEADS, EncoderHead, read_heads
from classifiers.encoder.session import Session
from classifiers.manifest import Manifest, read_file, read_manifest
from classifiers.signing import ANYBODY, Signers
from hustings.errors import ModelError

__all__ = [
    "CODES",
    "FILES",
    "NETWORK",
    "TOKENIZER",
    "Encoder",
    "encoder_finder",
    "load_encoder",
    "load_encoders",
    "pack_codes",
]

NETWORK = "network.onnx"
TOKENIZER = "tokenizer.json"
CODES = "codes.json"
"""What the last outputs mean, in order: codes of narratives, of protected speech, and ordinary talk."""
FILES = (NETWORK, TOKENIZER, HEADS)
"""What every encoder has; one that reads narratives has `codes.json` too."""


class Encoder(NamedTuple):
    """An open encoder: what it says, what its outputs mean, and the network."""

    manifest: Manifest
    heads: tuple[EncoderHead, ...]
    session: Session
    codes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`name@version`, as flags carry it."""
        return f"{self.manifest.name}@{self.manifest.version}"

    @property
    def network(self) -> str:
        """The SHA-256 of its network: the same for all versions in which it was joined anew with other heads."""
        return next(file.sha256 for file in self.manifest.files if file.name == NETWORK)

    def shares(self, text: str) -> NDArray[np.float32]:
        """How likely each of the `codes` is for a text, as `reading` gives it; they add up to 1."""
        logits = self.session.logits([text])[0][-len(self.codes) :]
        raised = np.exp(logits - logits.max())
        shares: NDArray[np.float32] = (raised / raised.sum()).astype(np.float32)
        return shares


def load_encoders(folders: Iterable[Path], *, signers: Signers | None = None, threads: int = 1) -> list[Encoder]:
    """The encoders among these model folders, in their order; none is no error. Raises `ModelError` for the first bad
    one, and when two speak beside the same head."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    encoders = [load_encoder(folder, signers=signers, threads=threads) for folder, kind in kinds if kind == "encoder"]
    speaking: dict[str, str] = {}
    for encoder in encoders:
        for head in encoder.heads:
            first = speaking.setdefault(head.beside, encoder.manifest.name)
            if first != encoder.manifest.name:
                raise ModelError(f"{first} and {encoder.manifest.name} both speak beside {head.beside!r}; one may")
    return encoders


def encoder_finder(
    folders: Iterable[Path], *, signers: Signers | None = None, threads: int = 1
) -> Callable[[str], Encoder | None]:
    """Gives the first encoder in these folders whose network has that SHA-256; None where there is none. Raises
    `ModelError`, when it is asked, for one that cannot be trusted."""
    known = tuple(folders)

    def find(network: str) -> Encoder | None:
        for folder in known:
            try:
                manifest = read_manifest(folder, signers=ANYBODY)
            except ModelError:  # somebody else's folder, spoilt: not what is asked for
                continue
            if manifest.kind == "encoder" and any(file.sha256 == network for file in manifest.files):
                return load_encoder(folder, signers=signers, threads=threads)
        return None

    return find


def load_encoder(folder: Path, *, signers: Signers | None = None, threads: int = 1) -> Encoder:
    """The encoder in `folder`. Raises `ModelError` when anything in it is not what the manifest says."""
    manifest = read_manifest(folder, kind="encoder", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) not in (FILES, (*FILES, CODES)):
        raise ModelError(f"{folder}: an encoder has the files {FILES!r}; the manifest names {tuple(files)!r}")
    heads = read_heads(read_file(folder, files[HEADS]), str(folder))
    network, tokenizer = read_file(folder, files[NETWORK]), read_file(folder, files[TOKENIZER])
    session = Session.open(network, tokenizer, threads=threads, where=str(folder))
    codes = _codes(read_file(folder, files[CODES]), str(folder)) if CODES in files else ()
    if len(heads) + len(codes) > session.outputs:
        raise ModelError(
            f"{folder}: {len(heads)} heads and {len(codes)} codes, the network has {session.outputs} outputs"
        )
    for head in heads:
        if head.output >= session.outputs - len(codes):
            behind = f", the last {len(codes)} are codes" if codes else ""
            raise ModelError(
                f"{folder}: {head.code} is output {head.output}, the network has {session.outputs}{behind}"
            )
    return Encoder(manifest, heads, session, codes)


def pack_codes(codes: Iterable[str]) -> bytes:
    """The bytes of `codes.json`."""
    return (json.dumps(list(codes), ensure_ascii=False, indent=1) + "\n").encode()


def _codes(raw: bytes, where: str) -> tuple[str, ...]:
    try:
        codes = msgspec.json.decode(raw, type=tuple[str, ...])
    except msgspec.MsgspecError as error:
        raise ModelError(f"{where}: {CODES}: {error}") from error
    if len(set(codes)) != len(codes) or len(codes) < 2:
        raise ModelError(f"{where}: {CODES}: needs two codes or more, each once; found {codes!r}")
    return codes
