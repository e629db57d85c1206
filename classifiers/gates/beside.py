"""Beside which models in service a version is judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from classifiers.manifest import Manifest, read_manifest
from classifiers.signing import ANYBODY

__all__ = ["judged_beside"]

_ALONE = ("linear", "narratives", "meaning")
"""Kinds that are judged beside no other that flags: what an encoder says of their flags is the encoder's part."""


def judged_beside(manifest: Manifest, serving: Mapping[str, Path]) -> dict[str, Path]:
    """All of them for an encoder; for what flags by itself only those that say what a text is about, without flags."""
    if manifest.kind not in _ALONE:
        return dict(serving)
    kinds = {name: read_manifest(folder, signers=ANYBODY).kind for name, folder in serving.items()}
    return {name: folder for name, folder in serving.items() if kinds[name] == "embedder"}
