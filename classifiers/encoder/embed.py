"""Texts to vectors whose cosine says how alike two texts are in meaning: the base encoder, not fine-tuned.

For claims and stories in English. On the development queries of CheckThat! 2020 task 2 (10,375 claims) it finds the
right claim better than character TF-IDF, and both together better than either; `docs/encoder.md` has the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.session import Session
from classifiers.manifest import Manifest, read_file, read_manifest
from classifiers.signing import Signers
from hustings.errors import ModelError
from hustings.text import analyse

__all__ = ["FILES", "Embedder", "load_embedder", "spoken", "words_of"]

FILES = ("network.onnx", "tokenizer.json")


class Embedder(NamedTuple):
    """An open encoder of a language (`manifest.language`)."""

    manifest: Manifest
    session: Session

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[texts, dimensions], each of length 1 and the same whatever stands beside it; an empty text gives zeros.
        About 3 ms a text: keep those of claims, and ask only about posts that a cheaper step points at."""
        read = [words_of(text) for text in texts]
        found = np.zeros((len(texts), self.session.outputs), dtype=np.float32)
        places = [place for place, text in enumerate(read) if text]
        if places:
            raw = self.session.logits([read[place] for place in places])
            found[places] = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        return found


def words_of(text: str) -> str:
    """What is read: the analyser's words, disguises repaired, addresses gone; tags and handles by their parts, since a
    claim may be about whom they name."""
    return " ".join(spoken(analyse(text).tokens))


def spoken(tokens: Iterable[str]) -> Iterator[str]:
    """The tokens without whole tags and handles, whose parts follow them."""
    return (token for token in tokens if len(token) == 1 or token[0] not in "#@")


def load_embedder(folders: Iterable[Path], language: str, *, signers: Signers | None = None) -> Embedder | None:
    """The embedder of the language among these model folders; None when there is none. Raises `ModelError` for a bad
    one."""
    for folder in folders:
        manifest = read_manifest(folder, signers=signers)
        if manifest.kind == "embedder" and manifest.language == language:
            files = {file.name: file for file in manifest.files}
            if tuple(files) != FILES:
                raise ModelError(f"{folder}: an embedder has the files {FILES!r}; the manifest names {tuple(files)!r}")
            network, tokenizer = (read_file(folder, files[name]) for name in FILES)
            return Embedder(manifest, Session.open(network, tokenizer, where=str(folder)))
    return None
