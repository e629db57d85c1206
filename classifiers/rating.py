"""One model, asked by itself or with the encoder that speaks beside it: the calibrated score of each text, outside the
pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.codes import code_reader_finder
from classifiers.encoder.model import Encoder, load_encoder
from classifiers.encoder.rate import cascade_rater, open_encoder_rater
from classifiers.encoder.readable import Readable
from classifiers.linear.model import Head, load_head
from classifiers.linear.repeats import few_repeats
from classifiers.linear.score import Scorer
from classifiers.manifest import MANIFEST, Manifest, analyser_hash, read_manifest
from classifiers.meaning.model import load_meaning_head
from classifiers.narratives.teller import load_teller
from classifiers.roster_names import Read
from classifiers.signing import Signers
from hustings.errors import ModelError
from hustings.text import analyse_all

__all__ = ["Rater", "Served", "list_models", "made_for_another_analyser", "open_rater", "open_served", "rate"]

Rater = Callable[[Sequence[str]], NDArray[np.float64]]
"""Scores of texts, each its own whatever stands beside it: many may be asked in parts."""


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
    folders = list(serving) if manifest.kind == "linear" else []
    for encoder_folder in folders:
        other = read_manifest(encoder_folder, signers=signers)
        if other.kind != "encoder" or other.language != manifest.language.partition("-")[0]:
            continue
        encoder = load_encoder(encoder_folder, signers=signers)
        heads = [head for at in folders if (head := _spoken_beside(at, encoder, signers)) is not None]
        voice = next((one for one in encoder.heads if one.code == manifest.code), None)
        if voice is not None and (manifest.name, manifest.version) in {(h.name, h.manifest.version) for h in heads}:
            rater = cascade_rater(encoder, heads, manifest.code, keep=keep)
            return Served(f"{manifest.tag}+{encoder.label}", voice.threshold.value, rater)
    return Served(manifest.tag, manifest.threshold.value, open_rater(folder, signers=signers))


def _spoken_beside(folder: Path, encoder: Encoder, signers: Signers | None) -> Head | None:
    """The linear head in `folder` if the encoder speaks beside it."""
    beside = {(head.beside, head.beside_version) for head in encoder.heads}
    manifest = read_manifest(folder, signers=signers)
    is_one = manifest.kind == "linear" and (manifest.name, manifest.version) in beside
    return load_head(folder, signers=signers) if is_one else None


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
        return lambda texts: scorer.scores([_as_scored(analysis.tokens) for analysis in analyse_all(texts)])[0]
    if manifest.kind not in ("narratives", "meaning"):
        raise ModelError(f"{folder}: a model of kind {manifest.kind!r} is not asked for scores by itself")
    find = code_reader_finder(_beside(folder), signers=signers)
    if manifest.kind == "meaning":
        head = load_meaning_head(folder, signers=signers, open_encoder=find)
        return lambda texts: np.array([head.rate(text) for text in texts])
    teller = load_teller(folder, signers=signers, open_encoder=find)
    spelling = teller.reader.lexicon.spelling
    return lambda texts: np.array(
        [
            teller.rate(analysis.tokens, Readable(text, language=manifest.language, spelling=spelling))
            for text, analysis in zip(texts, analyse_all(texts), strict=True)
        ]
    )


def _as_scored(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """What the pipeline's step gives the linear heads of these tokens."""
    return few_repeats(Read(tokens, range(len(tokens)))).tokens


def _beside(folder: Path) -> list[Path]:
    """The models that stand beside this one, and the shipped ones."""
    shipped = Path(__file__).parent / "models"
    return [one for place in (folder.parent, shipped) for one in sorted(place.iterdir()) if (one / MANIFEST).is_file()]
