"""The folder of a network that gives no flags itself: others ask it what a text means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from classifiers.manifest import (
    Calibration,
    Dataset,
    Manifest,
    Metric,
    ModelFile,
    Threshold,
    analyser_hash,
    write_model,
)
from classifiers.training.order import Order
from classifiers.training.train_encoder import library_versions

__all__ = ["write_network"]


def write_network(
    folder: Path,
    content: Mapping[str, bytes],
    order: Order,
    *,
    language: str,
    label: str,
    limits: str,
    data: Sequence[Dataset],
    settings: Mapping[str, int | float | str],
    metrics: Sequence[Metric],
) -> Manifest:
    """Write the files of `content` and the manifest that names them; the model is called as the folder."""
    manifest = Manifest(
        kind="embedder",
        name=folder.name,
        code="",
        language=language,
        version=order.version,
        label=label,
        limits=limits,
        data=tuple(data),
        settings=dict(settings),
        calibration=Calibration(slope=1.0, intercept=0.0),
        threshold=Threshold(
            value=1.0,
            reason="gives no flags",
            chosen_by=order.chosen_by,
            chosen_at=order.chosen_at,
            chosen_on="",
            precision=0.0,
            recall=0.0,
        ),
        metrics=tuple(metrics),
        files=tuple(ModelFile.of(file, raw) for file, raw in content.items()),
        analyser=analyser_hash(language),
        code_version=version("hustings"),
        libraries=library_versions(),
        seed=order.seed,
    )
    write_model(folder, manifest, content)
    return manifest
