"""The re-ranker of claims: gradient-boosted trees over how a text and a candidate overlap.

Learnt from FACTCK.BR (what was claimed, to find the headline of its check) and from our own pairs in several languages.
The features are shares and ranks, no words, so one re-ranker serves every language.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.claims.features import FEATURES, ORDER, features
from classifiers.claims.matcher import CONSIDERED, TREES, considered
from classifiers.claims.pairs import load_pairs, pair_languages
from classifiers.claims.rerank import Trees, trees_of, write_trees
from classifiers.claims.retrieve import Candidates, Retriever, documents
from classifiers.manifest import Dataset, Manifest, Metric, ModelFile, analyser_hash, write_model
from classifiers.training.calibration import platt, probabilities
from classifiers.training.duplicates import clusters
from classifiers.training.measures import curves, measure
from classifiers.training.order import Order
from classifiers.training.stages import Tell, each_fold, to_nobody
from classifiers.training.thresholds import threshold_for
from hustings.errors import ConfigError

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["NAME", "PRECISION", "Asked", "Collection", "Question", "ask", "best_of_each", "train_claims"]

NAME = "claims"
PRECISION = 0.95
"""What is shown as a match must be right so often, with questions mixed in that no claim answers."""
_ALIKE = 0.3
"""Claims whose four-grams have this cosine, in the claim or in the headline, are the same one, checked by several
publishers: any of them answers. At .6, 23 of the 25 surest errors in FACTCK.BR were one claim checked elsewhere."""
_FOLDS = 5
_LENGTHS = ("claim_length", "text_length")
_SETTINGS = {"max_iter": 120, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 30, "l2": 5.0}


class Question(NamedTuple):
    """A text and the place of the claim that it is about, None when no claim of the collection answers."""

    text: str
    answer: int | None


class Asked(NamedTuple):
    """The rows of one question: features of each candidate, which of them are right, and the question's number."""

    rows: NDArray[np.float32]
    right: NDArray[np.bool_]
    question: int


class Collection(NamedTuple):
    """What is asked of: claims as they are searched, and `wordings` in which the same claim may be recognised."""

    retriever: Retriever
    wordings: tuple[Retriever, ...]
    questions: list[Question]
    dataset: Dataset


def ask(retriever: Retriever, wordings: Sequence[Retriever], questions: Sequence[Question]) -> list[Asked]:
    """Every question as it stands, and each that has an answer once more without it: what a text looks like of which
    nobody has checked the claim yet."""
    asked: list[Asked] = []
    for number, (question, query) in enumerate(
        zip(questions, documents([question.text for question in questions]), strict=True)
    ):
        found = considered(retriever, query)
        answers = _same_claim(wordings, question.answer)
        right = np.isin(found.places, answers)
        asked.append(Asked(features(retriever, query, found), right, number))
        if question.answer is not None:
            others = Candidates(found.places[~right], found.words[~right], found.grams[~right])
            asked.append(Asked(features(retriever, query, others), np.zeros(others.places.size, dtype=bool), number))
    return asked


