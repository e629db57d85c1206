"""One model, asked by itself or with the encoder that speaks beside it: the calibrated score of each text, outside the
pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.codes import code_reader_finder
from classifiers.encoder.heads import heads_in
from classifiers.encoder.model import load_encoder
from classifiers.encoder.rate import Rater, cascade_rater, open_encoder_rater
from classifiers.encoder.readable import Readable
from classifiers.linear.model import load_head
from classifiers.linear.repeats import as_scored
from classifiers.linear.score import Scorer
from classifiers.manifest import MANIFEST, Manifest, analyser_hash, read_manifest
from classifiers.meaning.model import load_meaning_head
from classifiers.narratives.teller import load_teller
from classifiers.roster_names import said_in
from classifiers.signing import Signers
from hustings.errors import ModelError
from hustings.text import analyse_all

__all__ = ["Rater", "Served", "list_models", "made_for_another_analyser", "open_rater", "open_served", "rate"]


def list_models(folders: Iterable[Path], *, signers: Signers | None = None) -> list[Manifest]:
    """The manifest of each of these model folders. Raises `ModelError` for the first bad one."""
    return [read_manifest(folder, signers=signers) for folder in folders]


def made_for_another_analyser(manifests: Iterable[Manifest]) -> list[str]:
    """Names of models that learnt from tokens which the analyser no longer makes. They still score, but their measured
    quality is not that of this version: train them again."""
    return [manifest.name for manifest in manifests if manifest.analyser != analyser_hash(manifest.language)]


def rate(folder: Path, texts: Sequence[str], *, signers: Signers | None = None) -> NDArray[np.float64]:
    """The score that the model in `folder` gives each text: `open_rater`, asked once."""
    return open_rater(folder, signers=signers)(texts)


class Served(NamedTuple):
    """Who gives the scores (`name@version`, the encoder's behind a +), and from which score on a text is flagged."""

    by: str
    threshold: float
    rate: Rater


def open_served(folder: Path, serving: Iterable[Path], *, keep: float, signers: Signers | None = None) -> Served:
    """The model in `folder` as the pipeline has it beside those that are `serving`. Of a linear head these are its
    scores, and of texts of which it is not sure (`keep` is that of `EncoderSettings`) those of the encoder that speaks
    beside it; of other models the same as `open_rater`. Raises `ModelError`."""
    manifest = read_manifest(folder, signers=signers)
    others = [(at, read_manifest(at, signers=signers)) for at in serving] if manifest.kind == "linear" else []
    if manifest.tag not in {other.tag for _, other in others}:
        others = []
    for at, other in others:
        beside = {f"{head.beside}@{head.beside_version}" for head in heads_in(at, other)}
        if manifest.tag in beside:
            encoder = load_encoder(at, signers=signers)
            heads = [load_head(near, signers=signers) for near, one in others if one.tag in beside]
            threshold = next(head.threshold.value for head in encoder.heads if head.beside == manifest.name)
            rater = cascade_rater(encoder, heads, manifest.code, keep=keep)
            return Served(f"{manifest.tag}+{encoder.label}", threshold, rater)
    return Served(manifest.tag, manifest.threshold.value, open_rater(folder, signers=signers))


def open_rater(folder: Path, *, signers: Signers | None = None) -> Rater:
    """The model in `folder`, ready to score texts whatever their language. For narratives and models of abuse:
    of any code of harm, 0 for a text that speaks of nothing that they are about, and at the model's threshold or above
    where the pipeline flags harm; for an encoder: of its first code, with every text read. Raises `ModelError` for a
    model that cannot be asked by itself."""
    manifest = read_manifest(folder, signers=signers)
    if manifest.kind == "encoder":
        return open_encoder_rater(folder, signers=signers)
    if manifest.kind == "linear":
        scorer = Scorer([load_head(folder, signers=signers)])
        return lambda texts: scorer.scores([as_scored(analysis.tokens) for analysis in analyse_all(texts)])[0]
    if manifest.kind not in ("narratives", "meaning"):
        raise ModelError(f"{folder}: a model of kind {manifest.kind!r} is not asked for scores by itself")
    find = code_reader_finder(_beside(folder), signers=signers)
    if manifest.kind == "meaning":
        head = load_meaning_head(folder, signers=signers, open_encoder=find)
        return lambda texts: np.array([head.rate(text) for text in texts])
    teller = load_teller(folder, signers=signers, open_encoder=find)
    spelling = teller.reader.lexicon.spelling

    def score(text: str) -> float:
        readable = Readable(text, language=manifest.language, spelling=spelling)
        return teller.rate(said_in(text), readable)

    return lambda texts: np.array([score(text) for text in texts])


def _beside(folder: Path) -> list[Path]:
    """The models that stand beside this one, and the shipped ones."""
    shipped = Path(__file__).parent / "models"
    return [one for place in (folder.parent, shipped) for one in sorted(place.iterdir()) if (one / MANIFEST).is_file()]
