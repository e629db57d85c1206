"""How heads are made: folds without copies, calibration, thresholds, the same bytes twice."""

import csv
import gzip
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from classifiers.linear.features import BUCKETS, HashKey
from classifiers.linear.model import load_head
from classifiers.linear.score import Scorer
from classifiers.signing import ANYBODY
from classifiers.training.calibration import bent, platt, probabilities
from classifiers.training.corpora import read_corpus
from classifiers.training.duplicates import check_split, clusters, folds
from classifiers.training.measures import average_precision, calibration_error, macro_f1, measure, recall_at_precision
from classifiers.training.nb_logistic import Settings, fit, logistic, matrix
from classifiers.training.order import Order
from classifiers.training.robustness import every_second, respelt
from classifiers.training.thresholds import threshold_for
from classifiers.training.train import train, trainable
from hustings.errors import ConfigError
from hustings.text import analyse

RUDE = ["clown", "liar", "idiot", "crook", "thief", "coward", "snake", "parasite"]
KIND = ["friend", "neighbour", "baker", "teacher", "gardener", "singer", "nurse", "baker"]
WORDS_WEIGH = np.where(np.arange(BUCKETS) < BUCKETS // 2, 1.0, Settings().word_weight)
PLACES = ["harbour", "market", "bridge", "station", "church", "garden", "school", "office", "river", "square"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hundred invented posts in the columns of one of the corpora."""
    draw = random.Random(3)
    folder = tmp_path_factory.mktemp("data")
    path = folder / "uli" / "en_train.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "l1"])
        for number in range(200):
            is_rude = number % 3 == 0
            where = " ".join(draw.sample(PLACES, 4))
            rows.writerow([f"that {draw.choice(RUDE if is_rude else KIND)} met {number} at {where}", int(is_rude)])
        rows.writerow(["a row that nobody judged", -1])
    return folder


def order(data: Path, models: Path) -> Order:
    return Order(data=data, models=models, version="3", chosen_by="a test", chosen_at="2026-10-01")


@pytest.fixture(scope="module")
def models(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one head, trained on the invented posts."""
    folder = tmp_path_factory.mktemp("models")
    train("G-en-IN", order(data, folder))
    return folder


def test_a_head_is_trained_calibrated_and_written_with_its_paper(models: Path) -> None:
    head = load_head(models / "G-en-IN", signers=ANYBODY)
    manifest = head.manifest
    assert (manifest.version, manifest.threshold.chosen_by, manifest.data[0].rows) == ("3", "a test", 200)
    rude, kind = Scorer([head]).scores([analyse("that clown met us").tokens, analyse("that nurse met us").tokens])[0]
    assert rude > 0.5 > kind


def test_the_same_order_gives_the_same_bytes(data: Path, models: Path, tmp_path: Path) -> None:
    train("G-en-IN", order(data, tmp_path))
    for path in sorted(models.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / path.relative_to(models)).read_bytes()


def test_an_unknown_model_or_corpus_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="G-en, G-THR-en"):
        train("G-xx", order(tmp_path, tmp_path))
    with pytest.raises(ConfigError, match="edos-sexist"):
        read_corpus("nothing", tmp_path)
    with pytest.raises(ConfigError, match="give --data"):
        read_corpus("uli-en", tmp_path)
    assert {"G-en", "A-INSULT-de", "N-ar"} <= set(trainable())


def test_a_corpus_of_other_columns_is_told_with_those_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "uli").mkdir()
    (tmp_path / "uli" / "en_train.csv").write_text("text,label\nhello,1\n")
    with pytest.raises(
        ConfigError, match=r"corpus 'uli-en': .*en_train\.csv has no column 'l1'; there are 'text', 'label'"
    ):
        read_corpus("uli-en", tmp_path)


