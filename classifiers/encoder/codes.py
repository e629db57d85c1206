"""An encoder that gives every code a share, and no flags: its first layers and the others, `first.onnx` and
`network.onnx`, `tokenizer.json`, `codes.json`, the weights of heads that say which posts are `worth` asking about, and
the manifest that vouches for them. Models of narratives and of abuse ask it what a post means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.divided import DividedSession
from classifiers.encoder.opinions import Opinions
from classifiers.encoder.worth import TOPICS, Topic, Worth, worth_file
from classifiers.linear.model import Weights, read_number, read_table
from classifiers.manifest import Manifest, ModelFile, read_file, read_manifest
from classifiers.signing import ANYBODY, Signers
from classifiers.typed_json import read_typed
from hustings.errors import ModelError

__all__ = [
    "CODES",
    "FILES",
    "CodeReader",
    "code_reader_finder",
    "load_code_reader",
    "load_code_readers",
    "network_of",
    "pack_codes",
    "read_codes",
]

CODES = "codes.json"
"""What the outputs mean, in order: codes of narratives and abuse, of protected speech, and ordinary talk."""
FILES = ("first.onnx", "network.onnx", "tokenizer.json", CODES, *map(worth_file, TOPICS))


class CodeReader(NamedTuple):
    """An open one: what it says of itself, what its outputs mean, and which posts it is worth asking about."""

    manifest: Manifest
    session: DividedSession
    codes: tuple[str, ...]
    worth: Mapping[Topic, Worth]
    opinions: Opinions

    @property
    def network(self) -> str:
        """By which others name it: see `network_of`."""
        return network_of(self.manifest)

    def early(self, text: str, topic: Topic, worth: float) -> float:
        """What the first layers, and what a post is `worth`, say of how likely `shares` finds something of the topic:
        log-odds. Some 1 ms."""
        guess = float(self.opinions.early(text)[TOPICS.index(topic)])
        return guess + self.worth[topic].beside * worth

    def shares(self, text: str) -> NDArray[np.float32]:
        """How likely each of the `codes` is for a text, as `reading` gives it; they add up to 1. Some 5 ms."""
        return self.opinions.shares(text)


def load_code_readers(folders: Iterable[Path], *, signers: Signers | None = None) -> list[CodeReader]:
    """Those among these model folders, in their order. Raises `ModelError` for the first bad one."""
    return [
        load_code_reader(folder, signers=signers)
        for folder in folders
        if _is_one(read_manifest(folder, signers=signers))
    ]


def code_reader_finder(
    folders: Iterable[Path], *, signers: Signers | None = None
) -> Callable[[str], CodeReader | None]:
    """Gives the first in these folders whose network has that SHA-256; None where there is none. Raises `ModelError`,
    when it is asked, for one that cannot be trusted."""
    known = tuple(folders)

    def find(network: str) -> CodeReader | None:
        for folder in known:
            try:
                manifest = read_manifest(folder, signers=ANYBODY)
            except ModelError:  # somebody else's folder, spoilt: not what is asked for
                continue
            if _is_one(manifest) and network_of(manifest) == network:
                return load_code_reader(folder, signers=signers)
        return None

    return find


def load_code_reader(folder: Path, *, signers: Signers | None = None) -> CodeReader:
    """The one in `folder`. Raises `ModelError` when anything in it is not what the manifest says."""
    manifest = read_manifest(folder, kind="embedder", signers=signers)
    files = {file.name: file for file in manifest.files}
    if tuple(files) != FILES:
        raise ModelError(
            f"{folder}: a reader of codes has the files {FILES!r}; the manifest names {tuple(files)!r}; up to version "
            "13 its network was one file: make it anew"
        )
    first, network, tokenizer, raw = (read_file(folder, files[name]) for name in FILES[:4])
    worth = {topic: _worth(folder, manifest, files[worth_file(topic)], topic) for topic in TOPICS}
    codes = read_codes(raw, str(folder))
    session = DividedSession.open(first, network, tokenizer, where=str(folder))
    if len(codes) != session.outputs:
        raise ModelError(f"{folder}: {len(codes)} codes, the network has {session.outputs} outputs")
    if len(TOPICS) != session.topics:
        raise ModelError(f"{folder}: {len(TOPICS)} topics, the first layers guess about {session.topics}")
    return CodeReader(manifest, session, codes, worth, Opinions(session))


def _worth(folder: Path, manifest: Manifest, file: ModelFile, topic: Topic) -> Worth:
    scale, intercept, beside = (
        read_number(folder, manifest, f"worth_{topic}_{name}") for name in ("scale", "intercept", "beside")
    )
    return Worth(Weights(read_table(folder, file), scale, intercept), beside)


def pack_codes(codes: Iterable[str]) -> bytes:
    """The bytes of `codes.json`."""
    return (json.dumps(list(codes), ensure_ascii=False, indent=1) + "\n").encode()


def _is_one(manifest: Manifest) -> bool:
    return manifest.kind == "embedder" and any(file.name == CODES for file in manifest.files)


def network_of(manifest: Manifest) -> str:
    """The SHA-256 over those of all files of a model: who settled on what it says names it so, and is not led by
    another one's guesses either."""
    return hashlib.sha256("".join(file.sha256 for file in manifest.files).encode()).hexdigest()


def read_codes(raw: bytes, where: str) -> tuple[str, ...]:
    """What `pack_codes` wrote. Raises `ModelError` when it is something else."""
    codes = read_typed(raw, tuple[str, ...], f"{where}: {CODES}")
    if len(set(codes)) != len(codes) or len(codes) < 2:
        raise ModelError(f"{where}: {CODES}: needs two codes or more, each once; found {codes!r}")
    return codes
