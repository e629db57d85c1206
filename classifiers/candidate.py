"""May this version serve at all? Asked before it is promoted; how good it is, is for the gates to say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from classifiers.manifest import Manifest
from classifiers.pipeline import Pipeline, open_pipeline
from classifiers.rating import made_for_another_analyser
from classifiers.signing import Signers
from hustings.codebook import Codebook
from hustings.errors import ModelError
from hustings.roster import Roster

__all__ = ["check_candidate", "open_with_candidate"]


def open_with_candidate(
    manifest: Manifest,
    folder: Path,
    *,
    serving: Mapping[str, Path],
    codebook: Codebook,
    signers: Signers,
    roster: Roster | None = None,
) -> Pipeline:
    """The pipeline as it would be with this version in service, watching over `roster` or nobody. Raises `ModelError`
    for whatever a worker would refuse: signatures, hashes and codes are checked by opening it."""
    return open_pipeline(
        models={**serving, manifest.name: folder},
        roster=roster or Roster(),
        codebook=codebook,
        languages=(manifest.language,),
        signers=signers,
    )


def check_candidate(
    manifest: Manifest, folder: Path, *, serving: Mapping[str, Path], codebook: Codebook, signers: Signers
) -> None:
    """Raises `ModelError` for whatever a worker would refuse, and for a model that another analyser's tokens trained: a
    worker goes on with one that served before, but nobody should put one into service."""
    if made_for_another_analyser([manifest]):
        raise ModelError(
            f"{folder}: made for another analyser than this version has; `hustings model train` makes it anew"
        )
    open_with_candidate(manifest, folder, serving=serving, codebook=codebook, signers=signers)
