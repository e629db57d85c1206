"""How logits and linear scores become one probability, from which score on posts are read, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from classifiers.encoder.heads import log_odds
from classifiers.training.encoder.bases import BASES, find_base
from classifiers.training.encoder.export import Agreement, agreement, check_agreement
from classifiers.training.encoder.fusion import Chosen, Evidence, choose, cross_choose, kept_recall
from classifiers.training.encoder.torch_extra import need
from classifiers.training.measures import average_precision, calibration_error
from hustings.errors import ConfigError, ModelError
from tests.tiny_encoder import head


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Two thousand rows, one in four positive; the linear head is a fair judge and the encoder a good one."""
    draw = np.random.default_rng(5)
    labels = (draw.random(2000) < 0.25).astype(np.int64)
    linear = 1.0 / (1.0 + np.exp(-(1.6 * (labels - 0.5) - 1.0 + draw.normal(0, 0.8, 2000))))
    logits = 5.0 * (labels - 0.5) + draw.normal(0, 2.0, 2000)
    return Evidence(labels, logits, np.round(linear, 4), np.arange(2000) % 5, 0.5)


def chosen(evidence: Evidence, **settings: float) -> Chosen:
    return choose(evidence, precision=0.8, by="a test", at="2026-10-01", on="made up", **settings)


def test_both_together_rank_better_than_either(evidence: Evidence) -> None:
    found = chosen(evidence)
    assert 0.0 < found.share < 1.0
    together = average_precision(evidence.labels, found.scores(evidence))
    assert together > average_precision(evidence.labels, evidence.linear) + 0.1
    assert together >= average_precision(evidence.labels, evidence.logits) - 0.005


def test_the_probabilities_are_calibrated_and_the_threshold_has_its_precision(evidence: Evidence) -> None:
    found = chosen(evidence)
    assert calibration_error(evidence.labels, found.scores(evidence)) < 0.03
    assert found.threshold.precision >= 0.8


def test_every_point_of_the_trade_off_keeps_what_it_says(evidence: Evidence) -> None:
    found = chosen(evidence)
    everywhere = found.scores(evidence)
    for point in found.keeps:
        asked = found.asks(evidence, point.keep)
        assert kept_recall(evidence, everywhere, asked, found.threshold.value) >= point.keep
        assert point.read == pytest.approx(asked.mean(), abs=1e-4)
        assert point.from_score <= evidence.linear_threshold


def test_to_keep_more_is_to_read_more_and_to_keep_all_is_to_read_all(evidence: Evidence) -> None:
    read = [point.read for point in chosen(evidence).keeps]
    assert read == sorted(read)
    assert read[-1] == 1.0


def test_what_is_chosen_on_other_folds_flatters_little(evidence: Evidence) -> None:
    everywhere, cascade, asked = cross_choose(evidence, precision=0.8, keep=0.98)
    area = average_precision(evidence.labels, everywhere)
    assert area == pytest.approx(average_precision(evidence.labels, chosen(evidence).scores(evidence)), abs=0.02)
    assert np.array_equal(cascade[~asked], evidence.linear[~asked])
    assert kept_recall(evidence, everywhere, asked, 0.5) > 0.95


def test_too_few_right_flags_are_replaced_by_a_score_that_people_settle(evidence: Evidence) -> None:
    found = chosen(evidence, asked_from=0.4)
    sure_from = found.sure_from or 1.1
    assert np.array_equal(found.asks(evidence, 0.98), (evidence.linear >= 0.4) & (evidence.linear < sure_from))
    assert np.array_equal(found.asks(evidence, 1.0), np.ones(2000, dtype=bool))


def test_what_the_encoder_would_flag_anyhow_is_not_read(evidence: Evidence) -> None:
    """Reading changes no flag from .9 on, so there the linear head's word stands; one exception, and it is asked."""
    draw = np.random.default_rng(7)
    labels = evidence.labels
    linear = np.round(np.where((labels == 1) & (np.arange(2000) < 800), 0.95, draw.uniform(0.0, 0.9, 2000)), 4)
    sure = evidence._replace(linear=linear, logits=40.0 * (labels - 0.5))
    found = chosen(sure)
    assert found.sure_from is not None
    assert 0.8 < found.sure_from <= 0.95
    assert not found.asks(sure, 0.98)[linear >= 0.95].any()
    assert found.asks(sure, 1.0).all()
    assert kept_recall(sure, found.scores(sure), found.asks(sure, 0.98), found.threshold.value) >= 0.98
    exception = np.arange(2000) == int(np.argmin(labels))
    doubtful = sure._replace(linear=np.where(exception, 0.97, linear), logits=np.where(exception, -400.0, sure.logits))
    assert chosen(doubtful).sure_from is None


