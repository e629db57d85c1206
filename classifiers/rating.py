"""One model, asked by itself: the calibrated score of each text, outside the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.model import load_head
from classifiers.linear.score import DECIMALS, Scorer
from classifiers.manifest import MANIFEST, Manifest, analyser_hash, read_manifest
from classifiers.narratives.step import load_teller
from hustings.errors import ModelError
from hustings.text import analyse_all

__all__ = ["list_models", "made_for_another_analyser", "rate"]


def list_models(models: Path) -> list[Manifest]:
    """The manifest of every model in the folder, by name. Raises `ModelError` when there is no such folder."""
    if not models.is_dir():
        raise ModelError(f"{models}: no such folder of models")
    return [read_manifest(folder) for folder in sorted(models.iterdir()) if (folder / MANIFEST).exists()]


def made_for_another_analyser(manifests: Iterable[Manifest]) -> list[str]:
    """Names of models that learnt from tokens which the analyser no longer makes. They still score, but their measured
    quality is not that of this version: train them again."""
    now = analyser_hash()
    return [manifest.name for manifest in manifests if manifest.analyser != now]


def rate(models: Path, name: str, texts: Sequence[str]) -> NDArray[np.float64]:
    """The score that the model gives each text, whatever its language. For narratives: of the nearest one, 0 when
    nothing is near. Raises `ModelError` for a name that is not in the folder."""
    known = {manifest.name: manifest for manifest in list_models(models)}
    manifest = known.get(name)
    if manifest is None:
        raise ModelError(f"{models}: no model {name!r}; there are {', '.join(known) or 'none'}")
    posts = [analysis.tokens for analysis in analyse_all(texts)]
    if manifest.kind == "linear":
        scores: NDArray[np.float64] = Scorer([load_head(models / name)]).scores(posts)[0]
        return scores
    teller = load_teller(models / name)
    verdicts = (teller.likeness.compare(tokens) for tokens in posts)
    return np.array(
        [round(manifest.calibration.probability(one.margin), DECIMALS) if one is not None else 0.0 for one in verdicts]
    )
