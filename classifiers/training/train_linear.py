"""One linear head from a recipe: the same data, seed and libraries give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS, HashKey
from classifiers.linear.model import Weights, pack, save_head
from classifiers.linear.score import DECIMALS, largest_margins
from classifiers.manifest import Manifest, analyser_hash
from classifiers.training.calibration import platt, probabilities
from classifiers.training.corpora import Corpus, read_corpus
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.nb_logistic import Fit, fit, matrix
from classifiers.training.recipes import Recipe
from classifiers.training.thresholds import threshold_for
from hustings.text import analyse_all

__all__ = ["FOLDS", "train_head"]

FOLDS = 5
LIBRARIES = ("numpy", "scikit-learn", "scipy")

F64 = NDArray[np.float64]


def train_head(
    recipe: Recipe, *, data: Path, models: Path, seed: int, head_version: str, chosen_by: str, chosen_at: str
) -> Manifest:
    """Train, calibrate and measure the head, and write it to `models/<name>`. Calibration and threshold come from
    cross-validation over folds that no near-copy straddles; rows of `measured_on` are never trained on."""
    corpus = read_corpus(recipe.corpus, data)
    posts = _tokens(corpus)
    labels = np.array(corpus.labels, dtype=np.int64)
    copies = clusters(corpus.texts, corpus.families)
    fold = folds(copies, corpus.labels, count=FOLDS, seed=seed)
    check_split(fold, copies)

    rows = matrix(posts, HashKey.from_seed(seed), recipe.settings)
    margins = np.zeros(len(posts))
    for held_out in range(FOLDS):
        trained = fit(rows[fold != held_out], labels[fold != held_out], recipe.settings, seed=seed)
        places = np.flatnonzero(fold == held_out)
        margins[places] = _margins(trained, [posts[place] for place in places], seed)
    calibration = platt(margins, labels)
    scores = np.round(probabilities(margins, calibration), DECIMALS)
    on = f"{FOLDS}-fold cross-validation, {corpus.dataset.file}"
    threshold = threshold_for(labels, scores, precision=recipe.precision, by=chosen_by, at=chosen_at, on=on)
    metrics = [*measure(labels, scores, threshold.value, on=on, seed=seed), ece_by_chance(scores, on=on, seed=seed)]
    drawn = [curves(labels, scores, on=on)]

    final = fit(rows, labels, recipe.settings, seed=seed)
    weights = Weights.quantised(final.weights, final.intercept)
    packed, file = pack(weights)
    measured = [read_corpus(name, data, use="measuring") for name in recipe.measured_on]
    for other in measured:
        other_scores = np.round(probabilities(_margins(final, _tokens(other), seed), calibration), DECIMALS)
        other_labels = np.array(other.labels, dtype=np.int64)
        name = other.dataset.file
        metrics += measure(other_labels, other_scores, threshold.value, on=name, seed=seed)
        metrics.append(ece_by_chance(other_scores, on=name, seed=seed))
        drawn.append(curves(other_labels, other_scores, on=name))

    manifest = Manifest(
        kind="linear",
        name=recipe.name,
        code=recipe.code,
        language=recipe.language,
        version=head_version,
        label=recipe.label,
        limits=recipe.limits,
        data=(corpus.dataset, *(other.dataset for other in measured)),
        settings={
            **recipe.settings._asdict(),
            "buckets": BUCKETS,
            "scale": weights.scale,
            "intercept": weights.intercept,
        },
        calibration=calibration,
        threshold=threshold,
        metrics=tuple(metrics),
        files=(file,),
        analyser=analyser_hash(),
        code_version=version("hustings"),
        libraries={name: version(name) for name in LIBRARIES},
        seed=seed,
        curves=tuple(drawn),
    )
    save_head(models / recipe.name, manifest, packed)
    return manifest


def _tokens(corpus: Corpus) -> list[tuple[str, ...]]:
    return [analysis.tokens for analysis in analyse_all(corpus.texts)]


def _margins(trained: Fit, posts: Sequence[Sequence[str]], seed: int) -> F64:
    """Margins as the product computes them: from packed weights, windows included."""
    weights = Weights.quantised(trained.weights, trained.intercept)
    margins: F64 = largest_margins([weights], HashKey.from_seed(seed), posts)[0]
    return margins
