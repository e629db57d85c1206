"""What a post costs under one version, by itself: the gate's measure of speed without the other gates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from classifiers.candidate import open_with_candidate
from classifiers.checks.expand import load_suite
from classifiers.checks.suite import SUITES
from classifiers.checks.watched import watched
from classifiers.gates.beside import judged_beside
from classifiers.gates.remit import FLAGGING, answers_for, remit_of, suite_language
from classifiers.gates.speed import measure_speed, ordinary_posts
from classifiers.manifest import Manifest
from classifiers.signing import ANYBODY
from hustings.codebook import Codebook

__all__ = ["cost_of"]


def cost_of(manifest: Manifest, folder: Path, *, serving: Mapping[str, Path], codebook: Codebook) -> float | None:
    """Seconds a post, as the gates measure them; None for a kind that does not look at every post."""
    if manifest.kind not in FLAGGING:
        return None
    pipeline = open_with_candidate(
        manifest, folder, serving=judged_beside(manifest, serving), codebook=codebook, signers=ANYBODY, roster=watched()
    )
    codes, language = answers_for(manifest, folder), suite_language(manifest)
    suites = [remit_of(load_suite(name), codes, language) for name in SUITES]
    return measure_speed(manifest, pipeline, ordinary_posts(suites, language), language).post_s
