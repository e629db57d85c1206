"""The step that flags election narratives, in languages that have seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec.structs import replace

from classifiers.linear.score import DECIMALS
from classifiers.manifest import Manifest, read_manifest
from classifiers.narratives.likeness import FLOOR, LONGEST_READ, Likeness, Verdict
from classifiers.narratives.seeds import load_examples
from classifiers.signing import Signers
from hustings.errors import ModelError
from hustings.text import locate
from hustings.types import Assessment, Flag, Span

__all__ = ["Narratives", "Teller", "load_teller", "load_tellers"]

FLAGGED_PROTECTED = frozenset({"X-COUNTER", "X-OFFICIAL", "X-SATIRE"})
"""Protected codes that become flags, on posts that look like a narrative and are none: rules and stories tell answers,
notices and jokes from claims by them. The other protected codes are scores only."""


class Teller(NamedTuple):
    """One language: its manifest and its examples."""

    manifest: Manifest
    likeness: Likeness

    @property
    def label(self) -> str:
        return f"{self.manifest.name}@{self.manifest.version}"


def load_tellers(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Teller]:
    """The tellers among these model folders, in their order. Raises `ModelError` for the first bad one."""
    kinds = ((folder, read_manifest(folder, signers=signers).kind) for folder in folders)
    return [load_teller(folder, signers=signers) for folder, kind in kinds if kind == "narratives"]


def load_teller(folder: Path, *, signers: Signers | None = None) -> Teller:
    """Raises `ModelError` when the seeds are not those that the threshold was chosen for."""
    manifest = read_manifest(folder, kind="narratives", signers=signers)
    seeds = load_examples(manifest.language)
    if seeds.sha256 not in {dataset.sha256 for dataset in manifest.data}:
        raise ModelError(f"{folder}: chosen for other seeds; run `hustings model train {manifest.name}`")
    return Teller(manifest, Likeness(seeds))


class Narratives:
    """Adds the score of the nearest narrative code, and a flag for it where the score reaches the threshold; the flag's
    span is the part of the post that was compared."""

    name = "narratives"

    def __init__(self, tellers: Sequence[Teller]) -> None:
        self.version = "+".join(teller.label for teller in tellers) or "none"
        self._tellers = {teller.manifest.language: teller for teller in tellers}

    def classify(self, assessments: Sequence[Assessment]) -> list[Assessment]:
        return [
            self._told(assessment, self._tellers[assessment.lang]) if assessment.lang in self._tellers else assessment
            for assessment in assessments
        ]

    def _told(self, assessment: Assessment, teller: Teller) -> Assessment:
        tokens = (*assessment.title_tokens, *assessment.tokens)
        verdict = teller.likeness.compare(tokens) if tokens else None
        if verdict is None or max(verdict.likeness, verdict.protected_likeness) < FLOOR:
            return assessment
        return _flagged(assessment, teller, verdict)


def _flagged(assessment: Assessment, teller: Teller, verdict: Verdict) -> Assessment:
    manifest = teller.manifest
    score = round(manifest.calibration.probability(verdict.margin), DECIMALS)
    protected = round(1.0 - score, DECIMALS)
    scores = {**assessment.scores, verdict.code: score, verdict.protected_code: protected}
    models = {**assessment.models, manifest.name: manifest.version}
    code, reached, threshold, near = verdict.code, score, manifest.threshold.value, verdict.likeness
    if verdict.margin < 0 and verdict.protected_code in FLAGGED_PROTECTED:
        code, reached, near = verdict.protected_code, protected, verdict.protected_likeness
        threshold = float(manifest.settings["protected_threshold"])
    flags = assessment.flags
    if reached >= threshold and near >= FLOOR:
        spans = _compared(assessment)
        flags = (*flags, Flag(code=code, score=reached, threshold=threshold, classifier=teller.label, spans=spans))
    return replace(assessment, scores=scores, models=models, flags=flags)


def _compared(assessment: Assessment) -> tuple[Span, ...]:
    """The words that were compared, as a span of the title or the text."""
    spans = []
    room = LONGEST_READ
    parts: tuple[tuple[Literal["title", "text"], str], ...] = (
        ("title", assessment.post.title),
        ("text", assessment.post.text),
    )
    for part, text in parts:
        located = locate(text).spans[: max(room, 0)] if text else ()
        room -= len(located)
        if located:
            spans.append(Span(start=located[0][0], end=max(end for _, end in located), part=part))
    return tuple(spans)
