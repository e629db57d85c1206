"""A head for check-worthiness: which posts state something that can be checked. It ranks, it flags nothing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from classifiers.linear.features import BUCKETS, HASH_SEED, HashKey
from classifiers.linear.model import Weights, pack, save_head
from classifiers.linear.score import DECIMALS, largest_margins
from classifiers.manifest import Manifest, analyser_hash
from classifiers.training.calibration import platt, probabilities
from classifiers.training.check_worthy_posts import check_worthy_posts, languages
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.linear_rows import FOLDS, tokens
from classifiers.training.measures import curves, ece_by_chance, measure
from classifiers.training.nb_logistic import Fit, Settings, fit, matrix, other_seed
from classifiers.training.order import Order
from classifiers.training.stages import Tell, each_fold, to_nobody
from classifiers.training.thresholds import threshold_for
from classifiers.training.train_linear import LIBRARIES
from hustings.codebook import CHECK_WORTHY

__all__ = ["check_worthiness_heads", "train_check_worthiness"]

PRECISION = 0.9
"""What the score is chosen for from which on a post is looked up among known claims, on our own sentences. Looking up
is dear: at .85 every fourth of the staged tweets would be, at .90 every seventh is."""
SETTINGS = Settings(penalty=4.0, smoothing=0.05)


def check_worthiness_heads() -> list[str]:
    """Names of the heads that can be made."""
    return [f"{CHECK_WORTHY}-{language}" for language in languages()]


def train_check_worthiness(language: str, order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Train, calibrate and measure the head of a language, and write it to `order.models/CW-<language>`. Everything is
    cross-validated; near-copies, and posts about one claim, stay in one fold."""
    tell("rows and near-copies")
    corpus = check_worthy_posts(language)
    posts = tokens(corpus.texts)
    labels = np.array(corpus.labels, dtype=np.int64)
    copies = clusters(corpus.texts, corpus.families)
    fold = folds(copies, corpus.labels, count=FOLDS, seed=order.seed)
    check_split(fold, copies)

    rows = matrix(posts, HashKey.from_seed(HASH_SEED), SETTINGS)
    margins = np.zeros(len(posts))
    for held_out in each_fold(FOLDS, "training", tell):
        trained = fit(rows[fold != held_out], labels[fold != held_out], SETTINGS)
        places = np.flatnonzero(fold == held_out)
        margins[places] = _margins(trained, [posts[place] for place in places])
    calibration = platt(margins, labels)
    scores = np.round(probabilities(margins, calibration), DECIMALS)
    on = f"{language}: our own sentences, {FOLDS}-fold cross-validation"
    threshold = threshold_for(labels, scores, precision=PRECISION, by=order.chosen_by, at=order.chosen_at, on=on)

    tell("all rows, and measures")
    final = fit(rows, labels, SETTINGS)
    weights = Weights.quantised(final.weights, final.intercept)
    packed, file = pack(weights)
    manifest = Manifest(
        kind="linear",
        name=f"{CHECK_WORTHY}-{language}",
        code=CHECK_WORTHY,
        language=language,
        version=order.version,
        label="Posts that state something about the election which can be checked, and which would mislead voters if "
        "it were wrong. A score to rank by, never a flag, and no verdict on what is true.",
        limits="Learnt from sentences that we wrote ourselves; on posts of other times and topics it ranks much worse "
        "(docs/claims.md). Three in five of the sentences are worth checking, in a stream far fewer are: there the "
        "number is too high, and only the order says something.",
        data=(corpus.dataset,),
        settings={
            **SETTINGS._asdict(),
            "buckets": BUCKETS,
            "scale": weights.scale,
            "intercept": weights.intercept,
            **other_seed(order.seed),
        },
        calibration=calibration,
        threshold=threshold,
        metrics=(
            *measure(labels, scores, threshold.value, on=on, seed=order.seed),
            ece_by_chance(scores, on=on, seed=order.seed),
        ),
        files=(file,),
        analyser=analyser_hash(language),
        code_version=version("hustings"),
        libraries={name: version(name) for name in LIBRARIES},
        seed=HASH_SEED,
        curves=(curves(labels, scores, on=on),),
    )
    save_head(order.models / manifest.name, manifest, packed)
    return manifest


def _margins(trained: Fit, posts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """As the product computes them: from packed weights, windows included."""
    weights = Weights.quantised(trained.weights, trained.intercept)
    margins: NDArray[np.float64] = largest_margins([weights], HashKey.from_seed(HASH_SEED), posts)[0]
    return margins
