"""The embedders of a deployment, each opened for the first who asks and shared by all steps that read meaning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from classifiers.encoder.embed import Embedder, load_embedder
from classifiers.signing import Signers

__all__ = ["Embedders"]


class Embedders:
    """By language, among these model folders; an open one takes some 60 MB."""

    def __init__(self, folders: Iterable[Path] = (), *, signers: Signers | None = None) -> None:
        """Without folders there is none for any language."""
        self._folders = tuple(folders)
        self._signers = signers
        self._opened: dict[str, Embedder | None] = {}
        self._lock = Lock()

    def of(self, language: str) -> Embedder | None:
        """None where there is none. Raises `ModelError` for a bad one."""
        with self._lock:
            if language not in self._opened:
                self._opened[language] = load_embedder(self._folders, language, signers=self._signers)
            return self._opened[language]