def test_a_head_asks_between_its_two_scores_and_always_to_keep_all() -> None:
    one = msgspec.structs.replace(head("G", "G-en", 0), sure_from=0.7)
    assert [one.asks(score, 0.985) for score in (0.1, 0.2, 0.69, 0.7, 1.0)] == [False, True, True, False, False]
    assert one.asks(0.0, 1.0)
    assert one.asks(1.0, 1.0)


@pytest.mark.parametrize(("keep", "from_score"), [(0.5, 0.2), (0.985, 0.2), (0.988, 0.05), (0.99, 0.05), (1.0, 0.0)])
def test_a_setting_between_two_points_keeps_at_least_that_much(keep: float, from_score: float) -> None:
    assert head("G", "G-en", 0).from_score(keep) == from_score


def test_log_odds_of_certain_scores_are_finite() -> None:
    assert [log_odds(0.0), log_odds(1.0)] == pytest.approx([-9.21, 9.21], abs=0.01)
    assert log_odds(0.5) == 0.0


def test_the_score_is_the_mean_of_logit_and_log_odds() -> None:
    assert head("G", "G-en", 0).score(0.0, 0.5) == 0.5
    assert head("G", "G-en", 0).score(4.0, 0.5) == pytest.approx(0.8808, abs=1e-4)


def test_a_small_network_that_changes_flags_is_refused(evidence: Evidence) -> None:
    spoiled = evidence.logits + np.random.default_rng(6).normal(0, 2.0, 2000)
    found = agreement(evidence.logits, spoiled, evidence.labels, 0.5)
    assert found.changed > 0.03
    with pytest.raises(ModelError, match=r"8 bits cost .* of average precision"):
        check_agreement("a network", found, positives=600)
    check_agreement(
        "a network", agreement(evidence.logits, evidence.logits + 0.001, evidence.labels, 0.5), positives=600
    )
    check_agreement("a network", Agreement(0.01, 0.1, 0.009, 0.029), positives=600)


def test_of_a_few_rows_in_which_something_is_found_quantising_may_cost_what_one_is_worth() -> None:
    found = Agreement(mean=0.05, largest=0.5, lost=0.016, changed=0.002)
    check_agreement("a network", found, positives=44)
    with pytest.raises(ModelError, match=r"0\.016 of average precision \(at most 0\.01\)"):
        check_agreement("a network", found, positives=486)
    with pytest.raises(ModelError, match=r"at most 0\.0227\)"):
        check_agreement("a network", found._replace(lost=0.023), positives=44)


def test_what_brings_torch_is_named_when_it_is_missing() -> None:
    with pytest.raises(ConfigError, match="uv sync --frozen --inexact --extra torch"):
        need("torch_as_nobody_calls_it")


def test_a_packaged_base_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    base = BASES["all-minilm-l6-v2"]
    with zipfile.ZipFile(tmp_path / base.file, "w") as archive:
        archive.writestr(base.folder + "model.safetensors", b"something else")
    with pytest.raises(ConfigError, match="pinned is b9a0018d"):
        find_base("all-minilm-l6-v2", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [base.file]


def test_a_folder_without_weights_and_no_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no model\.safetensors in this folder"):
        find_base(str(tmp_path), tmp_path)
    with pytest.raises(ConfigError, match="no such folder; known by name are all-minilm-l6-v2"):
        find_base(str(tmp_path / "nothing"), tmp_path)


def test_a_local_base_is_named_by_its_folder_and_hash(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"")
    found = find_base(str(folder), tmp_path)
    assert (found.name, found.weights_sha256[:8], found.at) == ("own", "e3b0c442", str(folder))