def best_of_each(trees: Trees, asked: Sequence[Asked]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The margin of the first candidate of each question that has any, and whether it is right."""
    margins, right = [], []
    for one in asked:
        if one.rows.size:
            first = int(np.argmax(one.rows[:, ORDER]))
            margins.append(float(trees.margins(one.rows[first : first + 1])[0]))
            right.append(int(one.right[first]))
    return np.array(margins), np.array(right, dtype=np.int64)


def train_claims(order: Order, *, tell: Tell = to_nobody) -> Manifest:
    """Cross-validate over questions for calibration, threshold and measures, then learn from all; write
    `order.models/claims`."""
    tell("candidates of each question")
    collections = [_factckbr(order.data), *(_own(language) for language in pair_languages())]
    asked: list[Asked] = []
    groups: list[int] = []
    for number, (retriever, wordings, questions, _) in enumerate(collections):
        found = ask(retriever, wordings, questions)
        # Near-copies of a text, and all posts about one claim, stay on one side.
        families = ["" if question.answer is None else str(question.answer) for question in questions]
        cluster = clusters([question.text for question in questions], families)
        groups += [number * 1_000_000 + int(cluster[one.question]) for one in found]
        asked += found
    fold = _folds(np.array(groups), order.seed)
    margins, right = [], []
    for number in each_fold(_FOLDS, "training", tell):
        learnt = _fit([one for one, of in zip(asked, fold, strict=True) if of != number], order.seed)
        found_margins, found_right = best_of_each(
            learnt, [o for o, of in zip(asked, fold, strict=True) if of == number]
        )
        margins.append(found_margins)
        right.append(found_right)
    out_of_fold, labels = np.concatenate(margins), np.concatenate(right)
    calibration = platt(out_of_fold, labels)
    scores = np.round(probabilities(out_of_fold, calibration), 4)
    on = "best candidate of each question, half of them without an answer, cross-validated"
    threshold = threshold_for(labels, scores, precision=PRECISION, by=order.chosen_by, at=order.chosen_at, on=on)
    tell("all questions, and measures")
    raw = write_trees(_fit(asked, order.seed))
    metrics: list[Metric] = measure(labels, scores, threshold.value, on=on, seed=order.seed)
    manifest = Manifest(
        kind="claims",
        name=NAME,
        code="",
        language="mul",
        version=order.version,
        label="That a text is about a claim which a publisher has checked; not whether the claim is true.",
        limits="Compares words and characters: the same claim in another language, or told in altogether other words, "
        "is not found. Learnt mostly from Portuguese headlines and from pairs of our own.",
        data=tuple(collection.dataset for collection in collections),
        settings={"features": ",".join(FEATURES), "considered": CONSIDERED},
        calibration=calibration,
        threshold=threshold,
        metrics=tuple(metrics),
        files=(ModelFile.of(TREES, raw),),
        analyser=analyser_hash("mul"),
        code_version=version("hustings"),
        libraries={name: version(name) for name in ("numpy", "scikit-learn")},
        seed=order.seed,
        curves=(curves(labels, scores, on=on),),
    )
    write_model(order.models / NAME, manifest, {TREES: raw})
    return manifest


def _fit(asked: Sequence[Asked], seed: int) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier

    learner: HistGradientBoostingClassifier = HistGradientBoostingClassifier(
        max_iter=_SETTINGS["max_iter"],
        learning_rate=_SETTINGS["learning_rate"],
        max_leaf_nodes=_SETTINGS["max_leaf_nodes"],
        min_samples_leaf=_SETTINGS["min_samples_leaf"],
        l2_regularization=_SETTINGS["l2"],
        # More in common never speaks against a match; only lengths may go either way.
        monotonic_cst=[0 if feature in _LENGTHS else 1 for feature in FEATURES],
        early_stopping=False,
        random_state=seed,
    )
    learner.fit(np.concatenate([one.rows for one in asked]), np.concatenate([one.right for one in asked]))
    return trees_of(learner)


def _same_claim(wordings: Sequence[Retriever], answer: int | None) -> list[int]:
    """The answer and every other claim that is the same one."""
    if answer is None:
        return []
    same = [answer]
    for retriever in wordings:
        own = retriever.documents[answer]
        found = retriever.candidates(own, most=20)
        mass = retriever.grams.mass[found.places] * max(retriever.grams.worth(own.grams), 1e-6)
        same += found.places[found.grams / np.sqrt(np.maximum(mass, 1e-6)) >= _ALIKE].tolist()
    return same


def _folds(groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A fold number for each; a group stays whole."""
    distinct, place = np.unique(groups, return_inverse=True)
    of_group = np.random.default_rng(seed).permutation(distinct.size) % _FOLDS
    return of_group[place]


def _factckbr(data: Path) -> Collection:
    """Headlines without the publisher's name as claims; what was claimed as questions."""
    path = data / "factckbr" / "claims.csv"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); --data names the folder of data sets") from error
    rows = [
        (row["claimReviewed"].strip(), row["title"].rsplit("|", 1)[0].strip())
        for row in csv.DictReader(raw.decode().splitlines(keepends=True))
    ]
    rows = [(claim, title) for claim, title in rows if claim and title]
    dataset = Dataset(
        name="FACTCK.BR",
        file="factckbr/claims.csv",
        sha256=hashlib.sha256(raw).hexdigest(),
        licence="MIT",
        source="github.com/jghm-f/FACTCK.BR",
        rows=len(rows),
        positives=len(rows),
        use="training",
    )
    questions = [Question(claim, place) for place, (claim, _) in enumerate(rows)]
    headlines = Retriever(documents([title for _, title in rows]))
    return Collection(headlines, (headlines, Retriever(documents([claim for claim, _ in rows]))), questions, dataset)


def _own(language: str) -> Collection:
    """Our own claims, with headline; posts about them, and posts that only look so, as questions."""
    pairs, digest = load_pairs(language)
    questions = [Question(post, place) for place, pair in enumerate(pairs) for post in pair.posts]
    positives = len(questions)
    questions += [Question(post, None) for pair in pairs for post in pair.near]
    dataset = Dataset(
        name="Hustings pairs of claims and posts",
        file=f"classifiers/claims/pairs/{language}.toml",
        sha256=digest,
        licence="CC0-1.0",
        source="written for Hustings",
        rows=len(questions),
        positives=positives,
        use="training",
    )
    retriever = Retriever(documents([f"{pair.text}\n{pair.title}" for pair in pairs]))
    return Collection(retriever, (), questions, dataset)