def test_a_small_corpus_that_unfolds_to_fill_the_memory_and_a_broken_one_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "davidson" / "train.csv.gz"
    path.parent.mkdir()
    monkeypatch.setattr("classifiers.training.corpora.MOST_BYTES", 5_000_000)
    path.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(ConfigError, match="holds more than 5,000,000 bytes"):
        read_corpus("davidson-hate", tmp_path)
    path.write_bytes(gzip.compress(b"tweet,class\nx,0\n")[:-9])
    with pytest.raises(ConfigError, match="cannot be read"):
        read_corpus("davidson-hate", tmp_path)


TEXTS = [
    "the harbour bridge is closed for repairs until the end of October",
    "The harbour bridge is closed for repairs until the end of october!!",
    "my cat sleeps all day long in the sun on the roof of the church",
    "something about a cat",
    "some other words of which no one is anywhere in the rest",
]


def test_near_copies_and_families_are_one_cluster() -> None:
    found = clusters(TEXTS, ["", "", "f", "f", ""])
    assert found.tolist() == [0, 0, 2, 2, 4]


def test_folds_keep_clusters_whole_and_positives_even() -> None:
    cluster = np.array([number // 3 for number in range(300)])
    labels = [int(number % 4 == 0) for number in range(300)]
    fold = folds(cluster, labels, count=5, seed=1)
    check_split(fold, cluster)
    assert np.bincount(fold).tolist() == [60] * 5
    assert max(abs(sum(np.array(labels)[fold == k]) - 15) for k in range(5)) <= 2


def test_a_split_that_copies_straddle_is_refused() -> None:
    with pytest.raises(ConfigError, match="rows 0 and 1 are near-copies"):
        check_split([0, 1, 0, 0, 1], clusters(TEXTS))


def test_calibration_turns_margins_into_frequencies() -> None:
    draw = np.random.default_rng(0)
    margins = draw.normal(size=20_000)
    labels = (draw.random(20_000) < 1 / (1 + np.exp(-(2 * margins - 1)))).astype(np.int64)
    found = platt(margins, labels)
    assert found.slope == pytest.approx(2, abs=0.1)
    assert found.intercept == pytest.approx(-1, abs=0.1)
    assert calibration_error(labels, probabilities(margins, found)) < 0.01


def test_knots_bend_a_calibration_that_no_logistic_fits() -> None:
    draw = np.random.default_rng(0)
    margins = draw.normal(size=20_000)
    labels = (draw.random(20_000) < np.where(margins > 0, 0.9, 0.3 + 0.05 * margins)).astype(np.int64)
    straight = platt(margins, labels)
    found = bent(straight, margins, labels, 12)
    assert calibration_error(labels, probabilities(margins, straight)) > 0.05
    assert calibration_error(labels, probabilities(margins, found)) < 0.03
    assert all(one < two for side in (0, 1) for one, two in pairwise(knot[side] for knot in found.knots))


def test_a_threshold_is_the_lowest_with_the_wanted_precision() -> None:
    scores = np.linspace(0.001, 1, 1000)
    labels = (np.arange(1000) >= 500).astype(np.int64)
    found = threshold_for(labels, scores, precision=0.8, by="a test", at="today", on="numbers")
    assert found.precision == pytest.approx(0.8, abs=0.001)
    assert found.recall == 1.0


def test_a_precision_that_is_never_reached_is_said_to_be() -> None:
    labels = np.tile([0, 1], 500)
    found = threshold_for(labels, np.linspace(0, 1, 1000), precision=0.9, by="a test", at="today", on="numbers")
    assert "never reached" in found.reason


def test_without_a_wanted_precision_the_threshold_is_that_of_the_highest_macro_f1() -> None:
    draw = np.random.default_rng(2)
    scores = np.round(draw.random(400), 2)
    labels = (draw.random(400) < scores**2).astype(np.int64)
    found = threshold_for(labels, scores, precision=None, by="a test", at="today", on="numbers")
    best = max(macro_f1(labels, scores >= score) for score in scores)
    assert macro_f1(labels, scores >= found.value) == best
    assert found.reason == "highest macro-F1"


def test_the_regression_is_that_of_scikit_learn() -> None:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(4)
    rows, weights = draw.normal(size=(200, 12)), draw.random(200) + 0.5
    labels = (rows[:, 0] + draw.normal(size=200) > 0.3).astype(np.int64)
    by_others = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(rows, labels, sample_weight=weights)
    found, intercept = logistic(csr_matrix(rows), labels, 2.0, weights)
    assert found == pytest.approx(by_others.coef_[0], abs=2e-3)
    assert intercept == pytest.approx(by_others.intercept_[0], abs=2e-3)


def test_a_target_between_labels_is_learnt_like_rows_of_either_label() -> None:
    from scipy.sparse import csr_matrix, vstack

    draw = np.random.default_rng(6)
    rows, likely = csr_matrix(draw.normal(size=(100, 5))), draw.random(100)
    found, intercept = logistic(rows, likely, 2.0, np.ones(100))
    labels = np.repeat([1, 0], 100)
    twice, of_twice = logistic(vstack((rows, rows)).tocsr(), labels, 2.0, np.concatenate((likely, 1 - likely)))
    assert found == pytest.approx(twice, abs=2e-3)
    assert intercept == pytest.approx(of_twice, abs=2e-3)


def test_a_column_that_no_row_has_weighs_nothing() -> None:
    from scipy.sparse import csr_matrix

    found, _ = logistic(csr_matrix([[1.0, 0.0, 2.0], [2.0, 0.0, 1.0]]), np.array([1, 0]), 1.0, np.ones(2))
    assert found[1] == 0.0
    assert found[2] > 0 > found[0]


def test_how_often_foreign_rows_are_positive_tells_the_corpus_nothing() -> None:
    """Five hundred posts from elsewhere, all positive and all about the harbour, do not make a harbour abuse."""
    draw = random.Random(5)
    said = [(f"that {draw.choice(RUDE)} at the market", 1) for _ in range(100)]
    said += [(f"that {draw.choice(KIND)} at the market", 0) for _ in range(100)]
    said += [(f"a {draw.choice(RUDE)} at the harbour", 1) for _ in range(500)]
    rows = matrix([analyse(text).tokens for text, _ in said], HashKey.from_seed(1), Settings())
    labels, foreign = np.array([label for _, label in said]), np.arange(len(said)) >= 200
    harbour = matrix([analyse("a baker at the harbour").tokens], HashKey.from_seed(1), Settings())
    taught = fit(rows, labels, Settings())
    told = fit(rows, labels, Settings(), foreign=foreign)
    margins = [float((harbour @ (one.weights / WORDS_WEIGH))[0]) + one.intercept for one in (taught, told)]
    assert margins[1] < margins[0] - 1


def test_words_of_syllables_are_hidden_though_they_have_few() -> None:
    text = "यह बेशर्म औरत है"
    assert every_second(text, odd=True) == ("यह", "औरत")
    assert every_second(text, odd=False) == ("बेशर्म",)
    assert respelt(text, "masked", telling=every_second(text, odd=True)) == "य* बेशर्म औ*त है"
    assert respelt(text, "masked") == text


def test_measures_agree_with_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, f1_score

    draw = np.random.default_rng(1)
    scores = np.round(draw.random(500), 2)
    labels = (draw.random(500) < scores).astype(np.int64)
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert macro_f1(labels, scores >= 0.5) == pytest.approx(f1_score(labels, scores >= 0.5, average="macro"))
    assert recall_at_precision(labels, labels.astype(float)) == 1.0


def test_measures_have_intervals_around_them() -> None:
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 2, 200)
    for metric in measure(labels, draw.random(200), 0.5, on="numbers", seed=1, names=("precision", "pr_auc")):
        assert metric.low < metric.value < metric.high
        assert metric.n == 200
